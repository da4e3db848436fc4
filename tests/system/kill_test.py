"""kill -9 of the watcher and of the broker, ten times each, while 9,603 articles go through.

Afterwards every hit is stored once and the sequence has no hole (oracle.py); what the hits must be
is said by `tocsin match` on the same articles. Moments are random, counted in articles that are
safe; the seed is printed (KILL_SEED repeats it).
"""
import collections
import gzip
import json
import os
import random
import re
import sqlite3

from house import SHARED, House, skip, until
from oracle import judge

CORPUS = SHARED / "corpus" / "reuters" / "train.jsonl.gz"
WATCHES = 200
KILLS = 10


def words_of(text):
    return re.findall(r"[a-z]{4,}", text.lower())


def make_watches(chance):
    """Watches of words, pairs, phrases and proximity over words that are neither rare nor everywhere."""
    documents = []
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        documents = [words_of(json.loads(line)["text"]) for line in lines]
    spread = collections.Counter(word for words in documents for word in set(words))
    usable = sorted(word for word, n in spread.items() if 20 <= n <= 900)
    long_enough = [words for words in documents if len(words) > 20]
    for number in range(WATCHES):
        one, two, three = chance.sample(usable, 3)
        words = chance.choice(long_enough)
        at = chance.randrange(len(words) - 2)
        query = (f"{one} OR {two}", f"({one} OR {two}) AND {three}*", f'"{words[at]} {words[at + 1]}"',
                 f"{words[at]} NEAR/6 {words[at + 2]}", f"{one} NOT {two}")[number % 5]
        yield json.dumps({"namespace": "wire", "name": f"watch-{number}", "match": query})


def main():
    if not CORPUS.exists():
        skip("the articles are not beside the checkout (../shared/corpus)")
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1 << 32))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    with House(peers_die=True) as house:
        watches = house.write("wire.jsonl", "\n".join(make_watches(chance)) + "\n")
        expected = house.run("tocsin", "match", "-w", watches, "--count", CORPUS).stdout.splitlines()
        assert len(expected) > 1000, f"only {len(expected)} hits: these watches prove nothing"
        articles = sum(1 for _ in gzip.open(CORPUS))
        settings = f"watches: [{watches}]\nsources:\n  - lines: {CORPUS}\n  - socket: default\n"

        house.broker()
        house.watcher(settings)
        victims = ["tocsin-watcher"] * KILLS + ["tocsin-broker"] * KILLS
        chance.shuffle(victims)
        moments = sorted(chance.sample(range(50, articles - 50), len(victims)))
        for victim, moment in zip(victims, moments):
            until(f"{moment} articles", lambda at=moment: marks(house) >= at, patience_s=120)
            house.kill(victim)
            if victim == "tocsin-broker":
                house.broker()
            else:
                house.watcher(settings)

        until("the last article", lambda: marks(house) == articles, patience_s=120)
        until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0, patience_s=120)
        assert house.stop("tocsin-watcher") == 0
        assert house.stop("tocsin-broker") == 0
        broken = judge(house.store, expected)
        assert not broken, "\n".join(broken)
        print(f"{articles} articles, {len(expected)} hits, {len(victims)} kills at {moments}: each hit once, no hole")


def marks(house):
    """How many articles are safe on the watcher's disk."""
    path = house.dir / "outbox" / "outbox.db"
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
            return db.execute("SELECT count(*) FROM mark").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not made yet


if __name__ == "__main__":
    main()
