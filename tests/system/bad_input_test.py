"""Bad input gets a clear word, loses nothing and takes nothing down. Every message is shown.

Each case gives what a person does and the sentence that must come back.
"""
import json
import socket
import sqlite3

from house import House, until
from wire import zmq

GOOD = '{"id": "good", "title": "t", "text": "A bell rings."}\n'
WATCH = "tocsin: 1\nnamespace: probe\nwatches:\n  - {name: bell, match: bell, tests: [{text: bell, expect: hit}]}\n"

WATCH_FILES = [
    ('match: "US" AND visa', "error[E0117]", "put the query in a block, `match: |`"),
    ("match: @usa AND visa", "error[E0117]", "put the query in a block, `match: |`"),
    ("mach: visa", 'error[E0115]: unknown key "mach"', "did you mean match?"),
    ("match: visa and ban", "error[E0106]: operators are upper case", "did you mean AND?"),
    ("match: visa ban", "error[E0105]: two terms side by side", '"visa ban"'),
    ("match: visa AND ban OR travel", "error[E0107]", "^"),
    ("match: NOT visa", "error[E0114]", "^"),
]

ARTICLES = [
    (b'{"id": "1", "text": "caf\xe9"}', "not JSON: unable to decode byte 0xe9"),
    (b'{"id": "2", "text":', "not JSON"),
    (b'{"id": "3", "text": ""}', "the article is empty"),
    (b"[1]", "not an article: JSON, but no object"),
    (b'{"id": "4", "text": 5}', '"text" is no text'),
    (json.dumps({"id": "5", "text": "x" * 5_000_000}).encode(), "longer than 4194304 bytes"),
]


def shown(what, message, *parts):
    print(f"--- {what}\n{message.strip()}")
    for part in parts:
        assert part in message, f"{what}: {part!r} is not in {message!r}"


def check_watch_files(house):
    for line, *parts in WATCH_FILES:
        house.write("bad.yaml", f"tocsin: 1\nnamespace: probe\nwatches:\n  - name: bell\n    {line}\n")
        done = house.run("tocsin", "check", "bad.yaml", status=1)
        shown(line, done.stdout + done.stderr, "bad.yaml:5:", *parts)
    done = house.run("tocsin", "check", "nowhere.yaml", status=2)
    shown("no such file", done.stdout + done.stderr, "nowhere.yaml")


def check_settings(house):
    for program, text, *parts in (
            ("tocsin-watcher", "threads: many\nwatchs: [a]\n", "watcher-bad.yaml:1:10", "watcher-bad.yaml:2:1", "did you mean watches?"),
            ("tocsin-broker", "stoer: x\n", "broker-bad.yaml:1:1", "did you mean store?"),
            ("tocsin-broker", "listen: {fetch: tcp://0.0.0.0:5561}\n", "needs keys", "127.0.0.1")):
        path = house.write(program.replace("tocsin-", "") + "-bad.yaml", text)
        done = house.run(program, "--config", path, status=78)
        shown(f"{program}: {text.strip()}", done.stderr, *parts)


def check_articles(house):
    """Lines that cannot be read are named, the good one between them arrives, nothing dies."""
    house.write("probe.yaml", WATCH)
    house.broker()
    inbox = house.dir / "inbox"
    inbox.mkdir()
    house.watcher(f"watches: [probe.yaml]\nsources:\n  - socket: default\n  - folder: {inbox}\n")
    for number, (line, sentence) in enumerate(ARTICLES):
        path = house.dir / f"bad-{number}.jsonl"
        path.write_bytes(line + b"\n" + GOOD.encode())
        done = house.run("tocsin", "publish", path, status=None)
        assert done.returncode != 0, "publish was content with a bad article"
        shown(str(line[:40]), done.stderr, f"{path}:1", sentence)
        (inbox / path.name).write_bytes(line + b"\n")
        reason = inbox / "failed" / (path.name + ".reason")
        until("the reason", lambda file=reason: file.exists() and file.read_text(encoding="utf-8"))
        shown(reason.name, reason.read_text(encoding="utf-8"), sentence)
    (inbox / "empty.txt").write_bytes(b"")
    reason = inbox / "failed" / "empty.txt.reason"
    until("the empty page", lambda: reason.exists() and reason.read_text(encoding="utf-8"))
    shown("empty.txt", reason.read_text(encoding="utf-8"), "empty")
    until("the alert", lambda: len(house.alerts()) == 1)

    for what, frames in (("header", [b"T1", b"ARTICLE", b"{"]), ("command", [b"T1", b"SING", b"{}"]), ("version", [b"T9", b"x"])):
        with house.connect("intake", zmq.REQ) as peer:
            peer.socket.send_multipart(frames)
            assert peer.socket.poll(10_000), f"no answer to a bad {what}"
            shown(f"intake, bad {what}", b" ".join(peer.socket.recv_multipart()).decode(), "T1")


def check_places(house):
    """What is taken is named with its holder; what is newer or no store is left as it is."""
    done = house.run("tocsin-broker", "--config", house.dir / "broker.yaml", status=75)
    shown("second broker on the same file", done.stderr, "broker.db.lock is held by process", "tocsin-broker")
    other = house.write("other.yaml", f"store: {house.dir / 'other.db'}\n")
    done = house.run("tocsin-broker", "--config", other, status=75)
    shown("second broker on the same sockets", done.stderr, ".sock.lock is held by process")
    done = house.run("tocsin-watcher", "--config", house.dir / "watcher.yaml", status=75)
    shown("second watcher", done.stderr, "is held by process", "tocsin-watcher")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = house.write("port.yaml", f"store: {house.dir / 'port.db'}\ninsecure_loopback: true\n"
                                        f"listen: {{fetch: 'tcp://127.0.0.1:{port}', live: 'ipc://{house.dir / 'l.sock'}'}}\n")
        done = house.run("tocsin-broker", "--config", path, status=75)
        shown("port taken", done.stderr, f"127.0.0.1:{port}")

    newer = house.dir / "newer.db"
    house.stop("tocsin-broker")
    newer.write_bytes(house.store.read_bytes())
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    path = house.write("newer.yaml", f"store: {newer}\n")
    before = newer.read_bytes()
    shown("newer store", house.run("tocsin-broker", "--config", path, status=78).stderr, "version 99", "newer")
    assert newer.read_bytes() == before, "a newer store was written to"

    scrap = house.dir / "scrap.db"
    scrap.write_bytes(b"this is a shopping list, and no database at all. " * 50)
    path = house.write("scrap.yaml", f"store: {scrap}\n")
    shown("no store", house.run("tocsin-broker", "--config", path, status=None).stderr, "not a database", "backup")
    assert scrap.read_bytes().startswith(b"this is a shopping list")


def main():
    with House() as house:
        check_watch_files(house)
        check_settings(house)
        check_articles(house)
        check_places(house)
        assert house.stop("tocsin-watcher") == 0


if __name__ == "__main__":
    main()
