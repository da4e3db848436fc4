"""kill -9 at random moments while 9,603 articles go through four watchers and a broker to two consumers.

    KILL_ROUNDS=50,50,20   rounds in which the broker is killed, a watcher, and everything at once
    KILL_SEED=7            repeats the choices of a run; it is printed

In half of the rounds the victim is killed from outside, wherever it is; in the others it kills itself
at a fault point (common/fault.h), such as between a commit and its answer. Afterwards the oracle
(oracle.py) judges store, outboxes, what the consumers were given and what was live; what the hits must
be is said by `tocsin match` on the same articles.
"""
import collections
import gzip
import json
import os
import random
import re
import sqlite3
import subprocess

from house import SHARED, Broker, Daemon, House, binary, skip, until
from oracle import judge
from wire import zmq

CORPUS = SHARED / "corpus" / "reuters" / "train.jsonl.gz"
WATCHES = 200
WATCHERS = ("north", "east", "south", "west")
CONSUMERS = {"desk": "", "some": "wire/watch-3"}  # name: the topics it wants begin so
ROUNDS = "50,50,20"
FILE = 6  # articles
FAULTS = {"broker": ("store.commit", "store.committed", "intake.answered", "feed.published"),
          "watcher": ("source.read", "folder.move", "outbox.commit", "outbox.committed", "submit.sent", "submit.acked")}


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


class Consumer:
    """`tocsin consume` under a name, life after life; each life writes a file of its own."""

    def __init__(self, house, name, topics):
        self.house, self.name, self.topics = house, name, topics
        self.files, self.process = [], None

    def launch(self, **_):
        self.files.append(self.house.dir / f"{self.name}-{len(self.files)}.jsonl")
        with open(self.files[-1], "wb") as out:
            self.process = subprocess.Popen([binary("tocsin"), "consume", self.name, "--json", *self.topics],
                                            env=self.house.env, stdout=out, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def runs(self):
        return [path.read_bytes().splitlines(keepends=True) for path in self.files]

    def last(self):
        """The number it was given last."""
        assert self.process.poll() is None, f"tocsin consume {self.name} ended with {self.process.returncode}"
        for path in reversed(self.files):  # a life may have been given nothing
            with open(path, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 256 * 1024))
                whole = [line for line in file.read().splitlines(keepends=True)[-9:] if line.endswith(b"\n")]
            if whole:
                return int(json.loads(whole[-1])["sequence"])
        return 0


