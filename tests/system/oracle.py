"""What must be true of a broker's store, whatever was killed, cut or filled before.

    oracle.py STORE [EXPECTED]

EXPECTED holds one hit a line, WATCH<TAB>ARTICLE<TAB>SEGMENT (what `tocsin match --count` prints).
Prints every broken rule and ends with 1 when there is one.

  - hits and alerts are numbered without a hole from the first that retention has left, and no id appears
    twice, not even after that
  - every row's checksum is right, and an alert's event says what its row says
  - every hit has exactly one alert, and every alert a hit (but for those that retention has removed)
  - the hits are the expected ones, each once
  - every hit of a watcher's outbox that waits for nothing is in the store, in the order it was put there
  - a consumer that was killed now and then was given every alert that its filter lets through, in order,
    at least once, and word for word what is stored
  - what was live is stored, word for word
  - `tocsin verify` finds nothing either: two programs, written apart, must both be content
"""
import collections
import json
import math
import sqlite3
import struct
import subprocess
import sys
import zlib

from house import binary


def crc_of(*columns):
    """CRC-32 over columns: integers as 8 bytes, texts and blobs behind their length (broker/store.c)."""
    crc = 0
    for column in columns:
        if isinstance(column, int):
            crc = zlib.crc32(struct.pack("<Q", column & (1 << 64) - 1), crc)
        else:
            data = column.encode() if isinstance(column, str) else column
            crc = zlib.crc32(data, zlib.crc32(struct.pack("<Q", len(data)), crc))
    return crc


def mark(db, key, default):
    return next((value for value, in db.execute("SELECT value FROM meta WHERE key = ?", (key,))), default)


def numbered(what, numbers, first, head):
    if numbers != list(range(first, head + 1)):
        holes = sorted(set(range(first, head + 1)) - set(numbers))
        yield f"{what}: {len(numbers)} rows, first {first}, last {head}, holes {holes[:10]}"


def repeated(what, values):
    twice = [value for value, n in collections.Counter(values).items() if n > 1]
    if twice:
        yield f"{what}: {len(twice)} appear more than once, such as {twice[0]!r}"


def check_hits(db):
    rows = db.execute("SELECT hseq, id, watch, source, article, version, segment, body, crc FROM hit ORDER BY hseq").fetchall()
    yield from numbered("hits", [row[0] for row in rows], mark(db, "hfirst", 1), mark(db, "hhead", 0))
    yield from repeated("hit ids", [row[1] for row in rows] + [id_ for id_, in db.execute("SELECT id FROM seen")])
    for *columns, crc in rows:
        if crc_of(*columns) != crc:
            yield f"hit {columns[0]}: wrong checksum"


def check_alerts(db):
    rows = db.execute("SELECT seq, id, topic, labels, story, hseq, stored_at, body, crc FROM alert ORDER BY seq")
    seqs, ids, causes = [], [], []
    for seq, id_, topic, labels, story, hseq, stored_at, body, crc in rows:
        seqs.append(seq)
        ids.append(id_)
        causes.append(hseq)
        if crc_of(seq, id_, topic, labels, story, hseq, stored_at, body) != crc:
            yield f"alert {seq}: wrong checksum"
            continue
        event = json.loads(body)
        if (int(event["sequence"]), event["id"], event["subject"]) != (seq, id_.hex(), topic):
            yield f"alert {seq}: its event says {event['sequence']}, {event['id']}, {event['subject']}"
    yield from numbered("alerts", seqs, mark(db, "first", 1), mark(db, "head", 0))
    yield from repeated("alert ids", ids)
    yield from repeated("hits that cause an alert", causes)
    hits = {hseq for hseq, in db.execute("SELECT hseq FROM hit")}
    causes = {hseq for hseq in causes if hseq >= mark(db, "hfirst", 1)}
    if mark(db, "first", 1) > 1:  # a hit may outlive its alert, which some consumer had acknowledged
        oldest = min(causes, default=math.inf)
        hits = {hseq for hseq in hits if hseq >= oldest}
    if hits != causes:
        yield f"{len(hits - causes)} hits without an alert, {len(causes - hits)} alerts without a hit"


def check_expected(db, expected):
    stored = collections.Counter(
        (watch, article, str(segment)) for watch, article, segment in db.execute("SELECT watch, article, segment FROM hit"))
    wanted = collections.Counter(tuple(line.rstrip("\n").split("\t")) for line in expected)
    for what, rows in (("missing", wanted - stored), ("not expected", stored - wanted)):
        if rows:
            yield f"{sum(rows.values())} hits {what}, such as {next(iter(rows))}"


