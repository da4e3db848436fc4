"""A client of another language: written from docs/protocol.md alone, against the real programs.

It shares nothing with our code and little with the other tests, so that it fails where the document
does not say enough. Events are held against the rules of CloudEvents (cloudevents.py).
"""
import hashlib
import json
import sqlite3
import struct
import zlib

import cloudevents
from house import House, until
from wire import zmq

WATCH = "tocsin: 1\nnamespace: probe\nwatches:\n  - {name: bell, match: bell, labels: {severity: critical, desk: night}}\n"
DEFINITION = (b'{"name":"foreign/bell","severity":"high","status":"live","labels":{"desk":"asia"},'
              b'"annotations":{"summary":"a bell"},"alert":{},"query":"bell"}')


class Peer:
    """A REQ or DEALER socket and its requests."""

    def __init__(self, endpoint, kind=zmq.DEALER):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.connect(endpoint)

    def ask(self, command, header, *payload):
        self.send(command, header, *payload)
        return self.answer()

    def send(self, command, header, *payload):
        data = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.socket.send_multipart([b"T1", command.encode(), data, *payload])

    def answer(self):
        assert self.socket.poll(20_000), "no answer"
        version, reply, header, *payload = self.socket.recv_multipart()
        assert version == b"T1" and len(header) <= 16 * 1024
        return reply.decode(), json.loads(header), payload


def told(what, *details):
    print(f"ok      {what}", *details, flush=True)


def short_text(text):
    return struct.pack("<B", len(text)) + text


def long_text(text):
    return struct.pack("<H", len(text)) + text


def hit_id(article, segment):
    parts = ("foreign", "bell", article["source"], article["id"], str(article["version"]), str(segment))
    return hashlib.sha256(b"".join(struct.pack("<I", len(part.encode())) + part.encode() for part in parts)).digest()[:16]


def hit_of(article, segment=0):
    match = short_text(b"") + struct.pack("<BII", 1, 2, 6) + long_text(b"bell")
    return (hit_id(article, segment) + hashlib.sha256(DEFINITION).digest()[:16]
            + struct.pack("<Id", segment, float("nan")) + long_text(b"foreign/bell") + short_text(b"high")
            + struct.pack("<H", 1) + match + long_text("A ⟦bell⟧ rings.".encode()))


def frames_of(number):
    """The two frames of an article in PUT."""
    article = {"id": f"a{number}", "source": "abroad", "version": 1, "title": f"Bell \u0085{number}\u0001",
               "seen": "2025-03-01T05:01:00Z", "language": "en", "segments": [{"number": 0}]}
    record = json.dumps(article).encode()
    hit = hit_of(article)
    rest = struct.pack("<II", 1, len(hit)) + hit
    return [record, struct.pack("<BI", 1, zlib.crc32(rest, zlib.crc32(record))) + rest]


def expect_event(event, kind):
    assert cloudevents.faults(event) == [], (cloudevents.faults(event), event)
    assert event["type"] == kind and event["datacontenttype"] == "application/json"
    assert event["source"] == "/watches/" + event["data"]["watch"]["name"]
    assert event["subject"] == f"{event['data']['watch']['name']}/{event['data']['watch']['severity']}/"


def submit(fetch):
    """HELLO, PUT that needs WATCH, and PUT again."""
    peer, session = Peer(fetch), "00112233445566778899aabbccddeeff"
    reply, welcome, _ = peer.ask("HELLO", {"rid": 1, "role": "watcher", "name": "abroad", "session": session})
    assert reply == "WELCOME" and welcome["rid"] == 1 and welcome["head"] == 0 and welcome["first"] == 1, welcome
    assert welcome["limits"] == {"batch_articles": 64, "batch_bytes": 1048576}
    batch = {"rid": 2, "session": session, "batch": 1, "n": 2}
    payload = frames_of(1) + frames_of(2)
    reply, nak, _ = peer.ask("PUT", batch, *payload)
    assert reply == "NAK" and nak["reason"] == "watch" and nak["batch"] == 1, nak
    assert nak["need"] == [hashlib.sha256(DEFINITION).hexdigest()[:32]]
    assert peer.ask("WATCH", {"rid": 3, "session": session, "n": 1}, DEFINITION)[:2] == ("OK", {"rid": 3})
    reply, ack, _ = peer.ask("PUT", batch, *payload)
    assert reply == "ACK" and ack["batch"] == 1 and ack["epoch"] == welcome["epoch"], ack
    assert ack["items"] == [{"stored": 1, "duplicate": 0, "hseq": 1}, {"stored": 1, "duplicate": 0, "hseq": 2}]
    assert [item["duplicate"] for item in peer.ask("PUT", batch, *payload)[1]["items"]] == [1, 1]
    bad = frames_of(3)
    bad[1] = bad[1][:-1] + b"?"
    reply, ack, _ = peer.ask("PUT", {**batch, "batch": 2}, *bad, *frames_of(4))
    assert reply == "ACK" and "rejected" in ack["items"][0] and ack["items"][1]["stored"] == 1, ack
    reply, nak, _ = peer.ask("PUT", {**batch, "batch": 9}, *payload)
    assert (reply, nak["reason"], nak["expected_batch"]) == ("NAK", "batch", 3), nak
    reply, beat, _ = peer.ask("HB", {"rid": 4, "session": session})
    assert reply == "HB" and beat["hhead"] == 3 and cloudevents.is_time(beat["time"]), beat
    told("a watcher says HELLO, is asked for WATCH, and PUTs", beat)
    return welcome["epoch"]


