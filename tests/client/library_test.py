#!/usr/bin/python3
"""libtocsin against the real broker: a program linked with the shared library (probe.c)."""
import os
import select
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests", "system"))
from house import Broker, binary, run_tests
from wire import PATIENCE_MS, Watcher, article, definition, hit, item

ASIA = definition("china-ai/travel-advice", labels={"desk": "asia"})
CHESS = definition("sport/chess", labels={"desk": "sport"})


class Probe:
    def __init__(self, broker, mode):
        self.process = subprocess.Popen([binary("client_probe"), mode], env=broker.environment,
                                        stdout=subprocess.PIPE, bufsize=0)

    def line(self):
        assert select.select([self.process.stdout], [], [], PATIENCE_MS / 1000)[0], "no line came"
        return self.process.stdout.readline().decode().rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def watcher_of(broker):
    watcher = Watcher(broker.fetch)
    watcher.know(ASIA, CHESS)
    return watcher


def put(watcher, numbers, body=ASIA):
    for number in numbers:
        record = article(number)
        watcher.put(item(record, [hit(record, body)]))


def expect(probe, numbers):
    for number in numbers:
        line = probe.line()
        assert line.endswith(f"Title {number}"), (line, number)


def test_a_consumer_gets_everything_once_though_broker_and_consumer_are_killed():
    with Broker() as broker:
        broker.start()
        with Probe(broker, "consume") as probe:
            put(watcher_of(broker), range(1, 51))
            expect(probe, range(1, 51))
            broker.kill()
            broker.start()
            put(watcher_of(broker), range(51, 101))
            expect(probe, range(51, 101))
        put(watcher_of(broker), range(101, 111))
        with Probe(broker, "consume") as probe:
            first = probe.line()  # 100 comes again if the probe died before acknowledging it
            if first.endswith("Title 100"):
                expect(probe, range(101, 111))
            else:
                assert first.endswith("Title 101"), first
                expect(probe, range(102, 111))


def test_after_settling_every_message_of_the_live_feed_arrives():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        for turn in range(20):
            with Probe(broker, "subscribe") as probe:
                assert probe.line() == "settled"
                numbers = range(10 * turn + 1, 10 * turn + 6)
                put(watcher, [10 * turn + 7], CHESS)
                put(watcher, numbers)
                expect(probe, numbers)


run_tests(globals())
