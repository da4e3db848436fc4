"""The real programs, in a folder of their own, for the tests in Python.

    with Broker() as broker:            one daemon alone
        broker.start()

    with House() as house:              broker, watcher and commands together
        house.broker()
        house.watcher("watches: [w.yaml]\\n")
        house.run("tocsin", "publish", path)

Everything that was started here ends here. Waiting is for an event (a daemon that answers, a row
that is there), with a bound that only a broken program reaches.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from wire import Connection, Refused, zmq

SOURCE = pathlib.Path(os.environ.get("TOCSIN_SOURCE", ".")).resolve()
SHARED = SOURCE / ".." / "shared"
PATIENCE_S = 60  # sanitizers and a busy machine are slow
SKIPPED = 77
WRAPPER = os.environ.get("TOCSIN_WRAPPER", "").split()  # words before every daemon: valgrind ...


def skip(reason):
    print(f"skipped: {reason}")
    raise SystemExit(SKIPPED)


def binary(name):
    """The path of a built program."""
    path = pathlib.Path(os.environ.get("TOCSIN_BIN", "build/dev/bin")).resolve() / name
    if not path.exists():
        skip(f"{path} is not built")
    return str(path)


def until(what, check, patience_s=PATIENCE_S):
    """Calls `check` until it gives something true, and gives that. A daemon that died ends the wait."""
    end = time.monotonic() + patience_s
    while True:
        got = check()
        if got:
            return got
        for daemon in Daemon.living:
            daemon.expect_alive(what)
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(0.02)  # between two looks; the look decides


class Daemon:
    """A program of ours; its words go to PROGRAM.log in the folder."""

    living = []  # those that nobody has stopped yet

    def __init__(self, program, arguments=(), folder=None, environment=None):
        self.program, self.arguments = program, list(map(str, arguments))
        self.own = folder is None
        self.folder = str(folder or tempfile.mkdtemp(prefix="tocsin-"))
        self.runtime = os.path.join(self.folder, "run")
        self.log = os.path.join(self.folder, f"{program}.log")
        self.environment = {**os.environ, "TOCSIN_RUNTIME_DIR": self.runtime,
                            "XDG_STATE_HOME": os.path.join(self.folder, "state"),
                            "XDG_CONFIG_HOME": os.path.join(self.folder, "config"),
                            **(environment or {})}
        self.process = None

    def socket(self, name):
        return f"ipc://{self.runtime}/{name}.sock"

    def launch(self, *wrapper, **environment):
        """Starts the program, behind a wrapper's words if any, without waiting for anything."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*wrapper, *WRAPPER, binary(self.program), *self.arguments],
                                            env={**self.environment, **environment}, cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stderr=log, stdout=log,
                                            # Python ignores SIGXFSZ and the program then too: a
                                            # limit on file size is a failing write, not a death.
                                            restore_signals=False)
        if self not in Daemon.living:
            Daemon.living.append(self)
        return self

    def expect_alive(self, waiting_for):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.program} ended with {self.process.returncode} while a test "
                                 f"waited for {waiting_for}:\n{self.log_text()[-4000:]}")

    def await_answer(self, endpoint):
        """Waits until STATS is answered on `endpoint`; returns its header."""
        def answered():
            with Connection(endpoint) as connection:
                connection.send("STATS")
                return connection.receive()[1] if connection.socket.poll(500) else None

        return until(f"{self.program} to answer", answered)

    def http(self):
        """(address, port) of its pages; with `http: 127.0.0.1:0` the log says which port that is."""
        def listening():
            lines = [line for line in self.log_text().splitlines() if "event=http.listening" in line]
            return lines and lines[-1].partition("address=")[2].split()[0]

        address, _, port = until("a page", listening).rpartition(":")
        return address, int(port)

    def page(self, path, method="GET", headers=None):
        """(status, text) of one of its pages."""
        connection = http.client.HTTPConnection(*self.http(), timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_end(self):
        """Its exit status, once it has ended by itself."""
        if self in Daemon.living:
            Daemon.living.remove(self)
        process, self.process = self.process, None
        return process.wait(PATIENCE_S)

    def stop(self, with_signal=signal.SIGTERM):
        """Ends it as its service manager would and returns its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.wait_end()

    def kill(self):
        return self.stop(signal.SIGKILL)

    def run_to_end(self, **environment):
        """Starts it, waits for its end: (exit status, what it said)."""
        before = len(self.log_text()) if os.path.exists(self.log) else 0
        self.launch(**environment)
        return self.wait_end(), self.log_text()[before:]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.kill()
        if self.own and kind is None:  # after a failure what it left stays, for looking at
            shutil.rmtree(self.folder, ignore_errors=True)


class Broker(Daemon):
    """tocsin-broker, its store in the folder."""

    def __init__(self, folder=None, settings="", arguments=(), **environment):
        super().__init__("tocsin-broker", arguments, folder, environment)
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


class House:
    """Broker and watcher in one folder, and our commands beside them."""

    def __init__(self, peers_die=False):
        self.peers_die = peers_die  # what libzmq then leaks is known (tests/lsan.supp)

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-"))
        self.sockets = self.dir / "run"
        self.sockets.mkdir(mode=0o700)
        self.store = self.dir / "broker.db"
        self.running = {}
        self.env = Daemon("", folder=self.dir, environment={"NO_COLOR": "1"}).environment
        self.known_leaks = {"LSAN_OPTIONS": f"suppressions={SOURCE}/tests/lsan.supp"} if self.peers_die else {}
        return self

    def __exit__(self, kind, *_):
        for daemon in self.running.values():
            daemon.kill()
        if kind and kind is not SystemExit:
            for log in sorted(self.dir.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, daemon, socket, name=None):
        self.running[name or daemon.program] = daemon.launch()
        daemon.await_answer(daemon.socket(socket))
        return daemon

    def broker(self, settings="", arguments=()):
        """Starts the broker and waits until it answers."""
        return self.start(Broker(self.dir, f"store: {self.store}\n{settings}", arguments), "fetch")

    def watcher(self, settings, name=None):
        """Starts the watcher, or another one of that name, and waits until it answers."""
        if name:
            settings = f"name: {name}\n{settings}"
        path = self.write(f"{name or 'watcher'}.yaml", f"state: {self.dir / (name or 'outbox')}\n{settings}")
        daemon = Daemon("tocsin-watcher", ["--config", path], self.dir, self.known_leaks)
        return self.start(daemon, f"{name}-intake" if name else "intake", name)

    def connect(self, socket, kind=zmq.DEALER):
        """A connection to "fetch" or "intake" ("NAME-intake" of another watcher)."""
        return Connection(f"ipc://{self.sockets}/{socket}.sock", kind)

    def stats(self, socket):
        """What STATS says; None while nobody answers."""
        with self.connect(socket) as connection:
            try:
                return connection.ask("STATS", reply="STATS")[0]
            except (TimeoutError, Refused):
                return None

    def alerts(self):
        """The whole history, by FETCH."""
        after, events = 0, []
        with self.connect("fetch", zmq.REQ) as connection:
            while True:
                header, frames = connection.ask("FETCH", {"after": after, "max_n": 500}, reply="BATCH")
                events += map(json.loads, frames)
                if header["next_after"] == after:
                    return events
                after = header["next_after"]

    def kill(self, name):
        self.running.pop(name).kill()

    def stop(self, name):
        """Ends a daemon as its service manager would; gives its exit status."""
        return self.running.pop(name).stop()

    def run(self, *command, status=0, stdin=None):
        """Runs one of our commands to its end and gives what it printed."""
        done = subprocess.run([binary(command[0]), *map(str, command[1:])], env=self.env, input=stdin,
                              text=True, capture_output=True, timeout=PATIENCE_S * 3, check=False,
                              cwd=self.dir)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout[-2000:]}\n"
                                 f"{done.stderr[-2000:]}")
        return done


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
            traceback.print_exc()
            print(f"FAILED  {name[5:].replace('_', ' ')}: {error}", flush=True)
    sys.exit(1 if failed else 0)
