"""The broker's store over years, breakdowns and repairs, with the real programs.

Time is moved by moving what the store has noted of it: for the broker that is the same as a clock that
went on.
"""
import sqlite3
import time

from house import Broker, run_tests, until
from oracle import judge
from wire import Connection, Watcher, article, definition, hit, item

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
    with Connection(broker.fetch) as connection:
        return connection.ask("FETCH", {"after": after, "max_n": 500, **header}, reply="BATCH")


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
        batch, frames = fetch(broker)
        assert batch["gap"] == {"from": 1, "to": 5, "count": 5} and len(frames) == 16, batch
        assert broker.stop() == 0
        assert judge(broker.store) == [], judge(broker.store)
        grow_old(broker, 80)
        broker.start()
        until("the rest to go", lambda: stats(broker)["first"] == 22)
        batch, frames = fetch(broker)
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


if __name__ == "__main__":
    run_tests(globals())
