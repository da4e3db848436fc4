#!/usr/bin/env python3
"""A changed watch file: how long until it is in force, and what articles feel of it.

  bench/reload.py WATCHES.jsonl ARTICLES.jsonl [CHANGED]

Starts a real watcher (no broker, state in memory where there is a RAM disk) on the watches, once as .jsonl and
once as .yaml, and sends it articles one after the other, all the time. Then, ROUNDS times, a program
replaces CHANGED (1000) of the watches and adds one for a word that was never there, by writing another file
and renaming it over the first. Printed are

  start     CPU and wall seconds until the watcher is ready
  force     from the rename until an article is matched by the added watch, best and worst of the rounds
  longest   the longest wait of an article for its answer from the rename until the merge behind it is
            done, and without any change in between, as the wall clock sees it, neighbours included
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
    """Articles without end; notes when each was sent and how long its answer took."""

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
                text = probe if probe else self.articles[number % len(self.articles)]
                begun = time.monotonic()
                intake.send("ARTICLE", {"article": {"id": f"a{number}", "text": text}})
                header = intake.receive()[1]
                self.waits.append((begun, time.monotonic() - begun))
                if probe and header["hits"]:
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
        watch["match"] = {"any": [watch["match"], f"qu{round_number}x{at}"]}
        lines[at] = json.dumps(watch) + "\n"
    lines.append(json.dumps({"name": f"added-{round_number}", "match": word}) + "\n")
    return word


def measure(kind, watches, articles, changed):
    ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=ram))
    lines, form = list(watches), as_yaml if kind == "yaml" else as_lines
    path = folder / f"bench.{kind}"
    os.rename(write(path, form(lines)), path)
    (folder / "watcher.yaml").write_text(
        f"state: state\nwatches: [{path.name}]\nbroker: none\nwatch_files: true\nlog: info\n", encoding="utf-8")
    watcher = Watcher(folder)
    begun = time.monotonic()
    watcher.launch()
    until("the start", lambda: watcher.count("watcher.ready"), READY_S)
    wall, cpu, rss = time.monotonic() - begun, watcher.cpu_s(), watcher.memory_mb("VmRSS")
    stream = Stream(watcher, articles)
    stream.start()
    until("counted frequencies", lambda: watcher.count("watches.merged"), READY_S)
    since = time.monotonic()
    time.sleep(QUIET_S)
    quiet, end = stream.longest_ms(since), None
    forces, longest = [], []
    for number in range(ROUNDS):
        word = change(lines, changed, number)
        fresh = write(path, form(lines))
        merges = watcher.count("watches.merged")
        stream.matched.clear()
        stream.probe = word
        time.sleep(0.05)  # the first probes find nothing
        since = time.monotonic()
        os.rename(fresh, path)
        assert stream.matched.wait(READY_S), "the added watch never matched"
        forces.append(time.monotonic() - since)
        until("a merge", lambda m=merges: watcher.count("watches.merged") > m, READY_S)
        end = time.monotonic()
        longest.append(stream.longest_ms(since, end))
    peak = watcher.memory_mb("VmHWM")
    stream.go = False
    stream.join()
    watcher.stop()
    if os.environ.get("BENCH_LOG"):
        print(watcher.log_text())
    shutil.rmtree(folder)
    print(f"{kind:5} {len(watches):8d} | start {cpu:6.2f} s CPU {wall:6.2f} s | force {min(forces):6.3f} to "
          f"{max(forces):6.3f} s | longest {max(longest):6.1f} ms, best round {min(longest):6.1f}, "
          f"no change {quiet:6.1f} | rss {rss:6.0f} MB, most {peak:6.0f}", flush=True)


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
