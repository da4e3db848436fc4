#!/usr/bin/python3
"""Every command of docs/protocol.md against the real tocsin-broker: DEALER, REQ and SUB."""
import contextlib
import json
import os
import resource
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests", "system"))
from house import Broker, binary, run_tests
from wire import (Connection, Live, Refused, Watcher, article, definition, hash_of, hit, hit_id,
                  id_of, item, zmq)

CHINA = definition("china/travel", labels={"desk": "asia"})
SEA = definition("china-sea/ships", "low", labels={"desk": "sea"})


def one(number, body=CHINA, **more):
    record = article(number, **more)
    return item(record, [hit(record, body)])


def watcher_of(broker, *bodies, name="wire"):
    watcher = Watcher(broker.fetch, name)
    watcher.know(*(bodies or (CHINA, SEA)))
    return watcher


def refused(function, code, words=""):
    try:
        function()
    except Refused as error:
        assert error.header["code"] == code, error.header
        assert words in error.header["reason"], error.header
        return error.header
    raise AssertionError(f"not refused with {code}")


def sequences(frames):
    return [int(json.loads(frame)["sequence"]) for frame in frames]


def change(path, sql):
    """Runs one statement on a store that no broker has open; its rows."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        return db.execute(sql).fetchall()


def test_hello_welcomes_with_epoch_heads_and_limits():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        welcome = watcher.welcome
        assert welcome["head"] == welcome["hhead"] == 0 and welcome["first"] == 1
        assert welcome["limits"] == {"batch_articles": 64, "batch_bytes": 1048576}
        assert len(bytes.fromhex(welcome["epoch"])) == 16 and welcome["time"].endswith("Z")
        refused(lambda: watcher.ask("HELLO", {"role": "cook", "name": "x",
                                              "session": watcher.session}), "header", "role")
        answer, _ = watcher.ask("HB", {"session": watcher.session}, reply="HB")
        assert answer["epoch"] == welcome["epoch"]


def test_put_stores_once_and_a_repeat_is_a_duplicate():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        record = article(1)
        hits = [hit(record, CHINA, segment) for segment in range(3)]
        first = watcher.put(item(record, hits), one(2))
        assert first["items"] == [{"stored": 3, "duplicate": 0, "hseq": 3},
                                  {"stored": 1, "duplicate": 0, "hseq": 4}]
        watcher.batch -= 1  # the answer was lost: the same batch again
        again = watcher.put(item(record, hits), one(2))
        assert again["items"] == [{"stored": 0, "duplicate": 3, "hseq": 3},
                                  {"stored": 0, "duplicate": 1, "hseq": 4}]
        stats, _ = watcher.ask("STATS")
        assert (stats["hits"], stats["alerts"], stats["duplicates"]) == (4, 4, 4), stats


def test_batches_count_without_a_hole_and_sessions_end():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1))
        watcher.batch = 5
        assert refused(lambda: watcher.put(one(2)), "NAK")["expected_batch"] == 2
        watcher.batch = 1
        watcher.put(one(2))
        newer = watcher_of(broker)  # the same name: the older session ends
        assert refused(lambda: watcher.put(one(3)), "NAK", "replaced")["batch"] == 3
        newer.put(one(3))


def test_unknown_definitions_are_asked_for_and_nothing_is_stored_before():
    with Broker() as broker:
        watcher = Watcher(broker.start().fetch)
        frames = one(1) + one(2, SEA)
        watcher.send("PUT", {"session": watcher.session, "batch": 1, "n": 2}, frames)
        reply, answer, _ = watcher.receive()
        assert reply == "NAK" and answer["reason"] == "watch"
        assert sorted(answer["need"]) == sorted([hash_of(CHINA), hash_of(SEA)])
        assert watcher.ask("STATS")[0]["hits"] == 0
        watcher.know(CHINA, SEA)
        watcher.put(one(1), one(2, SEA))


def test_an_article_with_a_bad_hit_is_rejected_whole_beside_its_neighbours():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        record = article(2)
        good = hit(record, CHINA)
        forged = hit(record, CHINA, 1, id=secrets.token_hex(16))
        flipped = item(record, [good])
        flipped[1] = flipped[1][:-1] + b"x"
        cases = [
            (item(record, [good, forged]), "id"),
            (item(record, [good[:-1]]), "cut off"),
            (flipped, "checksum"),
            (item(record, [hit(record, CHINA, 0, watch="Other/x")]), "name"),
            (item(record, [hit(record, CHINA, 0, watch="other/x")]), "hash"),
            (item(b"not JSON", []), "JSON"),
            (item(article(2, seen="yesterday"), []), "seen"),
            (item(b'{"id":"' + b"x" * 17000 + b'"}', []), "16 KiB"),
        ]
        answer = watcher.put(one(1), *[case for case, _ in cases], one(3))
        items = answer["items"]
        assert items[0]["stored"] == 1 and items[-1] == {"stored": 1, "duplicate": 0, "hseq": 2}
        for (_, words), got in zip(cases, items[1:-1]):
            assert words in got["rejected"], (words, got)
        assert watcher.ask("STATS")[0]["rejected"] == len(cases)


def test_only_live_watches_and_usable_pages_make_alerts():
    bodies = [definition(f"a/{status}", status=status)
              for status in ("live", "shadow", "paused", "retired")]
    expired = definition("a/expired", expires="2020-01-01")
    with Broker() as broker:
        watcher = watcher_of(broker.start(), *bodies, expired)
        record, secret = article(1), article(2, embargoed_until="2199-01-01T00:00:00Z")
        watcher.put(item(record, [hit(record, body) for body in bodies + [expired]]),
                    item(secret, [hit(secret, bodies[0])]))
        answer, events = watcher.ask("FETCH")
        stats, _ = watcher.ask("STATS")
        assert answer["n"] == len(events) == 1 and b"a/live" in events[0]
        assert (stats["hits"], stats["alerts"], stats["silent"]) == (6, 1, 5), stats


def test_what_is_sent_again_is_in_the_history_and_not_on_the_live_feed():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        live = Live(broker.live, watcher, "china/")
        frames = one(1)
        watcher.put(one(9, SEA))  # the definitions are known now
        watcher.put(one(8))
        watcher.batch += 1
        watcher.send("PUT", {"session": watcher.session, "batch": watcher.batch, "n": 1, "recovered": True}, frames)
        reply, answer, _ = watcher.receive()
        assert reply == "ACK" and answer["items"][0]["stored"] == 1, (reply, answer)
        watcher.put(one(2))
        heard = [live.receive()[1]["data"]["article"]["id"] for _ in range(2)]
        assert heard == ["article-8", "article-2"], heard
        _, events = watcher.ask("FETCH")
        told = [(event["data"]["article"]["id"], event.get("recovered")) for event in map(json.loads, events)]
        assert told == [("article-9", None), ("article-8", None), ("article-1", True), ("article-2", None)], told


def test_an_event_is_a_cloudevent_with_what_the_protocol_says():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        record = article(7, url="https://example.org/7", segments=[
            {"number": 0}, {"number": 2, "title": "Zwei \"und\" mehr", "language": "de"}])
        matches = [("advice", "body", 120, 132, "avoid travel"), ("", "title", 0, 5, "Title")]
        watcher.put(item(record, [hit(record, CHINA, 2, matches, "They ⟦avoid travel⟧.")]))
        answer, events = watcher.ask("FETCH")
        event = json.loads(events[0])
        cause = hit_id("china/travel", "wire", "article-7", 1, 2)
        assert event["id"] == id_of("china/travel", cause, "alert", 1)
        assert event["specversion"] == "1.0" and event["type"] == "org.tocsin.alert.v1"
        assert event["source"] == "/watches/china/travel"
        assert event["subject"] == "china/travel/high/"
        assert event["sequence"] == "00000000000000000001" and event["epoch"] == answer["epoch"]
        data = event["data"]
        assert data["watch"] == {"name": "china/travel", "version": hash_of(CHINA),
                                 "severity": "high", "labels": {"desk": "asia"}, "annotations": {}}
        assert data["article"]["url"] == "https://example.org/7"
        assert data["segment"] == {"number": 2, "title": "Zwei \"und\" mehr", "language": "de"}
        assert data["matches"][0] == {"clause": "advice", "field": "body", "start": 120,
                                      "end": 132, "words": "avoid travel"}
        assert "clause" not in data["matches"][1]
        assert data["excerpt"] == "They ⟦avoid travel⟧."
        assert data["story"]["first"] == "article-7" and data["story"]["languages"] == ["en"]


def test_fetch_pages_filters_and_says_how_far_it_came():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(*[one(n, SEA if n % 3 == 0 else CHINA) for n in range(1, 31)])
        seen, after = [], "earliest"
        while after != 30:
            answer, events = watcher.ask("FETCH", {"after": after, "max_n": 7})
            assert answer["n"] == len(events) <= 7 and answer["head"] == 30
            seen += sequences(events)
            after = answer["next_after"]
        assert seen == list(range(1, 31))

        def fetched(*filters, **more):
            answer, events = watcher.ask("FETCH", {"filters": list(filters), **more})
            assert answer["next_after"] == 30
            return sequences(events)

        china = [n for n in range(1, 31) if n % 3]
        sea = [n for n in range(1, 31) if n % 3 == 0]
        assert fetched("china/") == china and fetched("china-sea/") == sea
        assert fetched("china/travel/high/") == china and fetched("china/travel/low/") == []
        assert fetched("china-sea/ships/low/", after=15) == [n for n in sea if n > 15]
        assert fetched("label.desk=asia") == china and fetched("label.desk=as") == []
        assert fetched("label.desk=asia", "label.desk=sea") == list(range(1, 31))
        assert fetched("china/", "label.desk=sea") == []
        assert fetched(since="2000-01-01T00:00:00Z") == list(range(1, 31))
        assert fetched(since="2199-01-01T00:00:00Z") == [] and fetched(after="latest") == []
        small, events = watcher.ask("FETCH", {"max_bytes": 1})
        assert len(events) == 1 and small["next_after"] == 1


def test_fetch_waits_for_an_alert_and_a_newer_one_replaces_it():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        reader = Connection(broker.fetch)
        first = reader.send("FETCH", {"wait_ms": 30000, "filters": ["china/"]})
        second = reader.send("FETCH", {"wait_ms": 30000, "filters": ["china/"]})
        reply, answer, _ = reader.receive()
        assert (reply, answer["code"], answer["rid"]) == ("ERR", "superseded", first), answer
        watcher.put(one(1, SEA))
        watcher.put(one(2))
        reply, answer, events = reader.receive()
        assert (reply, answer["rid"], sequences(events)) == ("BATCH", second, [2])
        answer, events = reader.ask("FETCH", {"after": 2, "wait_ms": 50})
        assert answer["n"] == 0 and answer["next_after"] == 2


def test_consumers_resume_where_they_acknowledged_also_after_kill():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(*[one(n) for n in range(1, 11)])
        ask = {"consumer": "desk", "after": "cursor", "max_n": 4}
        assert sequences(watcher.ask("FETCH", ask)[1]) == [1, 2, 3, 4]
        late, _ = watcher.ask("FETCH", {"consumer": "late", "after": "cursor", "start": "latest"})
        assert late["n"] == 0 and late["next_after"] == 10
        for seq, cursor in ((4, 4), (4, 4), (2, 4), (7, 7)):
            answer, _ = watcher.ask("ACK", {"consumer": "desk", "seq": seq, "sync": True}, reply="OK")
            assert answer["cursor"] == cursor
        refused(lambda: watcher.ask("ACK", {"consumer": "desk", "seq": 11}), "header", "last alert")
        refused(lambda: watcher.ask("ACK", {"consumer": "d/k", "seq": 1}), "header", "consumer")
        broker.kill()
        watcher = watcher_of(broker.start())
        watcher.put(one(11))
        assert sequences(watcher.ask("FETCH", ask)[1]) == [8, 9, 10, 11]
        assert sequences(watcher.ask("FETCH", {"consumer": "late"})[1]) == [11]
        stats, _ = watcher.ask("STATS")
        assert [(c["name"], c["cursor"], c["lag"]) for c in stats["consumers"]] == [
            ("desk", 7, 4), ("late", 10, 1)]


def test_a_lease_outlives_the_broker_and_the_one_before_stays_fenced():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(*[one(n) for n in range(1, 6)])
        old, new = Connection(broker.fetch), Connection(broker.fetch)
        first, _ = old.ask("ATTACH", {"consumer": "desk", "start": "latest"}, reply="LEASE")
        assert first["cursor"] == 5 and first["cursor_epoch"] == first["epoch"], first
        mine = {"consumer": "desk", "lease": first["token"]}
        waiting = old.send("FETCH", {**mine, "wait_ms": 30000})
        second, _ = new.ask("ATTACH", {"consumer": "desk", "filters": ["china/"]}, reply="LEASE")
        reply, answer, _ = old.receive()
        assert (reply, answer["code"], answer["rid"]) == ("ERR", "fenced", waiting), answer
        broker.kill()
        watcher = watcher_of(broker.start())
        watcher.put(one(6), one(7, SEA))
        refused(lambda: old.ask("FETCH", mine), "fenced", "taken")
        refused(lambda: old.ask("ACK", {**mine, "seq": 6}), "fenced")
        refused(lambda: watcher.ask("ACK", {"consumer": "desk", "seq": 6}), "fenced", "ATTACH")
        theirs = {"consumer": "desk", "lease": second["token"]}
        answer, events = new.ask("FETCH", theirs)
        assert sequences(events) == [6] and answer["next_after"] == 7  # the filters were kept, too
        new.ask("ACK", {**theirs, "seq": 7}, reply="OK")
        new.ask("DETACH", theirs, reply="OK")
        assert watcher.ask("FETCH", {"consumer": "desk"})[0]["next_after"] == 7


def test_what_was_acknowledged_is_written_before_the_end():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(*[one(n) for n in range(1, 6)])
        watcher.ask("ACK", {"consumer": "desk", "seq": 2, "sync": True})
        watcher.ask("ACK", {"consumer": "desk", "seq": 4})
        assert broker.stop() == 0  # what was acknowledged is written at the end
        assert change(broker.store, "SELECT cursor FROM consumer") == [(4,)]


def test_another_epoch_is_refused_with_the_right_one():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1))
        epoch = watcher.welcome["epoch"]
        for command, header in (("FETCH", {"after": 5}), ("ACK", {"consumer": "c", "seq": 5})):
            answer = refused(lambda c=command, h=header: watcher.ask(
                c, {**h, "epoch": secrets.token_hex(16)}), "epoch")
            assert (answer["epoch"], answer["head"], answer["first"]) == (epoch, 1, 1)
        watcher.ask("FETCH", {"after": 0, "epoch": epoch})


def test_live_subscribers_get_alerts_behind_the_barrier_and_heartbeats():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        live = Live(broker.live, watcher, "china/", "~/hb/")
        watcher.put(one(1), one(2, SEA), one(3))
        topics, heads = [], set()
        while len(topics) < 2 or 3 not in heads:
            topic, body = live.receive()
            if topic == "~/hb/":
                assert body["epoch"] == watcher.welcome["epoch"]
                heads.add(body["head"])
            else:
                topics.append((topic, int(body["sequence"])))
        assert topics == [("china/travel/high/", 1), ("china/travel/high/", 3)]
        plain = watcher.ask("FETCH", {"filters": ["china-sea/"]})[1]
        assert sequences(plain) == [2]


def test_a_burst_reaches_a_fast_subscriber_whole():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        live = Live(broker.live, watcher, "china/")
        record = article(1)
        hits = [hit(record, CHINA, segment) for segment in range(6000)]
        assert watcher.put(item(record, hits))["items"][0]["stored"] == 6000
        assert [int(live.receive()[1]["sequence"]) for _ in hits] == list(range(1, 6001))


def test_the_live_feed_leaves_out_what_the_settings_name():
    with Broker(settings="live_except: [china-sea/]\n") as broker:
        watcher = watcher_of(broker.start())
        live = Live(broker.live, watcher, "")
        watcher.put(one(1, SEA), one(2))
        topic, body = live.receive()
        while topic.startswith("~/"):
            topic, body = live.receive()
        assert topic == "china/travel/high/" and int(body["sequence"]) == 2
        assert watcher.ask("FETCH")[0]["n"] == 2


def test_a_req_socket_is_answered():
    with Broker() as broker:
        reader = Connection(broker.start().fetch, zmq.REQ)
        assert reader.ask("FETCH", {"wait_ms": 1}, reply="BATCH")[0]["n"] == 0
        refused(lambda: reader.ask("NONSENSE"), "unsupported", "NONSENSE")
        assert reader.ask("STATS", reply="STATS")[0]["hits"] == 0


def test_bad_requests_are_answered_err_and_the_broker_lives():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        session = watcher.session
        for command, header, code, words in (
                ("FETCH", {"aftr": 1}, "header", "aftr"),
                ("FETCH", {"after": -1}, "header", "after"),
                ("FETCH", {"after": True}, "header", "after"),
                ("FETCH", {"after": 1, "since": "2025-01-01"}, "header", "since"),
                ("FETCH", {"since": "noon"}, "header", "since"),
                ("FETCH", {"max_n": 501}, "header", "max_n"),
                ("FETCH", {"wait_ms": 30001}, "header", "wait_ms"),
                ("FETCH", {"filters": ["china"]}, "header", "china"),
                ("FETCH", {"filters": ["label.desk"]}, "header", "label"),
                ("FETCH", {"filters": ["a/"] * 65}, "limit", "64"),
                ("FETCH", {"after": "cursor"}, "header", "consumer"),
                ("FETCH", {"rid": -3}, "header", "rid"),
                ("ACK", {"consumer": "c"}, "header", "seq"),
                ("ECHO", {"nonce": "UP"}, "header", "nonce"),
                ("HB", {"session": "12"}, "header", "session"),
                ("HELLO", {"role": "watcher", "name": "", "session": session}, "header", "name"),
                ("HELLO", {"role": "watcher", "name": "w", "session": session,
                           "last_acked": {"epoch": "x", "hseq": 1}}, "header", "epoch"),
                ("STATS", {"all": True}, "header", "all"),
                ("PUT", {"session": session, "batch": 1, "n": 1}, "payload", "frames"),
                ("PUT", {"session": session, "batch": 1, "n": 65}, "payload", "64"),
                ("WATCH", {"session": session, "n": 1}, "payload", "frames"),
                ("put", {}, "unsupported", "put"),
        ):
            answer = refused(lambda c=command, h=header: watcher.ask(c, h), code, words)
            assert "rid" in header or answer["rid"] == watcher.rid
        for header in (b"", b"[]", b"{", b'{"rid":1,"rid":2}', b"\xff", b"{}" + b" " * 16384):
            refused(lambda h=header: watcher.ask("STATS", h), "payload" if len(header) > 16384
                    else "header")
        for body in (b"{}", b'{"name":"a/b","severity":"high","labels":{"x":1}}'):
            refused(lambda b=body: watcher.ask("WATCH", {"session": session, "n": 1}, [b]),
                    "payload", "definition 0")
        raw = watcher.socket
        for frames in ([b"hello"], [b"T1"], [b"T1", b"STATS"], [b"x"] * 50):
            raw.send_multipart(frames)
            reply, answer, _ = watcher.receive()
            assert (reply, answer["code"]) == ("ERR", "payload"), answer
        raw.send_multipart([b"x"] * 2000)  # thrown away whole
        assert watcher.ask("STATS")[0]["hits"] == 0


def test_restart_keeps_everything_and_numbers_go_on():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1), one(2))
        epoch = watcher.welcome["epoch"]
        before = watcher.ask("FETCH")[1]
        assert broker.stop() == 0
        watcher = watcher_of(broker.start())
        assert (watcher.welcome["epoch"], watcher.welcome["head"]) == (epoch, 2)
        assert watcher.ask("FETCH")[1] == before
        assert watcher.put(one(2), one(3))["items"] == [
            {"stored": 0, "duplicate": 1, "hseq": 2}, {"stored": 1, "duplicate": 0, "hseq": 3}]


def test_a_crash_around_the_commit_never_loses_an_answer_nor_stores_twice():
    # The second answer of a fresh broker is the one to PUT: HELLO comes first.
    for point in ("store.commit", "store.committed", "intake.answered:2", "feed.published"):
        with Broker() as broker:
            watcher = watcher_of(broker.start())
            watcher.put(one(1))
            broker.stop()
            broker.launch(TOCSIN_FAULT=point)
            watcher = watcher_of(broker)
            # Nothing is published, and the point not passed, without a subscriber.
            live = Live(broker.live, watcher, "china/") if point == "feed.published" else None
            watcher.send("PUT", {"session": watcher.session, "batch": 1, "n": 1}, one(2))
            status = broker.wait_end()
            assert status == -signal.SIGKILL, (point, status)
            if live:
                live.close()
            watcher = watcher_of(broker.start())
            watcher.put(one(2), one(3))
            assert sequences(watcher.ask("FETCH")[1]) == [1, 2, 3], point
            assert watcher.ask("STATS")[0]["hits"] == 3


def test_a_second_broker_on_the_same_store_or_socket_ends_with_75():
    with Broker() as broker:
        broker.start()
        status, said = Broker(broker.folder).run_to_end()
        assert status == 75 and broker.store in said and str(broker.process.pid) in said, said
        other = Broker(broker.folder, f"store: {broker.folder}/other.db\n")
        status, said = other.run_to_end()
        assert status == 75 and ".sock" in said, said


def test_a_taken_port_ends_with_75_and_names_the_address():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    settings = f"insecure_loopback: true\nlisten: {{fetch: '{endpoint}'}}\n"
    with Broker(settings=settings) as broker:
        status, said = broker.run_to_end()
        assert status == 75 and endpoint in said, said
        taken.close()
        broker.launch()
        assert broker.await_answer(endpoint)["hits"] == 0


def test_a_store_of_a_newer_version_ends_with_78():
    with Broker() as broker:
        broker.start()
        broker.stop()
        change(broker.store, "PRAGMA user_version = 99")
        status, said = broker.run_to_end()
        assert status == 78 and "newer" in said and "99" in said, said


def test_a_file_that_is_no_store_ends_with_74_and_stays_as_it_is():
    with Broker() as broker:
        os.makedirs(os.path.dirname(broker.store))
        for content in (b"these are notes, not a database\n" * 100, None):
            if content:
                with open(broker.store, "wb") as file:
                    file.write(content)
            else:
                os.remove(broker.store)
                change(broker.store, "CREATE TABLE theirs(x)")
            with open(broker.store, "rb") as file:
                before = file.read()
            status, said = broker.run_to_end()
            assert status == 74 and "--accept-data-loss" in said, said
            with open(broker.store, "rb") as file:
                assert file.read() == before


def test_a_damaged_row_is_reported_and_the_rest_delivered():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(*[one(n) for n in range(1, 6)])
        broker.stop()
        change(broker.store, "UPDATE alert SET body = CAST(replace(CAST(body AS TEXT), 'Title 3', "
                             "'Title 8') AS BLOB) WHERE seq = 3")
        change(broker.store, "UPDATE alert SET topic = 'china/other/high/' WHERE seq = 4")
        watcher = watcher_of(broker.start())
        answer, events = watcher.ask("FETCH")
        assert answer["damaged"] == [3, 4] and sequences(events) == [1, 2, 5]
        assert answer["next_after"] == 5 and watcher.ask("STATS")[0]["damaged"] == 2
        assert "store.damaged" in broker.log_text()


def test_a_damaged_hit_is_mended_by_its_repeat():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1), one(2))
        broker.stop()
        whole = change(broker.store, "SELECT * FROM hit")
        change(broker.store, "UPDATE hit SET watch = 'china/other', body = x'00' WHERE hseq = 2")
        watcher = watcher_of(broker.start())
        assert watcher.put(one(1), one(2))["items"] == [
            {"stored": 0, "duplicate": 1, "hseq": 1}, {"stored": 0, "duplicate": 1, "hseq": 2}]
        broker.stop()
        assert change(broker.store, "SELECT * FROM hit") == whole


def test_a_full_disk_refuses_what_writes_and_serves_what_reads():
    with Broker(settings="http: 127.0.0.1:0\ndisk_reserve: 0B\n") as broker:
        state = os.path.dirname(broker.store)
        os.makedirs(state)
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tocsin-test", state],
            stderr=subprocess.DEVNULL, check=False).returncode == 0
        if not mounted:
            print("        (not run: a small file system cannot be mounted here)")
            return
        try:
            watcher = watcher_of(broker.start())
            watcher.put(one(1))
            watcher.ask("ACK", {"consumer": "desk", "seq": 1})
            with open(os.path.join(state, "ballast"), "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            record = article(2)
            hits = [hit(record, CHINA, segment) for segment in range(500)]
            answer = refused(lambda: watcher.put(item(record, hits)), "NAK", "disk")
            assert answer["batch"] == 2 and answer["retry_ms"] > 0 and answer["rid"] == watcher.rid
            assert sequences(watcher.ask("FETCH")[1]) == [1]
            refused(lambda: watcher.ask("ACK", {"consumer": "desk", "seq": 99}), "header")
            status, why = broker.page("/readyz")
            assert status == 503 and why.startswith("the disk is full"), why
            assert broker.page("/healthz") == (200, "ok\n")
            assert "\ntocsin_broker_disk_full 1\n" in broker.page("/metrics")[1]
            os.remove(os.path.join(state, "ballast"))
            watcher.batch -= 1
            assert watcher.put(one(2))["items"] == [{"stored": 1, "duplicate": 0, "hseq": 2}]
            assert sequences(watcher.ask("FETCH")[1]) == [1, 2]
            assert broker.page("/readyz") == (200, "ready\n")
            assert broker.stop() == 0 and "store.full" in broker.log_text()
        finally:
            broker.kill()
            subprocess.run(["umount", state], check=True)


def test_a_failing_disk_ends_the_broker_with_74_and_without_an_answer():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1))
        # From here on the WAL cannot grow: a write is an error (EFBIG). The log is far smaller.
        size = os.path.getsize(broker.store + "-wal")
        resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (size, size))
        record = article(2)
        hits = [hit(record, CHINA, segment) for segment in range(500)]
        watcher.send("PUT", {"session": watcher.session, "batch": 2, "n": 1}, item(record, hits))
        assert broker.wait_end() == 74, broker.log_text()
        assert "broker.failed" in broker.log_text()
        assert not watcher.socket.poll(0)
        watcher = watcher_of(broker.start())
        assert watcher.welcome["hhead"] == 1


def test_sigterm_ends_what_has_arrived():
    with Broker() as broker:
        watcher = watcher_of(broker.start())
        watcher.put(one(1))
        for batch in range(2, 12):
            watcher.send("PUT", {"session": watcher.session, "batch": batch, "n": 1}, one(batch))
        watcher.receive()  # they have arrived: one connection is read in order
        assert broker.stop() == 0
        acknowledged = 2
        while watcher.socket.poll(0):
            acknowledged += watcher.receive()[0] == "ACK"
        assert not os.path.exists(broker.store + "-wal")  # checkpointed
        stored, = change(broker.store, "SELECT count(*) FROM hit")
        assert stored[0] >= acknowledged, (stored, acknowledged)
        assert change(broker.store, "PRAGMA integrity_check") == [("ok",)]


def test_settings_are_refused_all_at_once_with_their_places():
    with Broker(settings="stor: x\nlisten: {fetch: 'tcp://0.0.0.0:5561', live: udp}\n"
                         "retain: never\nhttp: here\n") as broker:
        status, said = broker.run_to_end()
        assert status == 78, said
        for words in ("broker.yaml:1:1", "store", "needs keys", "udp", '"never" is no duration',
                      '"here" is no ADDRESS:PORT'):
            assert words in said, (words, said)
    with Broker(settings="listen: {fetch: 'tcp://127.0.0.1:5561'}\n") as broker:
        status, said = broker.run_to_end()
        assert status == 78 and "insecure_loopback" in said, said


def test_check_reads_settings_and_ends():
    with Broker(settings="log: warn\n") as broker:
        broker.arguments.append("--check")
        assert broker.run_to_end()[0] == 0
        broker.arguments.append("--wrong")
        assert broker.run_to_end()[0] == 64


def test_the_broker_links_no_library_that_is_not_its_business():
    linked = subprocess.run(["ldd", binary("tocsin-broker")], capture_output=True, text=True,
                            check=True).stdout
    for name in ("icu", "xml2", "curl", "vectorscan", "hs.so"):
        assert name not in linked, name


if __name__ == "__main__":
    run_tests(globals())