def read(fetch, epoch):
    """FETCH and ACK, as REQ and as DEALER."""
    for kind in (zmq.REQ, zmq.DEALER):
        name = f"reader-{kind}"
        peer = Peer(fetch, kind)
        reply, batch, events = peer.ask("FETCH", {"rid": 2**53, "consumer": name, "max_n": 2})
        assert reply == "BATCH" and batch["rid"] == 2**53 and batch["epoch"] == epoch, batch
        assert (batch["head"], batch["first"], batch["n"], batch["next_after"]) == (3, 1, 2, 2), batch
        assert [json.loads(event)["sequence"] for event in events] == [f"{n:020}" for n in (1, 2)]
        for event in map(json.loads, events):
            expect_event(event, "org.tocsin.alert.v1")
            assert event["epoch"] == epoch and "story" in event["data"]
        assert peer.ask("ACK", {"rid": 3, "consumer": name, "seq": 2, "epoch": epoch})[:2] == \
            ("OK", {"rid": 3, "cursor": 2, "epoch": epoch})
        assert peer.ask("ACK", {"consumer": name, "seq": 1})[1] == {"cursor": 2, "epoch": epoch}
        reply, batch, events = peer.ask("FETCH", {"consumer": name, "after": "cursor"})
        assert (batch["n"], json.loads(events[0])["data"]["article"]["id"]) == (1, "a4"), batch
        for wanted, count in (({"filters": ["foreign/"]}, 3), ({"filters": ["foreign/bell/high/"]}, 3),
                              ({"filters": ["for/"]}, 0), ({"filters": ["label.desk=asia", "label.desk=x"]}, 3),
                              ({"filters": ["foreign/", "label.desk=x"]}, 0), ({"after": "latest"}, 0), ({"after": 2}, 1),
                              ({"since": "2020-01-01T00:00:00+01:00"}, 3), ({"since": "2261-01-01T00:00:00Z"}, 0),
                              ({"max_bytes": 1}, 1)):
            reply, batch, events = peer.ask("FETCH", wanted)
            assert (reply, batch.get("n"), len(events)) == ("BATCH", count, count), (wanted, reply, batch)
            assert count == 1 or batch["next_after"] == 3, (wanted, batch)
    told("REQ and DEALER read and acknowledge; filters, since and limits hold")


