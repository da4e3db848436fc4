"""Who speaks for a watcher's name: two watchers of one name, and a broker that stood still.

The newer of two has the name; the older is told, says so once, and waits until the other is gone. They do not
take the name from each other. A broker that stood still for longer than its watchers are patient finds the
greetings of their dead connections in any order, and takes none of them for another watcher.
"""
import signal

from house import Daemon, House, run_tests, until
from wire import Connection

WATCH = "tocsin: 1\nnamespace: wire\nwatches:\n  - {name: storm, match: storm}\n"


def publish(endpoint, number):
    with Connection(endpoint) as pipe:
        article = {"id": f"a{number}", "source": "wire", "text": "A storm."}
        pipe.ask("ARTICLE", {"article": article}, reply="ACCEPTED")


def told(house):
    return sorted(event["data"]["article"]["id"] for event in house.alerts())


def events(daemon, name):
    return daemon.log_text().count(f"event={name} ")


class Twin(Daemon):
    """A watcher named watcher in a folder of its own, at the broker of the house."""

    def __init__(self, house, folder):
        path = house.dir / folder
        super().__init__("tocsin-watcher", ["--config", path / "watcher.yaml"], path, house.known_leaks)
        house.write(f"{folder}/wire.yaml", WATCH)
        house.write(f"{folder}/watcher.yaml", f"state: state\nwatches: [wire.yaml]\n"
                                              f"broker: ipc://{house.sockets}/fetch.sock\n")

    def start(self):
        self.launch()
        self.await_answer(self.socket("intake"))
        return self

    def stats(self):
        with Connection(self.socket("intake")) as pipe:
            return pipe.ask("STATS", reply="STATS")[0]

    def await_link(self, state):
        until(f"the link to be {state}", lambda: self.stats()["link"] == state)


def test_the_newer_of_two_with_one_name_has_it_and_the_older_waits():
    with House(peers_die=True) as house:
        broker = house.broker()
        with Twin(house, "first") as first, Twin(house, "newer") as newer:
            first.start().await_link("up")
            publish(first.socket("intake"), 1)
            until("its hit", lambda: told(house) == ["a1"])
            newer.start().await_link("up")
            first.await_link("replaced")
            publish(first.socket("intake"), 2)
            publish(newer.socket("intake"), 3)
            until("the hit of the newer", lambda: told(house) == ["a1", "a3"])
            assert told(house) == ["a1", "a3"] and first.stats()["outbox_waiting"] == 1
            newer.kill()
            until("the older to come back", lambda: told(house) == ["a1", "a2", "a3"])
            assert events(first, "link.replaced") == 1 and events(newer, "link.replaced") == 0
            assert events(broker, "watcher.replaced") == 1, broker.log_text()
            assert first.stop() == 0
        assert house.stop("tocsin-broker") == 0


def test_a_broker_that_stood_still_takes_no_dead_connection_for_another_watcher():
    with House(peers_die=True) as house:
        broker = house.broker()
        house.write("wire.yaml", WATCH)
        watcher = house.watcher("watches: [wire.yaml]\n")
        intake = watcher.socket("intake")
        publish(intake, 1)
        until("its hit", lambda: told(house) == ["a1"])
        for number in range(2, 5):
            broker.process.send_signal(signal.SIGSTOP)
            downs = events(watcher, "link.down")
            until("the watcher to notice", lambda n=downs: events(watcher, "link.down") > n)
            publish(intake, number)
            broker.process.send_signal(signal.SIGCONT)
            until("the hit", lambda n=number: len(told(house)) == n)
        assert told(house) == ["a1", "a2", "a3", "a4"]
        assert events(watcher, "link.replaced") == 0, watcher.log_text()
        assert events(broker, "watcher.replaced") == 0, broker.log_text()
        assert house.stats("fetch")["hits"] == 4
        for name in ("tocsin-watcher", "tocsin-broker"):
            assert house.stop(name) == 0


if __name__ == "__main__":
    run_tests(globals())
