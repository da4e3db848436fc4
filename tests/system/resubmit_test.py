"""The broker loses its history, and the watchers give it back.

RESUBMIT_ROUNDS times (10) one of these, by chance: its database is deleted; an older copy is put back, while both
watchers run or with one asleep until the other has brought the history beyond what the sleeper was told; the end
of the write-ahead log is cut off, or a bit of it is turned. Two watchers, some articles at one, some at the other, some
at both; in every third round a watcher is killed while it sends again. After each round every hit that was
ever acknowledged is in the history once (oracle.py). The seed is printed (RESUBMIT_SEED repeats it).
"""
import contextlib
import os
import random
import shutil
import signal
import sqlite3

from house import House, until
from oracle import judge

WATCH = "tocsin: 1\nnamespace: wire\nwatches:\n  - {name: storm, match: storm}\n  - {name: rain, match: rain}\n"
SETTINGS = "watches: [wire.yaml]\nsources:\n  - socket: default\n"
ROUNDS = int(os.environ.get("RESUBMIT_ROUNDS") or 10)
ONE, TWO = "tocsin-watcher", "second"
INTAKES = {ONE: "intake", TWO: "second-intake"}


class Town:
    """A house with two watchers, and what its history must hold."""

    def __init__(self, house, chance):
        self.house, self.chance = house, chance
        self.expected, self.articles = set(), 0
        self.notices = set()  # (article, version): changed after they hit, and hit nothing now
        self.at_one = []  # (watcher, article) of those that hit and have one version yet
        self.copies = []  # of the store, as it was between rounds
        house.write("wire.yaml", WATCH)
        house.broker()
        for name in INTAKES:
            self.start(name)

    def start(self, name):
        self.house.watcher(SETTINGS, None if name == ONE else name)

    def publish(self, count, names=tuple(INTAKES)):
        """Hands in articles, each at one of the watchers or at all; they are safe when this returns."""
        pipes = {name: self.house.connect(INTAKES[name]) for name in names}
        for _ in range(count):
            self.articles += 1
            text, watches = self.chance.choice((("A storm.", ["storm"]), ("Storm and rain.", ["storm", "rain"]),
                                                ("Rain, then sun.", ["rain"]), ("Sun.", [])))
            article = {"id": f"a{self.articles}", "source": "wire", "text": text}
            at = self.chance.choice(([self.chance.choice(names)], names))
            for name in at:
                pipes[name].ask("ARTICLE", {"article": article}, reply="ACCEPTED")
            self.expected |= {f"wire/{watch}\t{article['id']}\t0" for watch in watches}
            if len(at) == 1 and watches:
                self.at_one.append((at[0], article["id"]))
        self.correct(pipes)
        for pipe in pipes.values():
            pipe.close()

    def correct(self, pipes):
        """A later version of some article that hit: it must reach the broker although it hits nothing."""
        there = [one for one in self.at_one if one[0] in pipes]
        for name, article in self.chance.sample(there, min(3, len(there))):
            changed = {"id": article, "source": "wire", "status": "canceled"}
            pipes[name].ask("ARTICLE", {"article": changed}, reply="ACCEPTED")
            self.at_one.remove((name, article))
            self.notices.add((article, 2))

    def settle(self, names=tuple(INTAKES)):
        """Waits until the broker has confirmed everything."""
        for name in names:
            until(f"{name} to be confirmed", lambda at=INTAKES[name]: settled(self.house.stats(at)))

    def hhead(self):
        return self.house.stats("fetch")["hhead"]

    def keep_copy(self):
        """What a backup of the file would be now: it keeps its epoch."""
        path = self.house.dir / f"copy-{len(self.copies)}.db"
        copy_store(self.house.store, path)
        self.copies.append(path)

    def drop_store(self):
        for ending in ("", "-wal", "-shm"):
            if os.path.exists(f"{self.house.store}{ending}"):
                os.remove(f"{self.house.store}{ending}")

    def put_back(self):
        """An older copy in the place of the store."""
        copy = self.chance.choice(self.copies)
        self.copies = self.copies[:self.copies.index(copy) + 1]  # later ones are of another history
        self.drop_store()
        shutil.copy(copy, self.house.store)

    def start_damaged(self):
        """Starts the broker; one that refuses its store is told to go on with what can be read."""
        try:
            self.house.broker()
        except AssertionError:
            assert self.house.running.pop("tocsin-broker").wait_end() == 74
            self.house.broker(arguments=["--accept-data-loss"])

    def send(self, name, what):
        self.house.running[name].process.send_signal(what)

    def broken(self):
        """What the oracle says of a copy of the store: nobody is disturbed."""
        path = self.house.dir / "judged.db"
        path.unlink(missing_ok=True)
        copy_store(self.house.store, path)
        return judge(path, self.expected) + missing_notices(path, self.notices)

    def await_whole(self):
        """Waits until the history is what it must be."""
        broken = ["never looked"]

        def whole():
            broken[:] = self.broken()
            return not broken

        try:
            until("a whole history", whole)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *broken])) from error


