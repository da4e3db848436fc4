#!/usr/bin/python3
"""Many clients on one broker: what 200 durable consumers and 1,000 live subscribers cost, and how late alerts are.

    ./run bench crowd [CONSUMERS [SUBSCRIBERS [ALERTS_PER_SECOND [SECONDS]]]]

A broker of its own, one watcher that stores alerts at an even pace and then a burst of 5,000 (batches of 64), and
bench-crowd, which plays all clients. Every alert goes to every client. How late an alert is counts from before its
PUT is sent to when a client has it in hand. One line of JSON for each part.
"""
import json
import os
import platform
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "system"))
from house import Broker, binary  # pylint: disable=wrong-import-position
from wire import Connection, Watcher, article, definition, hit, item  # pylint: disable=wrong-import-position

BURST, BATCH = 5000, 64
WATCH = definition("bench/crowd")


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def items(numbers):
    for number in numbers:
        record = article(number, title=f"sent {time.time_ns()}")
        yield item(record, [hit(record, WATCH, excerpt="x" * 300)])


def main():
    numbers = [int(word) for word in sys.argv[1:]]
    consumers, subscribers, pace, seconds = numbers + [200, 1000, 10, 20][len(numbers):]
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        cpu = next((line.partition(": ")[2].strip() for line in info if line.startswith("model name")), "?")
    print(f"machine: {os.cpu_count()} x {cpu}, {platform.release()}, load {os.getloadavg()[0]:.2f}")
    with Broker() as broker:
        broker.start()
        broker_pid, empty = broker.process.pid, rss_mib(broker.process.pid)
        crowd = subprocess.Popen([binary("bench-crowd"), broker.fetch, broker.live, str(consumers), str(subscribers)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert crowd.stdout.readline() == "ready\n"
        connected = rss_mib(broker_pid)
        with Watcher(broker.fetch) as watcher:
            watcher.know(WATCH)
            measure(crowd, broker_pid, "even pace", paced(watcher, pace, seconds), pace=pace)
            measure(crowd, broker_pid, "burst", burst(watcher, pace * seconds))
        with Connection(broker.fetch) as connection:
            stats = connection.ask("STATS")[0]
        print(json.dumps({"consumers": consumers, "subscribers": subscribers, "broker_mib_empty": empty,
                          "broker_mib_connected": connected, "broker_mib_after": rss_mib(broker_pid),
                          "parked": stats["parked"], "loop_longest_us": stats.get("loop_longest_us")}))
        crowd.stdin.close()
        crowd.wait()


def paced(watcher, pace, seconds):
    def store():
        begun = time.monotonic()
        for number in range(pace * seconds):
            time.sleep(max(0, begun + number / pace - time.monotonic()))
            watcher.put(*items([number]))
        return pace * seconds
    return store


def burst(watcher, first):
    def store():
        for at in range(0, BURST, BATCH):
            watcher.put(*items(range(first + at, first + min(at + BATCH, BURST))))
        return BURST
    return store


def measure(crowd, pid, what, store, **more):
    before, begun = cpu_s(pid), time.monotonic()
    count = store()
    stored_s = time.monotonic() - begun
    crowd.stdin.write(f"{count}\n")
    crowd.stdin.flush()
    result = json.loads(crowd.stdout.readline())
    print(json.dumps({"part": what, **more, "stored_s": round(stored_s, 2),
                      "broker_cpu_s": round(cpu_s(pid) - before, 2), **result}), flush=True)


if __name__ == "__main__":
    main()
