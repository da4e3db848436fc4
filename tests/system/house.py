"""The real programs in a folder of their own, for the tests of the whole.

    with House() as house:
        house.broker()
        house.watcher("watches: [w.yaml]\n")
        house.run("tocsin", "publish", path)

Everything a house starts ends with it. Waiting is for an event (a daemon that answers, a row that
is there), with a bound that only a broken program reaches.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import zmq

BIN = pathlib.Path(os.environ["TOCSIN_BIN"])
SOURCE = pathlib.Path(os.environ["TOCSIN_SOURCE"])
SHARED = SOURCE / ".." / "shared"
PATIENCE_S = 60
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    raise SystemExit(SKIPPED)


def until(what, check, patience_s=PATIENCE_S):
    """Calls `check` until it gives something true, and gives that. A daemon that died ends the wait."""
    end = time.monotonic() + patience_s
    while True:
        got = check()
        if got:
            return got
        for process in House.living:
            if process.poll() is not None:
                raise AssertionError(f"{process.args[0]} ended with {process.returncode} while a test waited for {what}")
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(0.02)  # between two looks; the look decides


class House:
    living = []  # daemons that nobody has stopped yet

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-"))
        self.sockets = self.dir / "run"
        self.sockets.mkdir(mode=0o700)
        self.env = dict(os.environ, TOCSIN_RUNTIME_DIR=str(self.sockets), XDG_STATE_HOME=str(self.dir / "state"),
                        XDG_CONFIG_HOME=str(self.dir / "none"), NO_COLOR="1")
        self.store = self.dir / "broker.db"
        self.context = zmq.Context()
        self.running = {}
        return self

    def __exit__(self, kind, value, trace):
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.context.destroy(linger=0)
        if kind and kind is not SystemExit:
            for log in sorted(self.dir.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, name, *arguments):
        """Starts a daemon; its words go to NAME.log. Does not wait."""
        with open(self.dir / f"{name}.log", "ab") as log:
            process = subprocess.Popen([BIN / name, *map(str, arguments)], env=self.env, stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, cwd=self.dir)
        self.running[name] = process
        House.living.append(process)
        return process

    def broker(self, settings=""):
        """Starts the broker and waits until it answers."""
        self.write("broker.yaml", f"store: {self.store}\n{settings}")
        process = self.start("tocsin-broker", "--config", self.dir / "broker.yaml")
        until("the broker", lambda: self.answers("fetch.sock", process))
        return process

    def watcher(self, settings):
        """Starts the watcher and waits until it answers."""
        self.write("watcher.yaml", f"state: {self.dir / 'outbox'}\n{settings}")
        process = self.start("tocsin-watcher", "--config", self.dir / "watcher.yaml")
        until("the watcher", lambda: self.answers("intake.sock", process))
        return process

    def answers(self, socket, process):
        if process.poll() is not None:
            raise AssertionError(f"{process.args[0]} ended with {process.returncode}")
        return (self.sockets / socket).exists() and self.ask(socket, "STATS", timeout_ms=500)

    def ask(self, socket, command, header=None, payload=(), timeout_ms=10_000):
        """One request on a socket of its own; gives (reply, header, payload), None without an answer."""
        with self.context.socket(zmq.REQ) as peer:
            peer.linger = 0
            peer.connect(f"ipc://{self.sockets / socket}")
            peer.send_multipart([b"T1", command.encode(), json.dumps(header or {"rid": 1}).encode(), *payload])
            if not peer.poll(timeout_ms):
                return None
            version, reply, answer, *frames = peer.recv_multipart()
            assert version == b"T1", version
            return reply.decode(), json.loads(answer), frames

    def stats(self, socket):
        answer = self.ask(socket, "STATS")
        return answer[1] if answer else None

    def alerts(self):
        """The whole history, by FETCH."""
        after, events = 0, []
        while True:
            reply, header, frames = self.ask("fetch.sock", "FETCH", {"rid": 1, "after": after, "max_n": 500})
            assert reply == "BATCH", (reply, header)
            events += map(json.loads, frames)
            if header["next_after"] == after:
                return events
            after = header["next_after"]

    def let_go(self, name):
        process = self.running.pop(name)
        House.living.remove(process)
        return process

    def kill(self, name):
        process = self.let_go(name)
        process.kill()
        process.wait()

    def stop(self, name):
        """Ends a daemon as its service manager would; gives its exit status."""
        process = self.let_go(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE_S)

    def run(self, *command, status=0, stdin=None):
        """Runs one of our commands to its end and gives what it printed."""
        done = subprocess.run([BIN / command[0], *map(str, command[1:])], env=self.env, input=stdin, text=True,
                              capture_output=True, timeout=PATIENCE_S * 3, check=False, cwd=self.dir)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done