class Rounds:
    """Everything at work, and what happens to it."""

    def __init__(self, house, chance, expected):
        self.house, self.chance = house, chance
        self.hits_of = collections.Counter(line.split("\t")[1] for line in expected)  # article: how many
        self.live, self.kills = [], collections.Counter()
        self.laid = self.due = self.files = 0  # articles, their hits, and files that were handed out
        self.parties = {"broker": Broker(house.dir, f"store: {house.store}\n", **house.known_leaks)}
        self.consumers = {name: Consumer(house, name, topics) for name, topics in self.topics().items()}
        self.subscriber = zmq.Context.instance().socket(zmq.SUB)
        self.subscriber.rcvhwm, self.subscriber.linger = 0, 0
        self.subscriber.subscribe("wire/")
        self.subscriber.connect(self.parties["broker"].live)

    @staticmethod
    def topics():
        return {"desk": [], "some": [f"wire/watch-{n}/" for n in range(WATCHES) if str(n).startswith("3")]}

    def begin(self, watches):
        """Starts everything: a watcher reads what is laid into its folder."""
        for name in WATCHERS:
            inbox = self.house.dir / f"{name}-inbox"
            inbox.mkdir()
            path = self.house.write(f"{name}.yaml", f"name: {name}\nstate: {self.house.dir / name}\nwatches: [{watches}]\n"
                                                    f"sources:\n  - folder: {inbox}\n    name: {name}\n  - socket: default\n")
            self.parties[name] = Daemon("tocsin-watcher", ["--config", path], self.house.dir, self.house.known_leaks)
        self.house.running.update(self.parties)
        for party in (*self.parties.values(), *self.consumers.values()):
            party.launch()

    def hand_out(self, articles):
        """Lays articles into the watchers' folders, a few a file."""
        self.laid += len(articles)
        self.due += sum(self.hits_of[str(json.loads(line)["id"])] for line in articles)
        self.write(articles)

    def write(self, articles):
        for number, name in enumerate(WATCHERS):
            mine = articles[number::len(WATCHERS)]
            for at in range(0, len(mine), FILE):
                self.files += 1
                part = self.house.write(f"part-{name}", "".join(mine[at:at + FILE]))
                part.rename(self.house.dir / f"{name}-inbox" / f"part-{self.files}.jsonl")

    def settled(self):
        """Whether all that was handed out is in the history."""
        self.drain()
        return ask(self.house.store, "SELECT count(*) FROM hit") == self.due and self.marks() == self.laid

    def drain(self):
        while self.subscriber.poll(0):
            topic, body = self.subscriber.recv_multipart()
            self.live.append((topic.decode(), body))

    def marks(self):
        """How many articles are safe on the watchers' disks."""
        self.drain()
        return sum(ask(self.outbox(name), "SELECT count(*) FROM mark") for name in WATCHERS)

    def outbox(self, name):
        return self.house.dir / name / "outbox.db"

    def again(self, name, **environment):
        self.parties[name].kill()
        self.kills[name] += 1
        self.parties[name].launch(**environment)

    def at_a_fault(self, name, articles):
        """Lets a party run into a fault point, and starts it again."""
        point = self.chance.choice(FAULTS["broker" if name == "broker" else "watcher"])
        party = self.parties[name]
        self.again(name, TOCSIN_FAULT=f"{point}:{self.chance.randint(1, 3)}")
        Daemon.living.remove(party)  # its end is expected
        process = party.process
        self.hand_out(articles)
        # Where it does not come by that point (often enough) its end comes from outside.
        until("a fault, or the articles", lambda: process.poll() is not None or self.settled(),
              patience_s=120)
        self.kills[point] += process.poll() is not None
        self.again(name)

    def outside(self, name, articles):
        """Kills a party somewhere in the middle of the articles."""
        moment = self.laid + self.chance.randrange(len(articles))
        self.hand_out(articles)
        until(f"{moment} articles", lambda: self.marks() >= moment, patience_s=120)
        self.again(name)

    def everything(self, articles):
        victims = ["broker", *self.chance.sample(WATCHERS, 2), *CONSUMERS]
        parties = {**self.parties, **self.consumers}
        moment = self.laid + self.chance.randrange(len(articles))
        self.hand_out(articles)
        until(f"{moment} articles", lambda: self.marks() >= moment, patience_s=120)
        for act in ("kill", "launch"):
            self.chance.shuffle(victims)
            for victim in victims:
                getattr(parties[victim], act)()
                self.kills[victim] += act == "kill"

    def run(self, rounds, articles):
        kinds = [kind for kind, count in zip(("broker", "watcher", "all"), rounds) for _ in range(count)]
        self.chance.shuffle(kinds)
        size = max(8, len(articles) // (len(kinds) + 1))
        for number, kind in enumerate(kinds):
            part = articles[number * size:(number + 1) * size]
            name = "broker" if kind == "broker" else self.chance.choice(WATCHERS)
            if kind == "all":
                self.everything(part)
            elif self.chance.random() < 0.6:
                self.at_a_fault(name, part)
            else:
                self.outside(name, part)
        self.hand_out(articles[len(kinds) * size:])

    def end(self):
        """Lets everything come to rest, and stops it."""
        until("the last article", lambda: self.marks() == self.laid, patience_s=120)
        for name in WATCHERS:
            until(f"an empty outbox of {name}",
                  lambda of=name: (self.house.stats(f"{of}-intake") or {}).get("outbox_waiting") == 0, patience_s=120)
        for name, consumer in self.consumers.items():
            last = ask(self.house.store, "SELECT max(seq) FROM alert WHERE substr(topic, 1, ?) = ?",
                       len(CONSUMERS[name]), CONSUMERS[name])
            until(f"the last alert for {name}", lambda of=consumer, at=last: of.last() == at, patience_s=120)
            consumer.kill()
        self.drain()
        for name in (*WATCHERS, "broker"):
            assert self.house.stop(name) == 0, name


def ask(path, sql, *parameters):
    """The number that a query gives; 0 when the file is not made yet."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
            return db.execute(sql, parameters).fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def prepare(house, chance):
    """(file of watches, what they must hit in the corpus, the corpus)."""
    if not CORPUS.exists():
        skip("the articles are not beside the checkout (../shared/corpus)")
    watches = house.write("wire.jsonl", "\n".join(make_watches(chance)) + "\n")
    expected = house.run("tocsin", "match", "-w", watches, "--count", CORPUS).stdout.splitlines()
    assert len(expected) > 1000, f"only {len(expected)} hits: these watches prove nothing"
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        return watches, expected, lines.readlines()


def main():
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1 << 32))
    wanted = [int(n) for n in (os.environ.get("KILL_ROUNDS") or ROUNDS).split(",")]
    print(f"KILL_SEED={seed} KILL_ROUNDS={','.join(map(str, wanted))}", flush=True)
    chance = random.Random(seed)
    with House(peers_die=True) as house:
        watches, expected, articles = prepare(house, chance)
        rounds = Rounds(house, chance, expected)
        rounds.begin(watches)
        try:
            rounds.run(wanted, articles)
            rounds.end()
        finally:
            for consumer in rounds.consumers.values():
                consumer.kill()
        consumed = [(CONSUMERS[name], consumer.runs()) for name, consumer in rounds.consumers.items()]
        broken = judge(house.store, expected, map(rounds.outbox, WATCHERS), consumed, rounds.live)
        assert not broken, "\n".join(broken)
        given = {topic or "all": sum(map(len, runs)) for topic, runs in consumed}
        print(f"{len(articles)} articles, {len(expected)} hits, {len(rounds.live)} live, given to consumers: {given}; "
              f"{dict(rounds.kills)} killed: each hit once, no hole, none lost")


if __name__ == "__main__":
    main()
