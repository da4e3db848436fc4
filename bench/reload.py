#!/usr/bin/env python3
"""A changed watch file: how long until it is in force, and what articles feel of it.

  bench/reload.py WATCHES.jsonl ARTICLES.jsonl [CHANGED]

Starts a real watcher (no broker, state in memory where there is a RAM disk) on the watches, once as .jsonl and
once as .yaml, and sends it articles one after the other, all the time. Then, ROUNDS times, a program
replaces CHANGED (1000) of the watches and adds one for a word that was never there, by writing another file
and renaming it over the first. Printed are

  start     CPU and wall seconds until the watcher is ready
  force     from the rename until an article is matched by the added watch, best and worst of the rounds
  longest   the longest wait of an article without hits for its answer from the rename until the merge behind it
            is done, and without any change in between, as the wall clock sees it, neighbours included
  rss       memory of the process when it is ready, and the most it ever had
"""
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "system"))
from house import Daemon, until  # noqa: E402
from wire import Connection, zmq  # noqa: E402

ROUNDS = 5
GAP_S = 0.002  # between two articles
QUIET_S = 5
READY_S = 300


class Watcher(Daemon):
    def __init__(self, folder):
        super().__init__("tocsin-watcher", ["--config", f"{folder}/watcher.yaml"], folder=folder)

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="ascii")

    def cpu_s(self):
        fields = self.proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, key):
        return next(int(line.split()[1]) for line in self.proc("status").splitlines()
                    if line.startswith(key)) / 1024

    def count(self, event):
        return self.log_text().count(f"event={event}")


class Stream(threading.Thread):
    """Articles without end, every second one written backwards: those have hardly a hit, so that how long their
    answer takes is not how long it takes to write hits down. Notes that, and when they were sent."""

    def __init__(self, watcher, articles):
        super().__init__(daemon=True)
        self.endpoint, self.articles, self.waits, self.go = watcher.socket("intake"), articles, [], True
        self.probe, self.matched = None, threading.Event()

    def run(self):
        with Connection(self.endpoint, zmq.DEALER) as intake:
            number = 0
            while self.go:
                number += 1
                probe = self.probe
                article = self.articles[number // 2 % len(self.articles)]
                mirrored = number % 2 == 1
                text = probe if probe and mirrored else article[::-1] if mirrored else article
                begun = time.monotonic()
                intake.send("ARTICLE", {"article": {"id": f"a{number}", "text": text}})
                header = intake.receive()[1]
                if mirrored:
                    self.waits.append((begun, time.monotonic() - begun))
                if probe and mirrored and header["hits"]:
                    self.probe = None
                    self.matched.set()
                time.sleep(GAP_S)

    def longest_ms(self, since, end=None):
        return 1000 * max(wait for begun, wait in self.waits if begun >= since and begun < (end or 1e18))


def as_yaml(lines):
    yield "tocsin: 1\nnamespace: bench\nwatches:\n"
    for line in lines:
        watch = json.loads(line)
        yield f"  - name: {watch['name']}\n    match: {json.dumps(watch['match'])}\n"


def as_lines(lines):
    for line in lines:
        yield line if line.endswith("\n") else line + "\n"


def write(path, chunks):
    fresh = path.with_suffix(".new")
    with open(fresh, "w", encoding="utf-8") as out:
        out.writelines(chunks)
    return fresh


def change(lines, changed, round_number):
    """The file's next lines: some with another word in them, and one more."""
    word = f"zyzzyva{round_number}"
    for at in random.Random(round_number).sample(range(len(lines)), min(changed, len(lines))):
        watch = json.loads(lines[at])
        query = watch["match"] if isinstance(watch["match"], dict) else {"q": watch["match"]}
        watch["match"] = {"any": [query, f"qu{round_number}x{at}"]}
        lines[at] = json.dumps(watch) + "\n"
    lines.append(json.dumps({"name": f"added-{round_number}", "match": word}) + "\n")
    return word


class Bench:
    """One watcher on one file, from its start to its end."""

    def __init__(self, kind, watches, articles):
        ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=ram))
        self.kind, self.lines, self.form = kind, list(watches), as_yaml if kind == "yaml" else as_lines
        self.path = self.folder / f"bench.{kind}"
        self.watcher = Watcher(self.folder)
        self.stream = Stream(self.watcher, articles)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.go = False
        if self.stream.ident:
            self.stream.join(10)
        self.watcher.stop()
        shutil.rmtree(self.folder)

    def start(self):
        os.rename(write(self.path, self.form(self.lines)), self.path)
        (self.folder / "watcher.yaml").write_text(
            f"state: state\nwatches: [{self.path.name}]\nbroker: none\ntap: none\nwatch_files: true\n", encoding="utf-8")
        begun = time.monotonic()
        self.watcher.launch()
        until("the start", lambda: self.watcher.count("watcher.ready"), READY_S)
        return (f"start {self.watcher.cpu_s():6.2f} s CPU {time.monotonic() - begun:6.2f} s | "
                f"rss {self.watcher.memory_mb('VmRSS'):6.0f} MB")

    def rest(self):
        """The longest wait without any change, once words are counted."""
        self.stream.start()
        until("counted frequencies", lambda: self.watcher.count("watches.merged"), READY_S)
        since = time.monotonic()
        time.sleep(QUIET_S)
        return self.stream.longest_ms(since)

    def change(self, changed, number):
        """Seconds until the change is in force, and the longest wait until it is merged."""
        self.stream.matched.clear()
        self.stream.probe = change(self.lines, changed, number)
        fresh = write(self.path, self.form(self.lines))
        merges = self.watcher.count("watches.merged")
        since = time.monotonic()
        os.rename(fresh, self.path)
        assert self.stream.matched.wait(READY_S), "the added watch never matched"
        force = time.monotonic() - since
        until("a merge", lambda: self.watcher.count("watches.merged") > merges, READY_S)
        return force, self.stream.longest_ms(since, time.monotonic())


def measure(kind, watches, articles, changed):
    with Bench(kind, watches, articles) as bench:
        start, quiet = bench.start(), bench.rest()
        rounds = [bench.change(changed, number) for number in range(ROUNDS)]
        forces, waits = zip(*rounds)
        print(f"{kind:5} {len(watches):8d} | {start} | force {min(forces):6.3f} to {max(forces):6.3f} s | "
              f"longest {min(waits):6.1f} to {max(waits):6.1f} ms, no change {quiet:6.1f} | "
              f"most {bench.watcher.memory_mb('VmHWM'):6.0f} MB", flush=True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        watches = file.readlines()
    with open(sys.argv[2], encoding="utf-8") as file:
        articles = [article.get("text") or "-" for article in map(json.loads, file)]
    changed = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    for kind in ("jsonl", "yaml"):
        measure(kind, watches, articles, changed)


if __name__ == "__main__":
    main()
