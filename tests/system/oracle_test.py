"""The oracle must be able to fail: it names each kind of damage done to a good store."""
import json
import shutil
import sqlite3

from house import Daemon, House, run_tests, until
from oracle import judge

WATCH = "tocsin: 1\nnamespace: probe\nwatches:\n  - {name: bell, match: bell, labels: {desk: night}, tests: [{text: bell, expect: hit}]}\n"

DAMAGE = [
    ("DELETE FROM alert WHERE seq = 2", "alerts: 2 rows, first 1, last 3, holes [2]"),
    ("DELETE FROM hit WHERE hseq = 1", "hits: 2 rows, first 1, last 3, holes [1]"),
    ("DELETE FROM alert WHERE seq = 3", "alerts: 2 rows, first 1, last 3, holes [3]"),
    ("INSERT INTO seen SELECT 0, id, crc FROM hit WHERE hseq = 2", "hit ids: 1 appear more than once"),
    ("UPDATE alert SET body = CAST(replace(CAST(body AS TEXT), 'bell', 'ball') AS BLOB) WHERE seq = 1", "alert 1: wrong checksum"),
    ("UPDATE hit SET segment = 7 WHERE hseq = 3", "hit 3: wrong checksum"),
    ("UPDATE alert SET hseq = 1 WHERE seq = 2", "hits that cause an alert: 1 appear more than once"),
]


def publish(house, *numbers):
    articles = "".join(f'{{"id": "a{n}", "title": "t", "text": "A bell rings {n}."}}\n' for n in numbers)
    house.run("tocsin", "publish", house.write("articles.jsonl", articles))
    until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0)


def stop(house):
    house.stop("tocsin-watcher")
    house.stop("tocsin-broker")


def test_damage_of_every_kind_is_named():
    with House() as house:
        house.write("probe.yaml", WATCH)
        house.broker()
        house.watcher("watches: [probe.yaml]\n")
        publish(house, 0, 1, 2)
        events = [json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() for event in house.alerts()]
        stop(house)
        expected = [f"probe/bell\ta{n}\t0" for n in range(3)]
        lines = [event + b"\n" for event in events]
        live = [("probe/bell/info/", event) for event in events]
        outboxes = [house.dir / "outbox" / "outbox.db"]
        good = judge(house.store, expected, outboxes, [("", [lines]), ("other/", [])], live)
        assert good == [], good
        assert any("1 hits missing" in s for s in judge(house.store, [*expected, "probe/bell\ta9\t0"]))
        assert any("1 hits not expected" in s for s in judge(house.store, expected[:2]))
        with sqlite3.connect(house.store) as db:
            bodies = [body for body, in db.execute("SELECT body FROM alert ORDER BY seq")]
        db.close()
        good = judge(house.store, expected, delivered=(bodies,))
        assert good == [], good
        again = [bodies[0], bodies[1], b'{"torn', bodies[0], bodies[1], bodies[2]]
        assert judge(house.store, expected, delivered=(again, "probe/bell/", [("desk", "night")])) == []
        for wrong, sentence in ((bodies[:2], "1 alerts never came, such as 3"), ([bodies[1], bodies[0], bodies[2]], "behind a later one"),
                                ([*bodies[:2], bodies[2].replace(b"rings", b"sings")], "line 3 is not what alert 3 says")):
            found = judge(house.store, expected, delivered=(wrong,))
            assert len(found) >= 1 and sentence in " ".join(found), (sentence, found)
            print(f"found   {sentence}")
        assert "leaves out" in judge(house.store, expected, delivered=(bodies, "probe/gong/"))[0]
        for sql, sentence in DAMAGE:
            copy = house.dir / "copy.db"
            shutil.copy(house.store, copy)
            with sqlite3.connect(copy) as db:
                db.execute(sql)
            db.close()
            found = judge(copy)
            assert any(s.startswith(sentence) for s in found), (sql, found)
            print(f"found   {sentence}")
        for runs, sentence in (
                ([lines[:2]], "ends with 2, the history with 3"),
                ([lines[:1], lines[2:]], "was given 3 after 1"),
                ([lines[:1], lines[:1], lines[2:]], "was given 3 after 1"),
                ([lines[:1] + lines[:1] + lines[1:]], "was given 1 after 1"),
                ([[lines[0].replace(b"bell", b"ball"), *lines[1:]]], "was given 1, which is stored otherwise")):
            found = judge(house.store, consumed=[("", runs)])
            assert any(sentence in s for s in found), (sentence, found)
        for runs in ([lines[:2] + [lines[2][:9]], lines[2:]], [lines[:2], [], lines[1:]]):  # torn; given again
            assert judge(house.store, consumed=[("", runs)]) == []
        assert any("live, but not stored" in s for s in judge(house.store, live=[("probe/bell/high/", events[0])]))


def test_a_broker_that_acknowledges_what_it_did_not_store_is_found():
    with House() as house:
        house.write("probe.yaml", WATCH)
        path = house.write("broker.yaml", f"store: {house.store}\n")
        liar = Daemon("tocsin-broker", ["--config", path], house.dir, {"TOCSIN_FAULT": "store.forgets:4"})
        house.start(liar, "fetch")
        house.watcher("watches: [probe.yaml]\n")
        for number in range(8):
            publish(house, number)
        stop(house)
        found = judge(house.store, outboxes=[house.dir / "outbox" / "outbox.db"])
        assert any("of 8 acknowledged hits are not stored" in s for s in found), found


if __name__ == "__main__":
    run_tests(globals())
