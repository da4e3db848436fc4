"""The broker's store over years, breakdowns and repairs, with the real programs.

Time is moved by moving what the store has noted of it: for the broker that is the same as a clock that
went on.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import threading
import time

from house import Broker, binary, run_tests, until
from oracle import judge
from wire import Connection, Refused, Watcher, article, definition, hit, item

WATCH = definition("news/one")
HOUR_S = 3600
YEARS_NS = 10 * 365 * 24 * HOUR_S * 10**9


def put(broker, *numbers, name="wire"):
    """One article with one hit for each number; the items of the ACK."""
    with Watcher(broker.fetch, name=name) as watcher:
        watcher.know(WATCH)
        return [watcher.put(item(record, [hit(record, WATCH)]))["items"][0]
                for record in map(article, numbers)]


def fetch(broker, after=0, **header):
    """The first answer's header, and all events behind `after`: an answer may end early."""
    with Connection(broker.fetch) as connection:
        answer, frames = first, events = connection.ask("FETCH", {"after": after, "max_n": 500, **header}, reply="BATCH")
        while answer["next_after"] < answer["head"]:
            answer, frames = connection.ask("FETCH", {"after": answer["next_after"], "max_n": 500}, reply="BATCH")
            events = events + frames
        return {**first, "next_after": answer["next_after"]}, events


def stats(broker):
    with Connection(broker.fetch) as connection:
        return connection.ask("STATS", reply="STATS")[0]


def change(broker, *statements):
    with sqlite3.connect(broker.store) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def grow_old(broker, hours):
    """As if `hours` had passed since everything in the store came."""
    now = int(time.time()) // HOUR_S
    change(broker, "DELETE FROM hour",
           f"INSERT INTO hour SELECT {now - hours}, head.value, hhead.value FROM meta head, meta hhead "
           "WHERE head.key = 'head' AND hhead.key = 'hhead'")


def test_what_retention_removes_is_a_gap_and_stays_a_duplicate():
    with Broker(settings="retain: 48h\nprotect_consumers: 24h\n") as broker:
        broker.start()
        put(broker, *range(20))
        with Connection(broker.fetch) as connection:
            connection.ask("ACK", {"consumer": "desk", "seq": 5}, reply="OK")
        assert broker.stop() == 0
        grow_old(broker, 60)  # older than 48 h, not than 72 h
        broker.start()
        until("what the consumer has read to go", lambda: stats(broker)["first"] == 6)
        put(broker, 20)
        batch, frames = fetch(broker, after=0, allow_gap=True)
        assert batch["gap"] == {"from": 1, "to": 5, "count": 5} and len(frames) == 16, batch
        assert broker.stop() == 0
        assert judge(broker.store) == [], judge(broker.store)
        grow_old(broker, 80)
        broker.start()
        until("the rest to go", lambda: stats(broker)["first"] == 22)
        batch, frames = fetch(broker, after=0, allow_gap=True)
        assert batch["gap"] == {"from": 1, "to": 21, "count": 21} and not frames, batch
        assert stats(broker)["consumers"][0]["gap"] == 16
        assert [(i["stored"], i["duplicate"]) for i in put(broker, 3, 20, 21)] == [(0, 1), (0, 1), (1, 0)]
        batch, frames = fetch(broker, after=21)
        assert "gap" not in batch and len(frames) == 1 and batch["next_after"] == 22, batch
        assert broker.stop() == 0
        assert judge(broker.store) == [], judge(broker.store)


def test_a_clock_that_jumps_ten_years_removes_nothing():
    with Broker(settings="retain: 48h\n") as broker:
        broker.start()
        put(broker, *range(5))
        assert broker.stop() == 0
        change(broker, f"UPDATE meta SET value = value - {YEARS_NS} WHERE key IN ('clock', 'wall')",
               f"UPDATE hour SET hour = hour - {YEARS_NS // 10**9 // HOUR_S}")
        broker.start()
        said = until("a warning", lambda: "retain.clock" in broker.log_text() and stats(broker))
        assert said["clock_doubted"] and abs(said["clock_off_seconds"] - YEARS_NS / 1e9) < HOUR_S, said
        assert said["first"] == 1 and len(fetch(broker)[1]) == 5
        assert broker.stop() == 0
        broker.arguments.append("--trust-clock")
        broker.start()
        said = until("the clock to be believed", lambda: stats(broker))
        assert not said["clock_doubted"], said


def tocsin(broker, *words, status=0):
    done = subprocess.run([binary("tocsin"), *words], env=broker.environment, capture_output=True, text=True,
                          check=False, cwd=broker.folder)
    assert done.returncode == status, (words, done)
    return done.stdout


