"""kill -9 of a durable consumer, the broker and the watcher in random order while articles go through.

Afterwards the consumer has been given every alert that its filter lets through, in order, and the store is
as it must be (oracle.py). The consumer is `tocsin consume --json` appending to a file. Moments and victims are
random, counted in alerts; the seed is printed (KILL_SEED repeats it, KILL_ROUNDS has more kills).
"""
import json
import os
import random
import signal
import subprocess

from house import House, binary, until
from oracle import judge

WATCHES = """tocsin: 1
namespace: night
watches:
  - {name: bell, match: bell, labels: {desk: night}}
  - {name: gong, match: gong, labels: {desk: day}}
"""
ARTICLES_A_ROUND = 60


def articles(count):
    for number in range(count):
        words = ["Something happened"] + ["a bell rang"] * (number % 2) + ["a gong was heard"] * (number % 3 == 0)
        yield json.dumps({"id": f"a{number}", "title": f"Article {number}", "text": ", ".join(words) + f" ({number})."})


class Consumer:
    """`tocsin consume desk`, only what is labelled for the night."""

    def __init__(self, house):
        self.house, self.path, self.process = house, house.dir / "taken.jsonl", None

    def start(self):
        with open(self.path, "ab") as taken, open(self.house.dir / "consume.log", "ab") as log:
            self.process = subprocess.Popen([binary("tocsin"), "consume", "desk", "--json", "--label", "desk=night"],
                                            env=self.house.env, stdin=subprocess.DEVNULL, stdout=taken, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lines(self):
        return self.path.read_bytes().splitlines(keepends=True)


def stored(house):
    """How many alerts there are; none while the broker is away."""
    stats = house.stats("fetch")
    return stats["alerts"] if stats else 0


def caught_up(house):
    stats = house.stats("fetch")
    rows = [row for row in stats["consumers"] if row["name"] == "desk"] if stats else []
    return bool(rows) and rows[0]["lag"] == 0


def main():
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1 << 32))
    rounds = int(os.environ.get("KILL_ROUNDS") or 20)
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    with House() as house:
        watches = house.write("night.yaml", WATCHES)
        lines = house.write("articles.jsonl", "\n".join(articles(rounds * ARTICLES_A_ROUND)) + "\n")
        expected = house.run("tocsin", "match", "-w", watches, "--count", lines).stdout.splitlines()
        settings = f"watches: [{watches}]\nsources:\n  - lines: {lines}\n  - socket: default\n"
        consumer = Consumer(house)
        house.broker()
        house.watcher(settings)
        consumer.start()
        moments = sorted(chance.sample(range(1, len(expected) - 1), rounds))
        fallen = []
        for moment in moments:
            until(f"{moment} alerts", lambda at=moment: stored(house) >= at, patience_s=120)
            victim = chance.choice(("tocsin-broker", "tocsin-watcher", "consumer", "consumer"))
            fallen.append(victim)
            if victim == "consumer":
                consumer.kill()
                consumer.start()
                continue
            house.kill(victim)
            if victim == "tocsin-broker":
                house.broker()
            else:
                house.watcher(settings)
        until("the last alert", lambda: stored(house) == len(expected), patience_s=120)
        until("the consumer to have it", lambda: caught_up(house), patience_s=120)
        consumer.process.terminate()
        # Its last start may be so young that it has not taken the signal over.
        assert consumer.process.wait(60) in (0, -signal.SIGTERM)
        until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0, patience_s=120)
        assert house.stop("tocsin-watcher") == 0
        assert house.stop("tocsin-broker") == 0
        delivered = consumer.lines()
        broken = judge(house.store, expected, delivered=(delivered, "", [("desk", "night")]))
        assert not broken, "\n".join(broken)
        print(f"{len(expected)} alerts, {rounds} kills ({', '.join(f'{fallen.count(v)} {v}' for v in sorted(set(fallen)))}): "
              f"the consumer was given {len(delivered)} lines, every alert of its desk among them, in order")


if __name__ == "__main__":
    main()
