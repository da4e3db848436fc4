"""The oracle must be able to fail: it names each kind of damage done to a good store."""
import shutil
import sqlite3

from house import House, until
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


def main():
    with House() as house:
        house.write("probe.yaml", WATCH)
        house.broker()
        house.watcher("watches: [probe.yaml]\n")
        articles = "".join(f'{{"id": "a{n}", "title": "t", "text": "A bell rings {n}."}}\n' for n in range(3))
        house.run("tocsin", "publish", house.write("articles.jsonl", articles))
        until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0)
        house.stop("tocsin-watcher")
        house.stop("tocsin-broker")
        expected = [f"probe/bell\ta{n}\t0" for n in range(3)]
        assert judge(house.store, expected) == [], judge(house.store, expected)
        assert any("1 hits missing" in s for s in judge(house.store, [*expected, "probe/bell\ta9\t0"]))
        assert any("1 hits not expected" in s for s in judge(house.store, expected[:2]))
        with sqlite3.connect(house.store) as db:
            lines = [body for body, in db.execute("SELECT body FROM alert ORDER BY seq")]
        db.close()
        assert judge(house.store, expected, (lines,)) == [], judge(house.store, expected, (lines,))
        again = [lines[0], lines[1], b'{"torn', lines[0], lines[1], lines[2]]
        assert judge(house.store, expected, (again, "probe/bell/", [("desk", "night")])) == []
        for wrong, sentence in ((lines[:2], "1 alerts never came, such as 3"), ([lines[1], lines[0], lines[2]], "behind a later one"),
                                ([*lines[:2], lines[2].replace(b"rings", b"sings")], "line 3 is not what alert 3 says")):
            found = judge(house.store, expected, (wrong,))
            assert len(found) >= 1 and sentence in " ".join(found), (sentence, found)
            print(f"found   {sentence}")
        assert "leaves out" in judge(house.store, expected, (lines, "probe/gong/"))[0]
        for sql, sentence in DAMAGE:
            copy = house.dir / "copy.db"
            shutil.copy(house.store, copy)
            with sqlite3.connect(copy) as db:
                db.execute(sql)
            db.close()
            found = judge(copy)
            assert any(s.startswith(sentence) for s in found), (sql, found)
            print(f"found   {sentence}")


if __name__ == "__main__":
    main()