def verified(path):
    done = subprocess.run([binary("tocsin"), "verify", "--json", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def overwrite(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def test_a_backup_under_load_is_whole_and_begins_a_new_epoch_when_restored():
    with Broker() as broker:
        broker.start()
        put(broker, *range(300))
        enough, numbers = threading.Event(), iter(range(300, 100000))

        def load():
            while not enough.is_set():
                put(broker, *(next(numbers) for _ in range(20)), name="load")

        loader = threading.Thread(target=load)
        loader.start()
        try:
            path = os.path.join(broker.folder, "copy.db")
            assert "verified" in tocsin(broker, "backup", "copy.db")
        finally:
            enough.set()
            loader.join()
        assert "nothing is wrong" in tocsin(broker, "verify", broker.store)  # while the broker runs
        epoch, head = (stats(broker)[key] for key in ("epoch", "head"))
        assert "there already" in subprocess.run([binary("tocsin"), "backup", path], env=broker.environment,
                                                 capture_output=True, text=True, check=False).stderr
        assert broker.stop() == 0
        copy = verified(path)
        assert 300 <= copy["head"] <= head and copy["pages"], (copy, head)
        shutil.move(path, broker.store)
        broker.start()
        said = stats(broker)
        assert said["epoch"] != epoch and said["head"] == copy["head"], said
        assert "event=store.restored" in broker.log_text()
        epoch = said["epoch"]
        assert broker.stop() == 0
        broker.start()
        assert stats(broker)["epoch"] == epoch
        assert broker.stop() == 0
        assert judge(broker.store) == [], judge(broker.store)


def damage_page(broker):
    """Overwrites a page of rows in the middle of the store."""
    pages = os.path.getsize(broker.store) // 4096
    with open(broker.store, "rb") as file:
        data = file.read()
    page = next(n for n in range(pages // 2, pages) if b"specversion" in data[n * 4096:(n + 1) * 4096])
    overwrite(broker.store, page * 4096, b"Z" * 4096)


def flip_log(broker):
    log = broker.store + "-wal"
    overwrite(log, os.path.getsize(log) * 6 // 10, b"ZZZZ")


def cut_file(broker):
    os.truncate(broker.store, os.path.getsize(broker.store) - 5 * 4096)


def test_a_damaged_store_is_refused_and_what_can_be_read_is_recovered():
    for damage, ends, refused in ((damage_page, "stop", False), (flip_log, "kill", True), (cut_file, "stop", True)):
        with Broker() as broker:
            broker.start()
            put(broker, *range(200))
            epoch = stats(broker)["epoch"]
            getattr(broker, ends)()
            damage(broker)
            status, said = broker.run_to_end() if refused else (74, "--accept-data-loss")
            assert status == 74 and "--accept-data-loss" in said, (damage, status, said)
            broker.arguments.append("--accept-data-loss")
            broker.start()
            said = stats(broker)
            assert said["epoch"] != epoch and "event=store.recovered" in broker.log_text(), said
            batch, frames = fetch(broker)
            assert 0 < len(frames) == said["head"] and not batch.get("damaged"), batch
            if damage is not flip_log:  # a page or two, not what lies behind it
                assert said["head"] > 150, said
            again = put(broker, *range(200), name="again")  # as a watcher does when it hears of the epoch
            assert sum(i["stored"] for i in again) > 0 and stats(broker)["head"] == 200, (damage, stats(broker))
            kept = [name for name in os.listdir(os.path.dirname(broker.store)) if ".damaged-" in name]
            assert kept, os.listdir(os.path.dirname(broker.store))
            assert broker.stop() == 0
            assert judge(broker.store) == [], judge(broker.store)
            broker.start()  # the flag stays in a unit: nothing happens any more
            assert "event=store.whole" in broker.log_text()
            assert broker.stop() == 0


def fill(folder, leave):
    """A file that leaves so many bytes on the disk."""
    path = os.path.join(folder, "filler")
    room = os.statvfs(folder)
    size = room.f_bavail * room.f_frsize - leave
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    return path


def test_a_disk_that_gets_full_stops_hits_and_nothing_else_until_there_is_room():
    with Broker() as broker:
        disk = os.path.join(broker.folder, "disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", disk], capture_output=True,
                                 check=False).returncode == 0
        if not mounted:
            print("        (no right to mount: not tried)")
            return
        try:
            full_disk(broker, disk)
        finally:
            broker.kill()
            subprocess.run(["umount", disk], check=True)


def refused(broker, number):
    try:
        put(broker, number)
    except Refused as reason:
        return reason.header["code"] == "NAK" and reason.header["reason"] == "disk"
    return False


def full_disk(broker, disk):
    broker.store = os.path.join(disk, "broker.db")
    settings = os.path.join(broker.folder, "settings.yaml")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(f"store: {broker.store}\ndisk_reserve: 24MiB\nretain: 48h\nhttp: 127.0.0.1:0\n")
    broker.arguments += ["--config", settings]
    broker.start()
    put(broker, *range(50))
    assert os.path.getsize(broker.store + ".ballast") == 24 << 20
    for leave in (6 << 20, 0):
        filler = fill(disk, leave)
        if leave:
            until("the broker to see it", lambda: stats(broker)["read_only"])
        assert refused(broker, 1000)
        until("the reserve to be given up", lambda: stats(broker)["read_only"])
        assert not os.path.exists(broker.store + ".ballast")
        assert len(fetch(broker)[1]) == stats(broker)["head"]
        with Connection(broker.fetch) as connection:  # small things go on
            connection.ask("ACK", {"consumer": "desk", "seq": 3}, reply="OK")
        assert broker.page("/readyz")[0] == 503 and "\ntocsin_broker_read_only 1\n" in broker.page("/metrics")[1]
        os.unlink(filler)
        until("the broker to take hits again", lambda: not stats(broker)["read_only"])
        put(broker, 2000 + leave)
        assert os.path.exists(broker.store + ".ballast")
    # Full, and old enough: what retention removes makes room inside the file, though the disk has none.
    head = stats(broker)["head"]
    assert broker.stop() == 0
    grow_old(broker, 60 + 8 * 24)
    filler = fill(disk, 0)
    broker.start()
    until("what is old to go", lambda: stats(broker)["first"] == head + 1)
    os.unlink(filler)
    until("the broker to take hits again", lambda: not stats(broker)["read_only"])
    put(broker, 3000)
    assert broker.stop() == 0
    assert judge(broker.store) == [], judge(broker.store)


def test_a_store_on_a_network_file_system_is_refused_unless_it_is_wanted():
    with Broker(TOCSIN_FAULT="space.network") as broker:
        status, said = broker.run_to_end()
        assert status == 78 and "network_storage" in said, (status, said)
    with Broker(settings="network_storage: true\n", TOCSIN_FAULT="space.network") as broker:
        broker.start()


if __name__ == "__main__":
    run_tests(globals())
