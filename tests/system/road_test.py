"""The whole road on real pages: five pages dropped into a folder, alerts at three kinds of readers.

The live feed (a plain SUB socket), FETCH and `tocsin history` must tell the same; the page that only
mentions the words of the first watch in different stories must not be among them.
"""
import json
import shutil

from house import SHARED, SOURCE, House, skip, until
from wire import Live

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
        live = Live(f"ipc://{house.sockets}/live.sock", house.connect("fetch"), "news/")
        house.watcher(f"watches: [{WATCHES}]\nsources:\n  - folder: {inbox}\n  - socket: default\n")

        for page in sorted(SEEDS.glob("seed-*.txt")):
            shutil.copy(page, inbox / (page.name + ".part"))
            (inbox / (page.name + ".part")).rename(inbox / page.name)
        until("the pages to be done", lambda: len(list((inbox / "done").glob("*.txt"))) == 5)
        until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0)
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


def receive(live):
    topic, event = live.receive()
    assert event["subject"] == topic
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