def check_delivered(db, lines, topic="", labels=()):
    """`lines`: the events that a durable consumer of this filter was given, as they came, one a line."""
    rows = db.execute("SELECT seq, topic, labels, body FROM alert ORDER BY seq").fetchall()
    bodies = {seq: body for seq, of, has, body in rows
              if of.startswith(topic) and all(json.loads(has).get(key) == value for key, value in labels)}
    given, order = set(), []
    for number, line in enumerate(lines, 1):
        try:
            seq = int(json.loads(line)["sequence"])
        except (ValueError, KeyError, TypeError):
            continue  # a kill tore it off: the event must come again, which is seen below
        if seq not in bodies:
            yield f"delivered: line {number} has alert {seq}, which the filter leaves out or which is not there"
        elif line.rstrip(b"\n") != bodies[seq]:
            yield f"delivered: line {number} is not what alert {seq} says"
        elif seq not in given:
            given.add(seq)
            order.append(seq)
    if order != sorted(order):
        yield "delivered: an alert came for the first time behind a later one"
    if len(given) < len(bodies):
        missing = sorted(set(bodies) - given)
        yield f"delivered: {len(missing)} alerts never came, such as {missing[0]}"


def hits_of(frame):
    """The ids in a HITS frame (docs/protocol.md)."""
    count, at = struct.unpack_from("<I", frame, 5)[0], 9
    for _ in range(count):
        size = struct.unpack_from("<I", frame, at)[0]
        yield frame[at + 4:at + 20]
        at += 4 + size


def check_outbox(db, path):
    """`path`: the outbox of a watcher that has nothing left to send: all that lies in it was acknowledged."""
    stored = dict(db.execute("SELECT id, hseq FROM hit"))
    removed = {id_ for id_, in db.execute("SELECT id FROM seen")}
    outbox = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    numbers, missing = [], 0
    for frame, in outbox.execute("SELECT hits FROM item ORDER BY n"):
        for hit in hits_of(frame):
            if hit in stored:
                numbers.append(stored[hit])
            elif hit not in removed:
                missing += 1
    outbox.close()
    if missing:
        yield f"{path}: {missing} of {missing + len(numbers)} acknowledged hits are not stored"
    elif numbers != sorted(numbers):
        yield f"{path}: its hits are not stored in the order in which it has them"


def check_consumed(db, runs, topic=""):
    """`runs`: for each life of one consumer the lines it was given; the last line of a life may be torn."""
    stored = {seq: body for seq, body in db.execute("SELECT seq, body FROM alert") if
              json.loads(body)["subject"].startswith(topic)}
    wanted, last, first_is_due = sorted(stored), 0, True
    following = dict(zip([0, *wanted], wanted))
    for run in runs:
        for number, line in enumerate(run):
            if not line.endswith(b"\n") and number == len(run) - 1:
                break
            seq = int(json.loads(line)["sequence"])
            if stored.get(seq) != line.rstrip(b"\n"):
                yield f"a consumer of {topic or 'everything'} was given {seq}, which is stored otherwise"
            if seq != following.get(last) and not (first_is_due and seq <= last):
                yield f"a consumer of {topic or 'everything'} was given {seq} after {last}"
            last, first_is_due = seq, False
        first_is_due = True
    if wanted and last != wanted[-1]:
        yield f"a consumer of {topic or 'everything'} ends with {last}, the history with {wanted[-1]}"


def check_live(db, messages):
    """`messages`: (topic, body) as they came."""
    stored = {body: topic for topic, body in db.execute("SELECT topic, body FROM alert")}
    for topic, body in messages:
        if stored.get(body) != topic:
            yield f"live, but not stored: {topic} {body[:200]!r}"


def check_verify(store):
    done = subprocess.run([binary("tocsin"), "verify", "--json", store], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        yield f"tocsin verify: {done.stderr}"
        return
    yield from (f"tocsin verify: {fault}" for fault in json.loads(done.stdout)["faults"])


def judge(store, expected=None, outboxes=(), consumed=(), live=(), delivered=None):
    """The broken rules of a store, as sentences. consumed: (topic, runs) of each consumer; delivered: the
    arguments of check_delivered() behind the first."""
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        broken = [*check_hits(db), *check_alerts(db)]
        if expected is not None:
            broken += check_expected(db, expected)
        for outbox in outboxes:
            broken += check_outbox(db, outbox)
        for topic, runs in consumed:
            broken += check_consumed(db, runs, topic)
        broken += check_live(db, live)
        if delivered is not None:
            broken += check_delivered(db, *delivered)
        verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        broken += check_verify(store)
        return broken + ([] if verdict == "ok" else [f"integrity_check: {verdict}"])
    finally:
        db.close()


if __name__ == "__main__":
    sentences = judge(sys.argv[1], open(sys.argv[2], encoding="utf-8") if len(sys.argv) > 2 else None)
    print("\n".join(sentences) or "nothing is broken")
    sys.exit(1 if sentences else 0)
