"""The real programs on a disk that fails: the n-th write, sync, open or read of a database ends with an error, or the
disk is full, once or from then on.

Whatever was acknowledged must be there afterwards. A disk that fails ends the program with status 74; one that is
full is waited for. FAILING_PLACES (default 1) places of each kind are tried, at random: FAILING_SEED repeats them.
tests/fault/failing_test.c tries every place, without the programs around the databases.
"""
import os
import random
import sqlite3

from house import PATIENCE_S, Broker, Daemon, House, run_tests, skip, until
from oracle import judge
from wire import Watcher, article, definition, hit, item

LIBRARY = os.path.join(os.environ.get("TOCSIN_BUILD", "build/dev"), "bin", "libtocsin_disk.so")
BODY = definition("news/one")
BATCHES, TAKEN = 12, 100  # operations of a kind that so much work has at least
WAYS = (("write", "error", ""), ("write", "full", ""), ("write", "full", "lasting"), ("sync", "error", ""),
        ("read", "error", ""))
IO = 74


def failing(folder, operation, nth, result, lasting):
    if not os.path.exists(LIBRARY):
        skip(f"{LIBRARY} is not built")
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": LIBRARY, "TOCSIN_DISK": f"{folder} {operation} {nth} {result} {lasting}",
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}


def places():
    seed = int(os.environ.get("FAILING_SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)
    print(f"FAILING_SEED={seed}")
    for operation, result, lasting in WAYS:
        most = TAKEN if operation == "write" else 12
        for nth in chance.sample(range(1, most), int(os.environ.get("FAILING_PLACES") or 1)):
            yield operation, nth, result, lasting


def put_until_the_end(broker):
    """Batches of one article until the broker ends, or has taken them all. Gives the articles it acknowledged."""
    acked = []
    until("the broker, or its end", lambda: broker.process.poll() is not None or "event=broker.ready" in broker.log_text())
    try:
        with Watcher(broker.fetch) as watcher:
            watcher.know(BODY)
            for number in range(BATCHES):
                record = article(number)
                watcher.batch = number + 1
                watcher.send("WATCH", {"session": watcher.session, "n": 1}, [BODY])
                watcher.send("PUT", {"session": watcher.session, "batch": number + 1, "n": 1}, item(record, [hit(record, BODY)]))
                reply, header = "", {}
                while reply not in ("ACK", "NAK"):
                    if broker.process.poll() is not None:
                        return acked
                    if watcher.socket.poll(50):
                        reply, header, _ = watcher.receive()
                        if reply == "ERR":  # WATCH, on a full disk
                            assert header["code"] == "disk", header
                if reply == "ACK":
                    acked.append(record["id"])
                else:
                    assert header["reason"] in ("disk", "batch", "watch"), header
    except TimeoutError:
        assert broker.process.poll() is not None, "the broker lives, but does not answer"
    return acked


def test_a_broker_promises_nothing_that_its_disk_did_not_take():
    fell, told = 0, 0
    for operation, nth, result, lasting in places():
        with Broker() as broker:
            what = f"{operation} {nth} {result} {lasting}"
            broker.launch(**failing(os.path.dirname(broker.store), operation, nth, result, lasting))
            Daemon.living.remove(broker)  # it may end
            acked = put_until_the_end(broker)
            status = broker.stop()
            assert status in (0, IO), f"{what}: status {status}\n{broker.log_text()[-2000:]}"
            fell += status == IO
            told += "level=error" in broker.log_text() or "event=store.full" in broker.log_text()
            broker.start()
            with sqlite3.connect(f"file:{broker.store}?mode=ro", uri=True) as db:
                stored = {id_ for id_, in db.execute("SELECT article FROM hit")}
            assert set(acked) <= stored, f"{what}: {set(acked) - stored} were acknowledged and are not stored"
            assert broker.stop() == 0
            broken = judge(broker.store)
            assert not broken, f"{what}: {broken}"
            print(f"{what}: {len(acked)} acknowledged, status {status}")
    assert fell and told, "nothing failed: this proved nothing"


WATCH = ("tocsin: 1\nnamespace: probe\nwatches:\n  - name: bell\n    match: bell\n"
         "    tests: [{text: bell, expect: hit}, {text: none, expect: none}]\n")


def submit_until_the_end(house, watcher):
    """Articles one after the other until the watcher ends or has answered all. Gives those it accepted."""
    accepted = []
    try:
        with house.connect("intake") as intake:
            for number in range(BATCHES):
                intake.send("ARTICLE", {"article": {"id": f"a{number}", "title": "t", "text": f"A bell rings {number}."}})
                while not intake.socket.poll(50):
                    if watcher.process.poll() is not None:
                        return accepted
                reply, header, _ = intake.receive()
                if reply == "ACCEPTED":
                    accepted.append(f"a{number}")
                else:
                    assert reply == "BUSY", (reply, header)
    except TimeoutError:
        pass
    return accepted


def test_a_watcher_accepts_nothing_that_its_disk_did_not_take():
    fell = 0
    for operation, nth, result, lasting in places():
        if lasting:
            continue  # it waits for room and answers nobody: tests/watcher/watcher_test.py
        with House() as house:
            what = f"{operation} {nth} {result}"
            house.write("probe.yaml", WATCH)
            house.broker()
            path = house.write("watcher.yaml", f"state: {house.dir / 'outbox'}\nwatches: [probe.yaml]\n")
            watcher = Daemon("tocsin-watcher", ["--config", path], house.dir, house.known_leaks)
            watcher.launch(**failing(house.dir / "outbox", operation, nth, result, lasting))
            Daemon.living.remove(watcher)  # it may end
            accepted = submit_until_the_end(house, watcher)
            status = watcher.stop()
            assert status in (0, IO), f"{what}: status {status}\n{watcher.log_text()[-2000:]}"
            fell += status == IO
            house.watcher("watches: [probe.yaml]\n")
            until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0, patience_s=PATIENCE_S)
            stored = {event["data"]["article"]["id"] for event in house.alerts()}
            assert set(accepted) <= stored, f"{what}: {set(accepted) - stored} were accepted and are lost"
            print(f"{what}: {len(accepted)} accepted, status {status}")
    assert fell, "nothing failed: this proved nothing"


if __name__ == "__main__":
    run_tests(globals())
