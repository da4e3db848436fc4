"""The wire protocol of docs/protocol.md for tests, and daemons that start and stop.

Frames are built from their description here, not through our C code, so that a mistake in either
shows. Nothing sleeps: starting waits for an answer, stopping for the process.
"""
import hashlib
import json
import math
import os
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

try:
    import zmq
except ImportError:  # python3-zmq
    print("skipped: python3-zmq is not installed")
    sys.exit(77)

PATIENCE_MS = 20000  # a test fails after that; sanitizers and a busy machine are slow

FIELDS = {"title": 0, "body": 1, "page": 2, "meta": 3}


def binary(name):
    """The path of a built program."""
    path = os.path.join(os.environ.get("TOCSIN_BIN", "build/dev/bin"), name)
    if not os.path.exists(path):
        print(f"skipped: {path} is not built")
        sys.exit(77)
    return path


# --- ids and frames ---


def id_of(*parts):
    """The first 16 bytes of SHA-256 over length-prefixed parts, as hex."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(struct.pack("<I", len(data)) + data)
    return digest.hexdigest()[:32]


def hit_id(watch, source, article, version, segment):
    space, name = watch.split("/")
    return id_of(space, name, source, article, version, segment)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def definition(name, severity="high", status="live", labels=None, **more):
    """A watch definition's bytes; hash_of() gives the hash that hits carry."""
    body = {"name": name, "severity": severity, "status": status, "labels": labels or {},
            "annotations": {}, "alert": {}, "query": "x"}
    return compact({**body, **more})


def hash_of(body):
    return hashlib.sha256(body).hexdigest()[:32]


def _short(text):
    data = text.encode()
    return struct.pack("<B", len(data)) + data


def _long(text):
    data = text.encode()
    return struct.pack("<H", len(data)) + data


def hit(record, body, segment=0, matches=(), excerpt="", score=math.nan, **wrong):
    """One HIT of the article `record` for the watch defined by `body`. `wrong` replaces parts."""
    watch = json.loads(body)
    name = wrong.get("watch", watch["name"])
    identity = wrong.get("id") or hit_id(name, record["source"], record["id"], record["version"],
                                         segment)
    out = bytes.fromhex(identity) + bytes.fromhex(wrong.get("hash") or hash_of(body))
    out += struct.pack("<Id", segment, score) + _long(name)
    out += _short(wrong.get("severity", watch["severity"])) + struct.pack("<H", len(matches))
    for clause, field, start, end, words in matches:
        out += _short(clause) + struct.pack("<BII", FIELDS[field], start, end) + _long(words)
    return out + _long(excerpt)


def article(number, source="wire", version=1, **more):
    """The record of a test article."""
    return {"id": f"article-{number}", "source": source, "version": version,
            "title": f"Title {number}", "language": "en", "seen": "2025-03-01T05:01:00.000Z",
            "segments": [{"number": 0}], **more}


def item(record, hits):
    """The two frames of one article in PUT."""
    header = record if isinstance(record, bytes) else compact(record)
    rest = struct.pack("<I", len(hits)) + b"".join(struct.pack("<I", len(h)) + h for h in hits)
    return [header, struct.pack("<BI", 1, zlib.crc32(rest, zlib.crc32(header))) + rest]


# --- sockets ---


class Refused(Exception):
    """The answer was ERR; .header has it."""

    def __init__(self, header):
        super().__init__(f"{header.get('code')}: {header.get('reason')}")
        self.header = header


class Connection:
    """A DEALER (or REQ) that asks and waits for the answer to what it asked."""

    def __init__(self, endpoint, kind=zmq.DEALER):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.rid = 0

    def close(self):
        self.socket.close()

    def send(self, command, header=None, payload=()):
        """Sends without waiting; returns the rid."""
        self.rid += 1
        data = header if isinstance(header, bytes) else compact({"rid": self.rid, **(header or {})})
        self.socket.send_multipart([b"T1", command.encode(), data, *payload])
        return self.rid

    def receive(self, timeout_ms=PATIENCE_MS):
        """(reply, header, payload) of the next answer."""
        if not self.socket.poll(timeout_ms):
            raise TimeoutError("no answer")
        frames = self.socket.recv_multipart()
        assert frames[0] == b"T1", frames
        return frames[1].decode(), json.loads(frames[2]), frames[3:]

    def ask(self, command, header=None, payload=(), reply=None):
        """The answer's header and payload. Raises Refused when it is ERR."""
        self.send(command, header, payload)
        got, answer, frames = self.receive()
        if got == "ERR":
            raise Refused(answer)
        assert reply is None or got == reply, (got, answer)
        return answer, frames


class Watcher(Connection):
    """A watcher's side of the broker: a session and its batches."""

    def __init__(self, endpoint, name="wire"):
        super().__init__(endpoint)
        self.session = secrets.token_hex(16)
        self.batch = 0
        self.definitions = {}
        self.welcome, _ = self.ask("HELLO", {"role": "watcher", "name": name,
                                             "session": self.session}, reply="WELCOME")

    def know(self, *bodies):
        for body in bodies:
            self.definitions[hash_of(body)] = body

    def put(self, *items):
        """One batch of items; brings definitions that the broker asks for. The ACK's header."""
        self.batch += 1
        header = {"session": self.session, "batch": self.batch, "n": len(items)}
        frames = [frame for one in items for frame in one]
        while True:
            self.send("PUT", header, frames)
            reply, answer, _ = self.receive()
            if reply == "ACK":
                return answer
            if reply != "NAK" or answer["reason"] != "watch":
                raise Refused({"code": reply, **answer})
            bodies = [self.definitions[name] for name in answer["need"]]
            self.ask("WATCH", {"session": self.session, "n": len(bodies)}, bodies, reply="OK")