def consume(fetch, epoch):
    """ATTACH, ACK, SEEK, DETACH of a DEALER; another one takes over; a REQ program without a lease."""
    first, second, plain = Peer(fetch), Peer(fetch), Peer(fetch, zmq.REQ)
    reply, lease, _ = first.ask("ATTACH", {"rid": 1, "consumer": "night", "filters": ["label.desk=asia"], "start": "latest"})
    assert reply == "LEASE" and set(lease) == {"rid", "token", "cursor", "cursor_epoch", "epoch", "head", "first"}, lease
    assert (lease["cursor"], lease["epoch"], lease["cursor_epoch"]) == (3, epoch, epoch), lease
    mine = {"consumer": "night", "lease": lease["token"]}
    assert first.ask("SEEK", {"rid": 2, **mine, "after": 1})[:2] == ("OK", {"rid": 2, "cursor": 1, "epoch": epoch})
    reply, batch, events = first.ask("FETCH", {**mine, "epoch": epoch})
    assert [json.loads(event)["sequence"] for event in events] == [f"{n:020}" for n in (2, 3)], batch
    assert first.ask("ACK", {**mine, "seq": 2, "epoch": epoch, "sync": True})[1]["cursor"] == 2
    reply, batch, events = first.ask("FETCH", {**mine, "ack": 3})
    assert batch["n"] == 0 and batch["next_after"] == 3, batch
    first.send("FETCH", {"rid": 9, **mine, "wait_ms": 30000})
    other = second.ask("ATTACH", {"consumer": "night"})[1]
    reply, answer, _ = first.answer()
    assert (reply, answer["code"], answer["rid"]) == ("ERR", "fenced", 9), answer
    for command, header in (("FETCH", mine), ("ACK", {**mine, "seq": 3}), ("SEEK", {**mine, "after": 0}), ("DETACH", mine),
                            ("FETCH", {"consumer": "night"}), ("ACK", {"consumer": "night", "seq": 3})):
        assert first.ask(command, header)[1]["code"] == "fenced", command
    assert plain.ask("ACK", {"consumer": "night", "seq": 3})[1]["code"] == "fenced"
    theirs = {"consumer": "night", "lease": other["token"]}
    assert other["cursor"] == 3 and second.ask("DETACH", theirs)[0] == "OK"
    assert plain.ask("SEEK", {"consumer": "night", "since": "2020-01-01T00:00:00Z"})[1]["cursor"] == 0
    reply, batch, events = plain.ask("FETCH", {"consumer": "night", "max_n": 1})
    assert (batch["n"], batch["next_after"]) == (1, 1), batch
    assert plain.ask("ACK", {"consumer": "night", "seq": 1})[1]["cursor"] == 1
    reply, listed, rows = plain.ask("CONSUMERS", {"rid": 5})
    assert reply == "CONSUMERS" and listed["count"] == listed["n"] == len(rows) == 3 and "next" not in listed, listed
    row = json.loads(rows[0])
    assert set(row) == {"name", "cursor", "cursor_epoch", "lag", "start", "seen", "owner", "leased", "filters"}, row
    assert (row["name"], row["cursor"], row["lag"], row["leased"], row["filters"]) == ("night", 1, 2, False, ["label.desk=asia"])
    assert plain.ask("ACK", {"consumer": "gone", "seq": 1})[0] == "OK"
    assert plain.ask("CONSUMERS", {"do": "release", "consumer": "gone"})[0] == "OK"
    assert plain.ask("CONSUMERS", {"do": "drop", "consumer": "gone"})[:2] == ("OK", {})
    told("a consumer attaches, is fenced by the next, seeks; REQ needs no lease while nobody has one")


def other_history(house, fetch):
    """What a client sees when retention has removed alerts, and when the history was replaced."""
    assert house.stop("tocsin-broker") == 0
    with sqlite3.connect(house.store) as db:
        db.execute("DELETE FROM alert WHERE seq <= 2")
        db.execute("INSERT INTO meta VALUES('first', 3)")
    house.broker()
    peer = Peer(fetch)
    reply, batch, events = peer.ask("FETCH", {"consumer": "night", "wait_ms": 30000})
    assert (reply, batch["n"], batch["next_after"], batch["gap"]) == ("BATCH", 0, 1, {"from": 2, "to": 2, "count": 1}), batch
    reply, batch, events = peer.ask("FETCH", {"consumer": "night", "allow_gap": True, "max_n": 1})
    assert batch["gap"]["to"] == 2 and json.loads(events[0])["sequence"] == f"{3:020}", batch
    lease = peer.ask("ATTACH", {"consumer": "night"})[1]
    mine = {"consumer": "night", "lease": lease["token"]}
    assert house.stop("tocsin-broker") == 0
    with sqlite3.connect(house.store) as db:
        db.execute("UPDATE meta SET value = x'000102030405060708090a0b0c0d0e0f' WHERE key = 'epoch'")
    house.broker()
    for command, header in (("FETCH", mine), ("ACK", {**mine, "seq": 2}), ("FETCH", {"after": 2, "epoch": lease["epoch"]})):
        reply, answer, _ = peer.ask(command, header)
        assert (reply, answer["code"], answer["epoch"]) == ("ERR", "epoch", "000102030405060708090a0b0c0d0e0f"), answer
    fresh = peer.ask("ATTACH", {"consumer": "night"})[1]
    assert (fresh["epoch"], fresh["cursor_epoch"]) == (answer["epoch"], lease["epoch"]), fresh
    mine["lease"] = fresh["token"]
    assert peer.ask("SEEK", {**mine, "after": "earliest", "epoch": fresh["epoch"]})[1]["cursor"] == 2
    assert peer.ask("FETCH", mine)[1]["n"] > 0
    told("GAP and EPOCH are answered, and SEEK goes on behind them")