def copy_store(store, path):
    """Closed at once: a reader that is still there would make SQLite trust its index of a cut log."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db, \
         contextlib.closing(sqlite3.connect(path)) as copy:
        db.backup(copy)


def missing_notices(store, notices):
    with contextlib.closing(sqlite3.connect(store)) as db:
        there = set(db.execute("SELECT id, version FROM article"))
    lost = notices - there
    unasked = {(article, version) for article, version in there - notices if version > 1}
    return [f"{len(rows)} notices {what}, such as {next(iter(rows))}"
            for what, rows in (("missing", lost), ("not expected", unasked)) if rows]


def settled(stats):
    return stats and stats["link"] == "up" and stats["outbox_waiting"] == 0


# --- harms: each begins with a broker that was killed ---


def deleted(town):
    town.drop_store()
    town.house.broker()


def older_copy(town):
    town.put_back()
    town.house.broker()


def older_copy_passed_by_another(town):
    """The sleeper comes back when the history is longer than it was ever told, with other hits at its numbers."""
    told = town.told
    town.send(ONE, signal.SIGSTOP)
    town.put_back()
    town.house.broker()
    town.settle([TWO])
    while town.hhead() <= told:
        town.publish(20, [TWO])
        town.settle([TWO])
    town.send(ONE, signal.SIGCONT)


def cut_log(town):
    path = f"{town.house.store}-wal"
    os.truncate(path, town.chance.randrange(os.path.getsize(path)))
    town.start_damaged()


def turned_bit(town):
    path = f"{town.house.store}-wal"
    at = town.chance.randrange(os.path.getsize(path))
    with open(path, "r+b") as log:
        log.seek(at)
        byte = log.read(1)[0]
        log.seek(at)
        log.write(bytes([byte ^ 1 << town.chance.randrange(8)]))
    town.start_damaged()


HARMS = [deleted, older_copy, older_copy_passed_by_another, cut_log, turned_bit]


def kill_while_sending_again(town):
    name = town.chance.choice(list(INTAKES))
    until(f"{name} to begin again", lambda: again(town.house.stats(INTAKES[name])))
    town.house.kill(name)
    town.start(name)


def again(stats):
    return stats and (stats["resubmitted"] or stats["link"] == "up")


def resubmitted(house):
    return sum(house.stats(at)["resubmitted"] for at in INTAKES.values())


def run_round(town, number, harm):
    town.publish(town.chance.randrange(20, 60))
    town.settle()
    town.keep_copy()
    town.publish(town.chance.randrange(20, 60))
    town.settle()
    town.told = town.hhead()
    town.house.kill("tocsin-broker")
    harm(town)
    if number % 3 == 2:
        kill_while_sending_again(town)
    town.publish(town.chance.randrange(20))
    town.await_whole()
    town.settle()
    print(f"round {number}: {harm.__name__}, {town.told} hits were told, {town.hhead()} are there, "
          f"{resubmitted(town.house)} items sent again", flush=True)


def expect_recovered(house):
    """What was sent again says so."""
    events = house.alerts()
    assert any(event.get("recovered") for event in events), "no alert is recovered"
    assert not all(event.get("recovered") for event in events), "every alert is recovered"


def main():
    seed = int(os.environ.get("RESUBMIT_SEED") or random.randrange(1 << 32))
    print(f"RESUBMIT_SEED={seed}")
    chance = random.Random(seed)
    with House(peers_die=True) as house:
        town = Town(house, chance)
        for number in range(ROUNDS):
            harm = HARMS[number] if number < len(HARMS) else chance.choice(HARMS)
            run_round(town, number, harm)
        expect_recovered(house)
        assert "event=link.resubmit" in house.running[ONE].log_text()
        assert "event=history.shorter" in house.running["tocsin-broker"].log_text()
        for name in (ONE, TWO, "tocsin-broker"):
            assert house.stop(name) == 0, name
        broken = judge(house.store, town.expected) + missing_notices(house.store, town.notices)
        assert not broken, "\n".join(broken)
        print(f"{ROUNDS} rounds, {town.articles} articles, {len(town.expected)} hits, {len(town.notices)} notices: "
              f"none is missing, none is there twice")


if __name__ == "__main__":
    main()
