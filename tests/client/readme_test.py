#!/usr/bin/python3
"""The programs of the README, as they stand there, against the real broker."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests", "system"))
from house import Broker, run_tests
from wire import Connection, Watcher, article, definition, hit, item

HERE = os.path.dirname(os.path.abspath(__file__))
CHINA = definition("china-ai/travel-advice")
CHESS = definition("sport/chess")


class Reader:
    """One of the programs, running."""

    def __init__(self, broker, program):
        environment = {**broker.environment, "TOCSIN_LIVE": broker.live, "TOCSIN_FETCH": broker.fetch}
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, program)],
                                        env=environment, stdout=subprocess.PIPE, text=True)

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def put(watcher, number, body=CHINA):
    watcher.know(body)
    record = article(number)
    watcher.put(item(record, [hit(record, body)]))


def cursor_of(broker, name):
    connection = Connection(broker.fetch)
    stats, _ = connection.ask("STATS", reply="STATS")
    connection.close()
    return {consumer["name"]: consumer["cursor"] for consumer in stats["consumers"]}.get(name, 0)


def test_the_live_reader_prints_alerts_of_its_topic():
    with Broker() as broker:
        watcher = Watcher(broker.start().fetch)
        with Reader(broker, "readme_live.py") as reader:
            # Its subscription takes effect some time after it started: put until one arrives.
            os.set_blocking(reader.process.stdout.fileno(), False)
            line, number = "", 0
            while not line and number < 2000:
                number += 1
                put(watcher, 2 * number, CHESS)
                put(watcher, 2 * number + 1)
                line = reader.line()
            sequence, title = line.split(" ", 1)
            assert title.startswith("Title ") and len(sequence) == 20, line
            assert int(sequence) % 2 == 0, "an alert of sport/chess came through"


def test_the_consumer_goes_on_where_it_acknowledged():
    with Broker() as broker:
        watcher = Watcher(broker.start().fetch)
        put(watcher, 1)
        put(watcher, 2, CHESS)
        put(watcher, 3)
        with Reader(broker, "readme_consumer.py") as reader:
            assert [reader.line(), reader.line()] == ["Title 1", "Title 3"]
            put(watcher, 4)
            assert reader.line() == "Title 4"
            while cursor_of(broker, "desk") < 4:
                pass
        put(watcher, 5)
        with Reader(broker, "readme_consumer.py") as reader:
            assert reader.line() == "Title 5"


run_tests(globals())