def refusals(fetch, epoch):
    peer = Peer(fetch)
    for command, header, code, word in (
            ("SING", {"rid": 7}, "unsupported", "SING"), ("FETCH", b"{", "header", ""), ("FETCH", b"[1]", "header", "object"),
            ("FETCH", {"rid": 7, "sing": 1}, "header", "sing"), ("FETCH", {"rid": -1}, "header", "rid"),
            ("FETCH", {"rid": 7, "max_n": 501}, "header", "max_n"), ("FETCH", {"rid": 7, "after": 1, "since": "x"}, "header", "since"),
            ("FETCH", {"rid": 7, "filters": ["foreign"]}, "header", "foreign"), ("FETCH", {"rid": 7, "filters": ["a/"] * 65}, "limit", "64"),
            ("FETCH", {"rid": 7, "epoch": "0" * 32}, "epoch", ""), ("FETCH", {"rid": 7, "consumer": "a b"}, "header", "consumer"),
            ("ACK", {"rid": 7, "consumer": "x", "seq": 4}, "header", "seq"), ("ECHO", {"rid": 7, "nonce": "A"}, "header", "nonce"),
            ("HELLO", {"rid": 7, "role": "cook", "name": "x", "session": "0" * 32}, "header", "role"),
            ("WATCH", {"rid": 7, "session": "00112233445566778899aabbccddeeff", "n": 1}, "payload", ""),
            ("STATS", {"rid": 7, "x": 1}, "header", "x"), ("STATS", b'{"rid":7,"pad":"' + b"x" * 17000 + b'"}', "payload", "")):
        reply, answer, _ = peer.ask(command, header)
        assert (reply, answer["code"]) == ("ERR", code) and word in answer["reason"], (command, header, reply, answer)
        if code == "epoch":
            assert (answer["epoch"], answer["head"], answer["first"]) == (epoch, 3, 1), answer
        if b'"rid":7' in json.dumps(answer, separators=(",", ":")).encode():
            assert answer["rid"] == 7
    for command in ("HELLO", "FETCH", "ACK", "ATTACH", "SEEK", "DETACH", "CONSUMERS", "ECHO", "HB", "STATS"):
        assert peer.ask(command, {}, b"frame")[1]["code"] == "payload", command
    peer.send("FETCH", {"rid": 1, "after": "latest", "wait_ms": 30000})
    peer.send("FETCH", {"rid": 2, "after": "latest"})
    first, second = peer.answer(), peer.answer()
    assert (first[0], first[1]["code"], first[1]["rid"]) == ("ERR", "superseded", 1), first
    assert (second[0], second[1]["rid"], second[1]["n"]) == ("BATCH", 2, 0), second
    told("what is wrong is refused with its code")


def listen(fetch, live):
    """SUB behind the ECHO barrier, heartbeats, and an event on its topic."""
    peer, sub = Peer(fetch), zmq.Context.instance().socket(zmq.SUB)
    sub.linger = 0
    sub.connect(live)
    for topic in ("foreign/bell/", "~/hb/", "~/echo/n0nce/"):
        sub.subscribe(topic)

    def echoed():
        assert peer.ask("ECHO", {"rid": 1, "nonce": "n0nce"})[:2] == ("OK", {"rid": 1})
        while sub.poll(100):
            topic, body = sub.recv_multipart()
            if topic == b"~/echo/n0nce/":
                assert body == b"{}"
                return True
        return False

    until("the echo", echoed)
    session = "ffeeddccbbaa99887766554433221100"
    peer.ask("HELLO", {"role": "watcher", "name": "abroad", "session": session,
                       "last_acked": {"epoch": session, "hseq": 3}})
    assert peer.ask("PUT", {"session": session, "batch": 1, "n": 1}, *frames_of(5))[0] == "ACK"
    seen = {}
    while len(seen) < 2 or seen.get(b"~/hb/", {}).get("head", 0) < 4:
        assert sub.poll(10_000), "the live feed is silent"
        topic, body = sub.recv_multipart()
        if not topic.startswith(b"~/echo/"):
            seen[topic] = json.loads(body)
    expect_event(seen[b"foreign/bell/high/"], "org.tocsin.alert.v1")
    assert set(seen[b"~/hb/"]) == {"epoch", "head", "time"} and cloudevents.is_time(seen[b"~/hb/"]["time"])
    told("the live feed brings the event and a heartbeat", seen[b"~/hb/"])