class Live:
    """A SUB socket behind the barrier: everything published after it is made arrives."""

    def __init__(self, endpoint, connection, *topics):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.linger = 0
        self.socket.rcvhwm = 0
        self.socket.sndhwm = 0
        self.socket.connect(endpoint)
        for topic in topics:
            self.socket.subscribe(topic)
        nonce = secrets.token_hex(8)
        self.socket.subscribe(f"~/echo/{nonce}/")
        while True:
            connection.ask("ECHO", {"nonce": nonce}, reply="OK")
            while self.socket.poll(50):
                topic, body = self.socket.recv_multipart()
                if topic == f"~/echo/{nonce}/".encode():
                    assert body == b"{}"
                    self.socket.unsubscribe(f"~/echo/{nonce}/")
                    return

    def receive(self, timeout_ms=PATIENCE_MS, skip_echo=True):
        """(topic, parsed body) of the next message."""
        while True:
            if not self.socket.poll(timeout_ms):
                raise TimeoutError("nothing published")
            topic, body = self.socket.recv_multipart()
            if not (skip_echo and topic.startswith(b"~/echo/")):
                return topic.decode(), json.loads(body)

    def close(self):
        self.socket.close()


# --- daemons ---


class Daemon:
    """A program of ours with a runtime folder of its own."""

    def __init__(self, program, arguments=(), folder=None, environment=None):
        self.program, self.arguments = program, list(arguments)
        self.folder = folder or tempfile.mkdtemp(prefix="tocsin-")
        self.own = folder is None
        self.runtime = os.path.join(self.folder, "run")
        self.log = os.path.join(self.folder, f"{program}.log")
        self.environment = {**os.environ, "TOCSIN_RUNTIME_DIR": self.runtime,
                            "XDG_STATE_HOME": os.path.join(self.folder, "state"),
                            "XDG_CONFIG_HOME": os.path.join(self.folder, "config"),
                            **(environment or {})}
        self.process = None

    def socket(self, name):
        return f"ipc://{self.runtime}/{name}.sock"

    def launch(self, **environment):
        """Starts the program without waiting for anything."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([binary(self.program), *self.arguments],
                                            env={**self.environment, **environment},
                                            stdin=subprocess.DEVNULL, stderr=log, stdout=log,
                                            # Python ignores SIGXFSZ and the program then too: a
                                            # limit on file size is a failing write, not a death.
                                            restore_signals=False)
        return self

    def await_answer(self, endpoint):
        """Waits until STATS is answered on `endpoint`; returns its header."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < deadline:
            connection = Connection(endpoint)
            try:
                connection.send("STATS", {})
                while not connection.socket.poll(100):
                    if self.process.poll() is not None:
                        raise RuntimeError(f"{self.program} ended with {self.process.returncode}:\n"
                                           + self.log_text())
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{self.program} does not answer:\n" + self.log_text())
                return connection.receive()[1]
            finally:
                connection.close()
        raise TimeoutError(f"{self.program} does not answer")

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self, with_signal=signal.SIGTERM):
        """Ends it and returns its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        status = self.process.wait(PATIENCE_MS / 1000)
        self.process = None
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def run_to_end(self, **environment):
        """Starts it, waits for its end: (exit status, what it said)."""
        before = len(self.log_text()) if os.path.exists(self.log) else 0
        self.launch(**environment)
        status = self.process.wait(PATIENCE_MS / 1000)
        self.process = None
        return status, self.log_text()[before:]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process is not None:
            self.kill()
        if self.own and kind is None:  # after a failure what it left stays, for looking at
            shutil.rmtree(self.folder, ignore_errors=True)


class Broker(Daemon):
    """tocsin-broker with its store in the folder."""

    def __init__(self, folder=None, settings="", arguments=None, **environment):
        super().__init__("tocsin-broker", arguments or (), folder, environment)
        self.store = os.path.join(self.folder, "state", "tocsin", "broker.db")
        if settings:
            path = os.path.join(self.folder, "broker.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(settings)
            self.arguments += ["--config", path]

    @property
    def fetch(self):
        return self.socket("fetch")

    @property
    def live(self):
        return self.socket("live")

    def start(self, **environment):
        self.launch(**environment)
        self.await_answer(self.fetch)
        return self


def run_tests(names):
    """Runs the functions test_* of `names` (globals()), or those named on the command line."""
    wanted = sys.argv[1:]
    failed = 0
    for name, function in list(names.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        try:
            function()
            print(f"ok      {name[5:].replace('_', ' ')}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            import traceback
            traceback.print_exc()
            print(f"FAILED  {name[5:].replace('_', ' ')}: {error}", flush=True)
    sys.exit(1 if failed else 0)
