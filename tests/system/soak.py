"""The delivery soak: ./run soak delivery [MINUTES [SEED]]

50 articles a second through four watchers and a broker to two durable consumers and a live subscriber, a burst of
about 5,000 alerts each minute. In the first half of the time something is killed every few
seconds; in the second nothing is, and memory, descriptors and the size of the write-ahead log are watched.
At the end the oracle judges everything that was promised. Ends with 1 when anything is wrong.
"""
import collections
import itertools
import json
import os
import random
import sqlite3
import sys
import time

import kill_test
from house import House, until
from oracle import judge
from wire import hit_id

RATE = 50         # articles a second
BURST_S = 60      # from one burst to the next
BURST = 5000      # alerts
SAMPLE_S = 2
KILL_S = (5, 25)  # from one kill to the next
MIB = 1024 * 1024
WAL_MOST = 96 * MIB          # journal_size_limit 64 MiB, and what one checkpoint interval adds
RSS_MOST = 300 * MIB         # of a daemon: page cache, queues and the arenas of a burst
GROWTH_MOST = 16 * MIB       # in the quiet half, behind its first third
FDS_SPREAD = 8               # connections come and go


class Soak(kill_test.Rounds):
    """The rounds' house under a steady load."""

    def __init__(self, house, chance, expected):
        super().__init__(house, chance, expected)
        self.by_article = collections.defaultdict(list)
        for line in expected:
            watch, article, segment = line.split("\t")
            self.by_article[article].append((watch, segment))
        self.wanted = set()
        self.samples = collections.defaultdict(list)  # (what, pid): values
        self.wal = []
        self.last = {}  # party: its process at the end

    def feed(self, corpus):
        """Articles for ever, with an id of their own each."""
        for lap in itertools.count():
            for line in corpus:
                article = json.loads(line)
                base = str(article["id"])
                article["id"] = f"{base}-{lap}"
                yield base, article

    def lay(self, feed, enough):
        """Hands out articles until enough(articles, hits) says so."""
        lines, hits = [], 0
        while not enough(len(lines), hits):
            base, article = next(feed)
            name = kill_test.WATCHERS[len(lines) % len(kill_test.WATCHERS)]
            self.wanted.update(hit_id(watch, name, article["id"], 1, segment) for watch, segment in self.by_article[base])
            hits += len(self.by_article[base])
            lines.append(json.dumps(article) + "\n")
        self.laid += len(lines)
        self.due += hits
        self.write(lines)

    def sample(self):
        for name, party in self.parties.items():
            status = f"/proc/{party.process.pid}"
            try:
                with open(f"{status}/statm", encoding="ascii") as statm:
                    rss = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
                fds = len(os.listdir(f"{status}/fd"))
            except (FileNotFoundError, ProcessLookupError):
                continue
            self.samples["rss", name, party.process.pid].append(rss)
            self.samples["fds", name, party.process.pid].append(fds)
        wal = f"{self.house.store}-wal"
        self.wal.append(os.path.getsize(wal) if os.path.exists(wal) else 0)
        self.drain()

    def kill_something(self):
        victims = self.chance.choice((["broker"], [self.chance.choice(kill_test.WATCHERS)],
                                      [self.chance.choice(list(self.consumers))],
                                      ["broker", *kill_test.WATCHERS, *self.consumers]))
        parties = {**self.parties, **self.consumers}
        for act in ("kill", "launch"):
            for victim in victims:
                getattr(parties[victim], act)()
                self.kills[victim] += act == "kill"

    def run_for(self, seconds, corpus):
        """The load, second by second. Time is what a soak is made of; nothing is decided by it."""
        feed, begun = self.feed(corpus), time.monotonic()
        next_kill, next_burst, next_sample, told = 10, BURST_S, 0, 0
        for second in itertools.count(1):
            self.lay(feed, lambda articles, _: articles == RATE)
            at = time.monotonic() - begun
            if at >= seconds:
                return
            if at >= next_burst:
                next_burst += BURST_S
                self.lay(feed, lambda _, hits: hits >= BURST)
            if at >= next_kill and at < seconds / 2:
                next_kill = at + self.chance.uniform(*KILL_S)
                self.kill_something()
            if at >= next_sample:
                next_sample = at + SAMPLE_S
                self.sample()
            if at >= told + 60:
                told = at
                print(f"{at:.0f} s: {self.laid} articles, {self.due} hits, {len(self.live)} live, "
                      f"{sum(self.kills.values())} killed", flush=True)
            time.sleep(max(0.0, begun + second - time.monotonic()))

    def broken_sizes(self):
        """What grew, and the figures for the report."""
        broken, report = [], {"WAL MiB at most": max(self.wal) / MIB}
        if max(self.wal) > WAL_MOST:
            broken.append(f"the write-ahead log grew to {max(self.wal)} bytes")
        for (what, name, _), values in self.samples.items():
            if what == "rss" and max(values) > RSS_MOST:
                broken.append(f"{name} grew to {max(values) / MIB:.0f} MiB")
        for name, party in self.last.items():
            rss, fds = (self.samples[what, name, party][:] for what in ("rss", "fds"))
            rss, fds = rss[len(rss) // 3:], fds[len(fds) // 3:]
            growth = sum(rss[-5:]) / 5 - sum(rss[:5]) / 5
            hours = len(rss) * SAMPLE_S / 3600
            report[f"{name} RSS MiB"] = f"{rss[-1] / MIB:.1f} ({growth / MIB:+.2f} in {hours * 60:.0f} min)"
            report[f"{name} descriptors"] = f"{min(fds)} to {max(fds)}"
            if growth > GROWTH_MOST:
                broken.append(f"{name} grew by {growth / MIB:.1f} MiB in {hours:.2f} h")
            if max(fds) - min(fds) > FDS_SPREAD:
                broken.append(f"{name} has {min(fds)} to {max(fds)} descriptors")
        return broken, report

    def broken_hits(self):
        with sqlite3.connect(f"file:{self.house.store}?mode=ro", uri=True) as db:
            had = {id_.hex() for id_, in db.execute("SELECT id FROM hit")}
        return [f"{len(rows)} hits {what}" for what, rows in
                (("missing", self.wanted - had), ("not expected", had - self.wanted)) if rows]


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    chance = random.Random(seed)
    with House(peers_die=True) as house:
        watches, expected, corpus = kill_test.prepare(house, chance)
        soak = Soak(house, chance, expected)
        soak.begin(watches)
        try:
            soak.run_for(minutes * 60, corpus)
            until("the last article", lambda: soak.sample() or soak.marks() == soak.laid, patience_s=300)
            soak.last = {name: party.process.pid for name, party in soak.parties.items()}
            soak.end()
        finally:
            for consumer in soak.consumers.values():
                consumer.kill()
        consumed = [(kill_test.CONSUMERS[name], consumer.runs()) for name, consumer in soak.consumers.items()]
        broken = judge(house.store, None, map(soak.outbox, kill_test.WATCHERS), consumed, soak.live)
        sizes, report = soak.broken_sizes()
        broken += sizes + soak.broken_hits()
        print(f"{soak.laid} articles, {soak.due} hits, {len(soak.live)} live, given to "
              f"consumers {[sum(map(len, runs)) for _, runs in consumed]}; killed {dict(soak.kills)}")
        print("\n".join(f"{key}: {value}" for key, value in report.items()))
        print("\n".join(broken) or "nothing is broken")
        sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