def statistics(fetch):
    stats = Peer(fetch, zmq.REQ).ask("STATS", {"rid": 5})[1]
    assert set(stats) == {"rid", "version", "epoch", "head", "hhead", "first", "started", "time", "hits", "alerts", "duplicates",
                          "rejected", "silent", "notices", "recovered", "damaged", "watches", "live_sent", "parked", "database_bytes", "stopping",
                          "disk_full", "database_free_bytes", "read_only", "disk_free_bytes", "clock_off_seconds", "clock_doubted", "loop_longest_us", "watchers",
                          "consumers"}, sorted(stats)
    assert (stats["hits"], stats["duplicates"], stats["rejected"], stats["watches"]) == (4, 2, 1, 1), stats
    assert all(set(row) == {"name", "cursor", "lag", "gap", "seen", "leased"} for row in stats["consumers"])
    assert len(stats["consumers"]) == 3, stats["consumers"]
    assert set(stats["watchers"][0]) == {"name", "session", "batch", "seen"}
    told("STATS of the broker has the keys that are written down")


def hand_in(intake, tap):
    """ARTICLE to a real watcher, and its tap."""
    peer, sub = Peer(intake), zmq.Context.instance().socket(zmq.SUB)
    sub.linger = 0
    sub.connect(tap)
    sub.subscribe("probe/bell/")
    number = 0

    def heard():
        nonlocal number
        number += 1
        reply, answer, _ = peer.ask("ARTICLE", {"rid": number, "article": {"id": f"n{number}", "title": "Bells", "text": "A bell rings."}})
        assert (reply, answer) == ("ACCEPTED", {"rid": number, "id": f"n{number}", "hits": 1}), answer
        return sub.poll(100)

    until("a hit on the tap", heard)
    topic, body = sub.recv_multipart()
    event = json.loads(body)
    expect_event(event, "org.tocsin.hit.v1")
    assert topic == event["subject"].encode() == b"probe/bell/critical/" and event["stored"] is False
    assert not {"sequence", "epoch"} & set(event) and "story" not in event["data"]
    article = {"id": "n1", "title": "Bells", "text": "A bell rings."}
    assert peer.ask("ARTICLE", {"rid": 1, "article": article})[:2] == ("DUPLICATE", {"rid": 1, "id": "n1"})
    reply, answer, _ = peer.ask("ARTICLE", {"rid": 2, "article": {"id": "body"}}, "Une cloche: bell.".encode())
    assert (reply, answer["hits"]) == ("ACCEPTED", 1), answer
    for article in ({"id": "x"}, {"id": 1, "text": "x", "tags": 5}, {"id": "x", "text": ""}):
        reply, answer, _ = peer.ask("ARTICLE", {"rid": 3, "article": article})
        assert reply == "REJECTED" and answer["reason"] and answer["rid"] == 3, (article, reply, answer)
    assert peer.ask("ARTICLE", {"rid": 4})[0] == "ERR" and peer.ask("SING", {"rid": 4})[1]["code"] == "unsupported"
    stats = Peer(intake, zmq.REQ).ask("STATS", {"rid": 5})[1]
    assert set(stats) == {"rid", "name", "version", "watches", "articles", "hits", "duplicates", "rejected", "outbox_waiting",
                          "outbox_oldest_seconds", "resubmitted", "outbox_dead", "outbox_dead_dropped", "blocked", "link", "started", "time", "files",
                          "watches_on_top", "frequencies", "frequencies_articles", "audited_total",
                          "audit_misses_total", "files_broken", "matching"}, sorted(stats)
    told("a watcher answers ACCEPTED, DUPLICATE, REJECTED; its tap shows the hit")


def main():
    cloudevents.check_the_checker()
    with House() as house:
        house.write("probe.yaml", WATCH)
        house.broker()
        fetch, live, intake, tap = (f"ipc://{house.sockets}/{name}.sock" for name in ("fetch", "live", "intake", "tap"))
        epoch = submit(fetch)
        read(fetch, epoch)
        consume(fetch, epoch)
        refusals(fetch, epoch)
        listen(fetch, live)
        statistics(fetch)
        house.watcher("watches: [probe.yaml]\nsources:\n  - socket: default\n")
        hand_in(intake, tap)
        until("an empty outbox", lambda: house.stats("intake")["outbox_waiting"] == 0)
        for event in house.alerts():
            expect_event(event, "org.tocsin.alert.v1")
        told("every alert is a CloudEvent:", len(house.alerts()))
        other_history(house, fetch)
        assert house.stop("tocsin-watcher") == 0
        assert house.stop("tocsin-broker") == 0


if __name__ == "__main__":
    main()
