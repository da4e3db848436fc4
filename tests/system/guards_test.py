"""What libzmq 4.3.4 is known to lose must arrive all the same: subscriptions of every length that a topic can have, and
thousands of filters over a restart of the broker. (What must not be used at all: tests/traps_test.sh.)
"""
from house import Broker, run_tests
from wire import Connection, Live, Watcher, article, definition, hit, item, zmq

LONG = "n" * 63, "w" * 63, "s" * 63  # namespace, watch, severity: a topic of 192 bytes
FILTERS = 5000


def put(broker, number, *names):
    """One alert for each (watch, severity)."""
    with Watcher(broker.fetch) as watcher:
        for watch, severity in names:
            body = definition(watch, severity)
            watcher.know(body)
            record = article(f"{number}-{watch[:20]}")
            assert watcher.put(item(record, [hit(record, body)]))["items"][0]["stored"] == 1


def test_a_subscription_of_every_length_hears():
    topic = "/".join(LONG) + "/"
    assert len(topic) == 192
    with Broker() as broker:
        broker.start()
        with Connection(broker.fetch) as asker:
            subscribers = {length: Live(broker.live, asker, topic[:length]) for length in range(1, len(topic) + 1)}
            put(broker, 1, (f"{LONG[0]}/{LONG[1]}", LONG[2]))
            for length, live in subscribers.items():
                heard, _ = live.receive()
                assert heard == topic, f"a subscription of {length} bytes hears {heard}"
                live.close()


def test_thousands_of_filters_survive_a_restart_of_the_broker():
    with Broker() as broker:
        broker.start()
        with Connection(broker.fetch) as asker:
            live = Live(broker.live, asker, *(f"news/watch-{n}/" for n in range(FILTERS)))
            wanted = [0, 1, 599, 600, 900, 999, 1000, 2500, FILTERS - 2, FILTERS - 1]
            put(broker, 1, *((f"news/watch-{n}", "high") for n in wanted))
            for n in wanted:
                assert live.receive()[0] == f"news/watch-{n}/high/"
            broker.kill()
            broker.start()
        # The same socket, which knows nothing of it: its filters go out again while it waits.
        with Connection(broker.fetch) as asker:
            live.socket.subscribe("~/echo/again/")
            while True:
                asker.ask("ECHO", {"nonce": "again"}, reply="OK")
                if live.socket.poll(50):
                    assert live.socket.recv_multipart()[0] == b"~/echo/again/"
                    break
        put(broker, 2, *((f"news/watch-{n}", "high") for n in (*wanted, FILTERS)))
        for n in wanted:
            assert live.receive()[0] == f"news/watch-{n}/high/"
        live.close()


if __name__ == "__main__":
    assert zmq.zmq_version().startswith("4."), zmq.zmq_version()
    run_tests(globals())
