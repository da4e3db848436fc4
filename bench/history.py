#!/usr/bin/python3
"""A broker on a long history: how soon it serves, and how long anything holds its loop.

    TOCSIN_BIN=build/release/bin bench/history.py [GIB [FOLDER]]

Makes a store of so many GiB (10) in FOLDER (a temporary one, removed at the end) and prints one line of
JSON for each measurement. Twice that room is needed, for the backup.
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TOCSIN_BIN", str(ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "tests/system"))

from house import Broker, binary, until  # noqa: E402
from wire import Connection, Watcher, article, definition, hit, item  # noqa: E402

WATCH = definition("bench/single")
HOUR_S = 3600


def say(what, **numbers):
    print(json.dumps({"what": what, **numbers}), flush=True)


def quantiles(values):
    values = sorted(values)
    return {f"p{q}_ms": round(values[min(len(values) - 1, len(values) * q // 100)] * 1e3, 2) for q in (50, 99)} | {
        "longest_ms": round(values[-1] * 1e3, 2), "n": len(values)}


def stats(broker):
    with Connection(broker.fetch) as connection:
        return connection.ask("STATS", reply="STATS")[0]


def forget(path):
    """Takes a file out of the page cache."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def start(broker):
    before = broker.log_text().count("event=broker.ready") if os.path.exists(broker.log) else 0
    begun = time.monotonic()
    broker.launch()
    until("the log", lambda: broker.log_text().count("event=broker.ready") > before)
    return time.monotonic() - begun


def puts(broker, seconds, name, until_done=None):
    """Times of single PUTs, one after the other, for so long."""
    times = []
    with Watcher(broker.fetch, name=name) as watcher:
        watcher.know(WATCH)
        number, end = 0, time.monotonic() + seconds
        while time.monotonic() < end and not (until_done and until_done()):
            record = article(f"{name}-{number}")
            number += 1
            frames = item(record, [hit(record, WATCH)])
            begun = time.monotonic()
            watcher.put(frames)
            times.append(time.monotonic() - begun)
    return times


def fetches(broker, rounds, **header):
    times = []
    with Connection(broker.fetch) as connection:
        after = header.pop("after")
        for _ in range(rounds):
            begun = time.monotonic()
            answer, _ = connection.ask("FETCH", {"after": after, "max_n": 500, **header}, reply="BATCH")
            times.append(time.monotonic() - begun)
            after = answer["next_after"]
    return times


def fresh(broker):
    """A start, so that loop_longest_us is of what follows."""
    broker.stop()
    broker.launch()
    broker.await_answer(broker.fetch)


def measure(broker, gib):
    made = json.loads(subprocess.run([binary("bench-history"), broker.store, str(gib)], check=True,
                                     capture_output=True, text=True).stdout)
    say("made", **made)
    for cache in ("cold", "warm"):
        if cache == "cold":
            forget(broker.store)
        say("start", cache=cache, seconds=round(start(broker), 3))
        assert broker.stop() == 0
    broker.launch()
    broker.await_answer(broker.fetch)
    head = stats(broker)["head"]
    say("fetch", where="earliest", **quantiles(fetches(broker, 200, after=0)))
    say("fetch", where="the middle", **quantiles(fetches(broker, 200, after=head // 2)))
    say("fetch", where="one topic", **quantiles(fetches(broker, 100, after=0, filters=["bench/watch-7/high/"])))
    say("fetch", where="a label that nothing has", **quantiles(fetches(broker, 300, after=0, filters=["label.desk=x"])))
    say("loop while fetching", longest_us=stats(broker)["loop_longest_us"])
    fresh(broker)
    say("put", beside="nothing", **quantiles(puts(broker, 20, "alone")), loop_longest_us=stats(broker)["loop_longest_us"])
    backup(broker)
    retention(broker, head)


def backup(broker):
    copy = os.path.join(os.path.dirname(broker.store), "copy.db")
    fresh(broker)
    log, wal, done = broker.store + "-wal", [], threading.Event()
    begun = time.monotonic()
    with Connection(broker.fetch) as connection:
        connection.ask("BACKUP", {"file": copy}, reply="BACKUP")
    copied = []

    def over():
        if len(wal) % 200 == 0:
            with Connection(broker.fetch) as connection:
                state = connection.ask("BACKUP", reply="BACKUP")[0]["state"]
            if state != "copying" and not copied:
                copied.append(time.monotonic() - begun)
            if state in ("done", "failed"):
                done.set()
        wal.append(os.path.getsize(log))
        return done.is_set()

    times = quantiles(puts(broker, 3600, "backup", over))
    with Connection(broker.fetch) as connection:
        state = connection.ask("BACKUP", reply="BACKUP")[0]
    say("put", beside="a backup", **times, loop_longest_us=stats(broker)["loop_longest_us"], state=state["state"],
        copied_s=round(copied[0], 1), seconds=round(time.monotonic() - begun, 1), log_most_bytes=max(wal))
    begun = time.monotonic()
    subprocess.run([binary("tocsin"), "verify", "--quick", copy], stdout=subprocess.DEVNULL, check=False)
    say("verify --quick", seconds=round(time.monotonic() - begun, 1))
    os.unlink(copy)


def retention(broker, head):
    """Half of it gets old at once."""
    assert broker.stop() == 0
    now = int(time.time()) // HOUR_S
    with sqlite3.connect(broker.store) as db:
        db.execute("DELETE FROM hour")
        db.execute("INSERT INTO hour VALUES(?, ?, ?)", (now - 60, head // 2, head // 2))
    db.close()
    with open(broker.arguments[-1], "a", encoding="utf-8") as file:
        file.write("retain: 48h\n")
    broker.launch()
    broker.await_answer(broker.fetch)
    begun, first = time.monotonic(), stats(broker)["first"]
    times = puts(broker, 30, "retain")
    said = stats(broker)
    rate = (said["first"] - first) / (time.monotonic() - begun)
    say("put", beside="retention", **quantiles(times), loop_longest_us=said["loop_longest_us"],
        removed_alerts_per_s=round(rate))
    broker.stop()


def main():
    gib = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    folder = tempfile.mkdtemp(prefix="tocsin-history-", dir=sys.argv[2] if len(sys.argv) > 2 else None)
    store = os.path.join(folder, "broker.db")
    try:
        with Broker(settings=f"store: {store}\n") as broker:
            broker.store = store
            measure(broker, gib)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
