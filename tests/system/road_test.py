"""The whole road on real pages: five pages dropped into a folder, alerts at three kinds of readers.

The live feed (a plain SUB socket), FETCH and `tocsin history` must tell the same; the page that only
mentions the words of the first watch in different stories must not be among them.
"""
import json
import shutil

import zmq

from house import SHARED, SOURCE, House, skip, until

SEEDS = SHARED / "seeds"
WATCHES = SOURCE / "tests" / "data" / "rules" / "news.yaml"
ADVICE = "news/travel-advice"


def main():
    if not SEEDS.is_dir():
        skip("the seed pages are not beside the checkout (../shared/seeds)")
    with House() as house:
        inbox = house.dir / "inbox"
        inbox.mkdir()
        house.broker()
        live = house.context.socket(zmq.SUB)
        live.connect(f"ipc://{house.sockets / 'live.sock'}")
        live.subscribe("news/")
        settle(house, live)
        house.watcher(f"watches: [{WATCHES}]\nsources:\n  - folder: {inbox}\n  - socket: default\n")

        for page in sorted(SEEDS.glob("seed-*.txt")):
            shutil.copy(page, inbox / (page.name + ".part"))
            (inbox / (page.name + ".part")).rename(inbox / page.name)
        until("the pages to be done", lambda: len(list((inbox / "done").glob("*.txt"))) == 5)
        until("an empty outbox", lambda: house.stats("intake.sock")["outbox_waiting"] == 0)
        assert not list(inbox.glob("*.txt")), "a page is still in the inbox"
        assert not list((inbox / "failed").glob("*")), "a page could not be read"

        fetched = house.alerts()
        pages = {event["data"]["article"]["id"] for event in fetched if event["data"]["watch"]["name"] == ADVICE}
        assert pages == {f"seed-00{n}.txt" for n in range(4)}, pages
        assert [int(event["sequence"]) for event in fetched] == list(range(1, len(fetched) + 1))

        heard = [receive(live) for _ in fetched]
        assert sorted(map(said, heard)) == sorted(map(said, fetched)), "the live feed tells something else"

        printed = [json.loads(line) for line in house.run("tocsin", "history", "--json").stdout.splitlines()]
        assert sorted(map(said, printed)) == sorted(map(said, fetched)), "the history tells something else"
        for event in fetched:
            check_offsets(event)
        assert house.stop("tocsin-watcher") == 0
        assert house.stop("tocsin-broker") == 0
        print(f"{len(fetched)} alerts, {len(pages)} of five pages for {ADVICE}")


def settle(house, live):
    """Waits until the subscriptions made so far are active."""
    live.subscribe("~/echo/road/")

    def heard():
        house.ask("fetch.sock", "ECHO", {"rid": 2, "nonce": "road"})
        return live.poll(200)

    until("the echo", heard)
    while live.poll(0):
        live.recv_multipart()
    live.unsubscribe("~/echo/road/")


def receive(live):
    while True:
        assert live.poll(10_000), "the live feed is silent"
        topic, event = live.recv_multipart()
        if not topic.startswith(b"~/"):
            event = json.loads(event)
            assert event["subject"].encode() == topic
            return event


def said(event):
    return json.dumps(event, sort_keys=True)


def check_offsets(event):
    """The words of a match stand in the page where it says."""
    page = (SEEDS / event["data"]["article"]["id"]).read_bytes()
    assert event["data"]["matches"], event
    for match in event["data"]["matches"]:
        there = page[match["start"]:match["end"]].decode()
        assert there.split() == match["words"].split(), (there, match)


if __name__ == "__main__":
    main()
