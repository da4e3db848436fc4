"""The wire protocol, written from docs/protocol.md alone, for the tests in Python.

Frames are built from their description here, not through our C code, so that a mistake in either
shows. Processes are house.py's.

    Connection   asks and waits for the answer: broker or watcher
    Watcher      a watcher's side of the broker: a session and its batches
    Live         a subscriber behind the ECHO barrier
"""
import hashlib
import json
import math
import secrets
import struct
import sys
import zlib

try:
    import zmq
except ImportError:  # python3-zmq
    print("skipped: python3-zmq is not installed")
    sys.exit(77)

PATIENCE_MS = 20000  # a test fails after that; sanitizers and a busy machine are slow

FIELDS = {"title": 0, "body": 1, "page": 2, "meta": 3}


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


def unlock(socket, keys):
    """CURVE for a socket that is not connected yet. `keys`: (server's public, own public, own secret)."""
    if keys:
        socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = keys


class Connection:
    """A DEALER (or REQ) that asks and waits for the answer to what it asked."""

    def __init__(self, endpoint, kind=zmq.DEALER, keys=None):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.ipv6 = 1
        unlock(self.socket, keys)
        self.socket.connect(endpoint)
        self.rid = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

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

    def __init__(self, endpoint, name="wire", keys=None):
        super().__init__(endpoint, keys=keys)
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

    def __init__(self, endpoint, connection, *topics, keys=None):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        unlock(self.socket, keys)
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
