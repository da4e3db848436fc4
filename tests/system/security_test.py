#!/usr/bin/python3
"""Keys, with the real programs: who comes in at which door, what each role may do, and that the doors close
when their keeper fails. docs/operating.md, "Keys", is what they promise."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from house import PATIENCE_S, Broker, Daemon, binary, run_tests, until
from wire import Connection, Live, Refused, Watcher, article, definition, hit, item, unlock, zmq

CHINA, SEA, HEALTH = (definition(name) for name in ("a/b", "a/bc", "health/flu"))
SILENCE_MS = 700  # a refused connection says nothing: that long is listened, after a proof that others hear


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Keys:
    """A folder of keys as a person makes it: tocsin keygen, and a list written by hand."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-keys-"))
        self.pairs, self.lines = {}, {}
        self.server = self.make("server")[0]

    def make(self, name):
        tocsin("keygen", "--folder", self.folder, name)
        pair = tuple((self.folder / f"{name}.{half}").read_text().strip()
                     for half in ("public", "secret"))
        self.pairs[name] = pair
        return pair

    def let_in(self, name, roles, rest=""):
        if name not in self.pairs:
            self.make(name)
        key = self.pairs[name][0]
        self.lines[name] = f"  - {{name: {name}, key: '{key}', roles: [{roles}]{rest}}}\n"
        self.write()

    def put_out(self, name):
        del self.lines[name]
        self.write()

    def write(self, text=None):
        text = text or "peers:\n" + "".join(self.lines.values()) if self.lines else "peers: []\n"
        (self.folder / "access.yaml").write_text(text)

    def of(self, name):
        """What a socket needs to come as `name`."""
        return (self.server.encode(), *(half.encode() for half in self.pairs[name]))

    def stranger(self):
        return (self.server.encode(), *zmq.curve_keypair())

    def client_folder(self, name, server=None):
        """The folder of keys of a person: for `tocsin --keys`."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="client-", dir=self.folder))
        secret = folder / "client.secret"
        secret.write_text(self.pairs[name][1] + "\n")
        secret.chmod(0o600)
        for daemon in ("broker", "watcher"):
            (folder / f"{daemon}.public").write_text((server or self.server) + "\n")
        return folder


def tocsin(*words, status=0, **environment):
    done = subprocess.run([binary("tocsin"), *map(str, words)], text=True, capture_output=True,
                          check=False, timeout=PATIENCE_S * 2, env={**os.environ, **environment})
    assert status is None or done.returncode == status, (words, done)
    return done


class Guarded(Broker):
    """A broker whose two doors are tcp ports with keys."""

    def __init__(self, keys, more="", **environment):
        self.keys = keys
        self.ports = (free_port(), free_port())
        fetch, live = (f"tcp://127.0.0.1:{port}" for port in self.ports)
        self.doors = {"fetch": fetch, "live": live}
        super().__init__(settings=f"listen: {{fetch: '{fetch}', live: '{live}'}}\n"
                                  f"keys: {keys.folder}\n{more}", **environment)

    fetch = property(lambda self: self.doors["fetch"])
    live = property(lambda self: self.doors["live"])

    def start(self, **environment):
        self.launch(**environment)
        until("the broker to be ready", lambda: "event=broker.ready" in self.log_text())
        return self

    def ask(self, name):
        return Connection(self.fetch, keys=self.keys.of(name))

    def reload(self):
        before = self.log_text().count("event=keys.")
        self.process.send_signal(signal.SIGHUP)
        until("the list to be read", lambda: self.log_text().count("event=keys.") > before)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        if kind is None:
            shutil.rmtree(self.keys.folder, ignore_errors=True)


def all_roles():
    keys = Keys()
    keys.let_in("watcher", "watcher")
    keys.let_in("reader", "subscriber")
    keys.let_in("boss", "admin")
    keys.let_in("press", "publisher")
    return keys


def silent(connection):
    """Nobody answers, whatever is asked."""
    connection.send("ECHO", {"nonce": "x"})
    return not connection.socket.poll(SILENCE_MS)


def stored(broker, *bodies, keys="watcher"):
    watcher = Watcher(broker.fetch, keys=broker.keys.of(keys))
    watcher.know(*bodies)
    records = [article(number) for number in range(len(bodies))]
    return watcher.put(*[item(r, [hit(r, body)]) for r, body in zip(records, bodies)])


def topics(broker, name, **header):
    with broker.ask(name) as connection:
        _, frames = connection.ask("FETCH", {"after": 0, "max_n": 500, **header}, reply="BATCH")
    return [json.loads(frame)["subject"] for frame in frames]


# --- roles ---


def test_each_command_wants_its_role_and_no_other():
    session = "0" * 32
    commands = {
        "HELLO": ("watcher", {"role": "watcher", "name": "w", "session": session}),
        "HB": ("watcher", {"session": session}),
        "PUT": ("watcher", {"session": session, "batch": 1, "n": 0}),
        "WATCH": ("watcher", {"session": session, "n": 0}),
        "FETCH": ("reader", {"after": 0}),
        "ACK": ("reader", {"consumer": "c", "seq": 0}),
        "ATTACH": ("reader", {"consumer": "d"}),
        "SEEK": ("reader", {"consumer": "c", "after": 0}),
        "DETACH": ("reader", {"consumer": "c"}),
        "ECHO": ("reader", {"nonce": "x"}),
        "STATS": ("boss", {}),
        "CONSUMERS": ("boss", {}),
    }
    with Guarded(all_roles()) as broker:
        broker.start()
        for who in ("watcher", "reader", "boss"):
            with broker.ask(who) as connection:
                for command, (role, header) in commands.items():
                    connection.send(command, header)
                    reply, answer, _ = connection.receive()
                    denied = reply == "ERR" and answer["code"] == "denied"
                    assert denied == (who != role), (who, command, reply, answer)
                    if denied:
                        assert "needs the role" in answer["reason"] and who in answer["reason"]
        with broker.ask("press") as connection:  # a publisher has no business here at all
            assert silent(connection)


def test_a_header_cannot_change_who_one_is():
    with Guarded(all_roles()) as broker:
        broker.start()
        for header in ({"user": "watcher"}, {"User-Id": "watcher"}, {"name": "watcher"}):
            with broker.ask("reader") as connection:
                try:
                    connection.ask("HELLO", {"role": "watcher", "session": "0" * 32, **header})
                    raise AssertionError("let in")
                except Refused as error:
                    assert error.header["code"] == "denied", error.header


def test_a_watcher_writes_only_below_its_prefixes():
    keys = all_roles()
    keys.let_in("narrow", "watcher", ", write: [a/b/]")
    with Guarded(keys) as broker:
        broker.start()
        stored(broker, CHINA, SEA, HEALTH)  # the definitions are known from now on
        watcher = Watcher(broker.fetch, "n", keys=keys.of("narrow"))
        records = [article(number, source="narrow") for number in range(3)]
        answer = watcher.put(*[item(r, [hit(r, body)]) for r, body in
                               zip(records, (CHINA, SEA, HEALTH))])
        assert answer["items"][0]["stored"] == 1, answer
        for refused in answer["items"][1:]:
            assert "may not write to" in refused["rejected"], answer
        try:
            watcher.ask("WATCH", {"session": watcher.session, "n": 1},
                        [definition("a/bc", severity="low")])
            raise AssertionError("a definition of a foreign topic was taken")
        except Refused as error:
            assert "may not write to" in error.header["reason"], error.header
        assert topics(broker, "reader").count("a/bc/high/") == 1


def test_a_reader_sees_only_below_its_prefixes_whatever_it_asks():
    keys = all_roles()
    keys.let_in("narrow", "subscriber", ", read: [a/b/]")
    with Guarded(keys) as broker:
        broker.start()
        stored(broker, CHINA, SEA, HEALTH)
        assert topics(broker, "reader") == ["a/b/high/", "a/bc/high/", "health/flu/high/"]
        assert topics(broker, "narrow") == ["a/b/high/"]
        for filters in (["a/"], ["a/b/", "a/bc/", "health/"], ["a/b/high/"]):
            assert topics(broker, "narrow", filters=filters) == ["a/b/high/"], filters
        for filters in (["a/bc/"], ["health/flu/high/"]):
            assert topics(broker, "narrow", filters=filters) == [], filters
        assert topics(broker, "narrow", consumer="narrow-desk", after="cursor") == ["a/b/high/"]


def test_a_consumer_belongs_to_the_key_that_made_it_until_an_admin_releases_it():
    keys = all_roles()
    keys.let_in("other", "subscriber")
    with Guarded(keys) as broker:
        broker.start()
        stored(broker, CHINA, SEA)

        def code(who, command, **header):
            with broker.ask(who) as connection:
                connection.send(command, {"consumer": "desk", **header})
                return connection.receive()[1].get("code")

        assert code("reader", "ATTACH") is None
        for command, header in (("ATTACH", {}), ("FETCH", {}), ("ACK", {"seq": 1}),
                                ("SEEK", {"after": 1}), ("DETACH", {})):
            assert code("other", command, **header) == "denied", command
        assert code("boss", "CONSUMERS", do="release") is None
        assert code("other", "FETCH") is None
        assert code("reader", "FETCH") == "denied"


# --- doors ---


def test_strangers_and_plaintext_hear_nothing_at_either_door():
    with Guarded(all_roles()) as broker:
        broker.start()
        for keys in (broker.keys.stranger(), None):
            with Connection(broker.fetch, keys=keys) as connection:
                assert silent(connection)
        with broker.ask("reader") as reader:
            listeners = []
            for keys in (broker.keys.stranger(), None, broker.keys.of("boss"),
                         broker.keys.of("watcher")):
                listener = zmq.Context.instance().socket(zmq.SUB)
                unlock(listener, keys)
                listener.linger = 0
                listener.connect(broker.live)
                listener.subscribe("")
                listeners.append(listener)
            live = Live(broker.live, reader, "a/", keys=broker.keys.of("reader"))
            stored(broker, CHINA)
            assert live.receive()[0] == "a/b/high/"
            for listener in listeners:
                assert not listener.poll(SILENCE_MS)
                listener.close()
            live.close()


def test_a_reader_of_some_topics_is_not_let_in_to_the_unfiltered_feed():
    keys = all_roles()
    keys.let_in("narrow", "subscriber", ", read: [a/b/]")
    with Guarded(keys, more="live_except: [health/]\n") as broker:
        broker.start()
        with broker.ask("reader") as reader:
            shut_out = zmq.Context.instance().socket(zmq.SUB)
            unlock(shut_out, keys.of("narrow"))
            shut_out.linger = 0
            shut_out.connect(broker.live)
            shut_out.subscribe("")
            live = Live(broker.live, reader, "", keys=keys.of("reader"))
            stored(broker, HEALTH, SEA)
            while True:
                topic, _ = live.receive()
                assert topic != "health/flu/high/"
                if topic == "a/bc/high/":
                    break
            assert not shut_out.poll(SILENCE_MS)
            shut_out.close()
            live.close()


# --- reload ---


def test_the_list_is_reloaded_without_a_restart_and_at_once():
    keys = all_roles()
    with Guarded(keys) as broker:
        broker.start()
        keys.make("late")
        with broker.ask("late") as late:
            assert silent(late)
        with broker.ask("reader") as reader:
            live = Live(broker.live, reader, "a/", keys=keys.of("reader"))
            reader.send("FETCH", {"after": "latest", "wait_ms": 30000})
            keys.let_in("late", "subscriber")
            keys.put_out("reader")
            broker.reload()
            reply, answer, _ = reader.receive()  # what waited with the old rights is ended
            assert (reply, answer["code"]) == ("ERR", "superseded"), answer
            reader.send("FETCH", {"after": 0})  # still connected, and yet
            reply, answer, _ = reader.receive()
            assert (reply, answer["code"]) == ("ERR", "denied"), answer
            with broker.ask("late") as late:
                new = Live(broker.live, late, "a/", keys=keys.of("late"))
            stored(broker, CHINA)
            assert new.receive()[0] == "a/b/high/"
            assert not live.socket.poll(SILENCE_MS), "who was put out still hears"
            live.close()
            new.close()


def test_a_new_key_under_an_old_name_ends_the_old_one():
    keys = all_roles()
    with Guarded(keys) as broker:
        broker.start()
        with broker.ask("reader") as before:
            before.ask("FETCH", {"after": 0}, reply="BATCH")
            (keys.folder / "reader.secret").rename(keys.folder / "old.secret")
            (keys.folder / "reader.public").unlink()
            keys.make("reader")
            keys.let_in("reader", "subscriber")
            broker.reload()
            before.send("FETCH", {"after": 0})
            assert before.receive()[1]["code"] == "denied"
        assert topics(broker, "reader") == []


def test_a_list_with_a_mistake_changes_nothing():
    keys = all_roles()
    with Guarded(keys) as broker:
        broker.start()
        good = (keys.folder / "access.yaml").read_text()
        (keys.folder / "access.yaml").write_text(good.replace("subscriber]", "subscriber], raed: [a/]"))
        broker.reload()
        log = broker.log_text()
        assert "event=keys.refused" in log and "raed" in log and "read" in log, log
        assert topics(broker, "reader") == []


# --- the doors' keeper fails ---


def test_a_handler_that_lets_strangers_in_is_found_before_anybody_is_served():
    with Guarded(all_roles()) as broker:
        status, said = broker.run_to_end(TOCSIN_FAULT="zap.admits")
        assert status == 70 and "event=broker.refused" in said, (status, said)
        assert "was let in at tcp://127.0.0.1" in said and "broker.ready" not in said


def test_a_handler_that_begins_to_let_strangers_in_closes_the_doors():
    with Guarded(all_roles()) as broker:
        broker.start(TOCSIN_FAULT="zap.admits:3")  # two doors are tested at the start
        broker.process.send_signal(signal.SIGHUP)
        status = broker.wait_end()
        assert status == 70 and "event=broker.failed" in broker.log_text(), broker.log_text()
        assert "was let in at" in broker.log_text()
        for port in broker.ports:
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_dead_handler_closes_the_doors():
    with Guarded(all_roles()) as broker:
        broker.start(TOCSIN_FAULT="zap.dies:3")
        broker.process.send_signal(signal.SIGHUP)
        with broker.ask("reader") as connection:
            connection.send("FETCH", {"after": 0})
            status = broker.wait_end()
            assert not connection.socket.poll(0), "served behind a dead handler"
        assert status == 70, broker.log_text()
        assert "it is silent: the endpoints are closed" in broker.log_text(), broker.log_text()


def test_without_a_handler_at_the_start_nothing_is_served():
    with Guarded(all_roles()) as broker:
        status, said = broker.run_to_end(TOCSIN_FAULT="zap.dies")
        assert status == 70 and "broker.ready" not in said and "silent" in said, (status, said)


# --- files ---


def test_keygen_writes_a_private_pair_and_overwrites_nothing():
    keys = Keys()
    secret, public = keys.folder / "server.secret", keys.folder / "server.public"
    assert secret.stat().st_mode & 0o777 == 0o600 and public.stat().st_mode & 0o777 == 0o644
    before = secret.read_text()
    again = tocsin("keygen", "--folder", keys.folder, "server", status=2)
    assert "is there already" in again.stderr and secret.read_text() == before
    secret.unlink()
    tocsin("keygen", "--folder", keys.folder, "server", status=2)
    assert not secret.exists(), "half a pair was left"
    tocsin("keygen", "--folder", keys.folder / "not" / "yet", "client")
    assert (keys.folder / "not" / "yet" / "client.public").exists()
    assert "no name for a key" in tocsin("keygen", "../x", status=2).stderr
    shown = tocsin("keygen", "--folder", keys.folder, "desk")
    assert (keys.folder / "desk.public").read_text().strip() in shown.stdout
    assert (keys.folder / "desk.secret").read_text().strip() not in shown.stdout + shown.stderr
    shutil.rmtree(keys.folder)


def test_mistakes_in_the_folder_keep_the_broker_from_starting_and_say_what_to_do():
    def loosen(keys):
        (keys.folder / "server.secret").chmod(0o640)

    def lose(keys):
        (keys.folder / "server.secret").unlink()

    def spoil(keys):
        (keys.folder / "server.secret").write_text("not a key\n")

    def mistype(keys):
        (keys.folder / "access.yaml").write_text("peers:\n  - {name: a, key: x, roles: [king]}\n")

    def forget(keys):
        (keys.folder / "access.yaml").unlink()

    for spoiling, words in ((loosen, ("chmod 600", "0640")), (lose, ("server.secret", "keygen")),
                            (spoil, ("holds no key",)), (forget, ("access.yaml",)),
                            (mistype, ("access.yaml:2:20", "no public key", "no role \"king\""))):
        keys = all_roles()
        with Guarded(keys) as broker:
            spoiling(keys)
            status, said = broker.run_to_end()
            assert status == 78, (spoiling, status, said)
            for word in words:
                assert word in said, (word, said)


def test_a_port_without_keys_is_refused_with_what_to_write():
    for settings, words in (("listen: {fetch: 'tcp://0.0.0.0:5561'}\n", "keys: FOLDER"),
                            ("listen: {fetch: 'tcp://127.evil.example:5561'}\n"
                             "insecure_loopback: true\n", "keys: FOLDER"),
                            ("listen: {live: 'tcp://127.0.0.1:5562'}\n", "insecure_loopback: true")):
        with Broker(settings=settings) as broker:
            status, said = broker.run_to_end()
            assert status == 78 and words in said, (settings, said)
    for settings, words in (("tap: tcp://0.0.0.0:5571\n", "keys: FOLDER"),
                            ("sources: [{socket: 'tcp://127.0.0.1:5572'}]\n", "insecure_loopback: true"),
                            ("sources: [{pull: 'tcp://*:5573'}]\n", "keys: FOLDER")):
        with Daemon("tocsin-watcher") as watcher:
            path = pathlib.Path(watcher.folder) / "watcher.yaml"
            path.write_text(settings)
            watcher.arguments = ["--config", str(path)]
            status, said = watcher.run_to_end()
            assert status == 78 and words in said, (settings, said)


# --- clients ---


def test_the_command_uses_keys_and_names_the_cause_when_it_is_refused():
    keys = all_roles()
    keys.make("unknown")
    with Guarded(keys) as broker:
        broker.start()
        stored(broker, CHINA)

        def run(*words, folder, status=0):
            return tocsin(*words, status=status, TOCSIN_FETCH=broker.fetch, TOCSIN_LIVE=broker.live,
                          TOCSIN_KEYS=str(folder))

        assert "a/b" in run("history", folder=keys.client_folder("reader")).stdout
        status = run("status", "--patience", "3s", folder=keys.client_folder("boss"), status=None)
        assert "denied" not in status.stdout + status.stderr
        for words in (("history",), ("tail",), ("consume", "desk")):
            said = run(*words, "--patience", "3s", folder=keys.client_folder("unknown"), status=2)
            assert "refuses our key" in said.stderr, said.stderr
            said = run(*words, "--patience", "3s", folder="", status=2)
            assert "one side uses them" in said.stderr, said.stderr
            wrong = keys.client_folder("reader", server=keys.pairs["unknown"][0])
            said = run(*words, "--patience", "3s", folder=wrong, status=2)
            assert "probably not its own" in said.stderr, said.stderr
        open_to_all = keys.client_folder("reader")
        (open_to_all / "client.secret").chmod(0o644)
        assert "chmod 600" in run("history", folder=open_to_all, status=2).stderr
        (open_to_all / "client.secret").unlink()
        assert "client.secret" in run("history", folder=open_to_all, status=2).stderr
        secrets = [pair[1] for pair in keys.pairs.values()]
        assert not [s for s in secrets if s in broker.log_text()], "a secret key is in the log"
        arguments = pathlib.Path(f"/proc/{broker.process.pid}/cmdline").read_text()
        assert not [s for s in secrets if s in arguments]


def test_a_watcher_submits_by_its_key_and_guards_its_own_ports():
    keys = all_roles()
    with Guarded(keys) as broker:
        broker.start()
        tap, intake = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        (keys.folder / "client.secret").write_text(keys.pairs["watcher"][1] + "\n")
        (keys.folder / "client.secret").chmod(0o600)
        (keys.folder / "broker.public").write_text(keys.server + "\n")
        with Daemon("tocsin-watcher") as watcher:
            folder = pathlib.Path(watcher.folder)
            (folder / "w.yaml").write_text("tocsin: 1\nwatches:\n  - name: flood\n    match: flood\n")
            path = folder / "watcher.yaml"
            path.write_text(f"watches: [w.yaml]\nkeys: {keys.folder}\nbroker: {broker.fetch}\n"
                            f"tap: {tap}\nsources: [{{socket: '{intake}'}}]\n")
            watcher.arguments = ["--config", str(path)]
            watcher.launch()
            until("the watcher to be ready", lambda: "event=watcher.ready" in watcher.log_text())
            page = folder / "page.json"
            page.write_text('{"id": "1", "title": "A flood in the north", "content_text": "Water."}')
            for who, status, words in (("press", 0, ""), ("reader", 2, "refuses our key")):
                done = tocsin("publish", "--intake", intake, "--patience", "4s", page, status=status,
                              TOCSIN_KEYS=str(keys.client_folder(who)))
                assert words in done.stderr, done
            until("the alert", lambda: topics(broker, "reader"))
            with Connection(intake, keys=keys.stranger()) as connection:
                assert silent(connection)
            # A watcher whose key is taken away says so, goes on collecting and loses nothing.
            keys.put_out("watcher")
            broker.reload()
            page.write_text('{"id": "2", "title": "A flood in the south", "content_text": "Water."}')
            tocsin("publish", "--intake", intake, page, TOCSIN_KEYS=str(keys.client_folder("press")))
            until("the denial", lambda: "denied: access.yaml" in watcher.log_text())
            until("the refusal", lambda: "refuses our key" in watcher.log_text())
            assert len(topics(broker, "reader")) == 1
            before = watcher.log_text().count("event=link.up")
            keys.let_in("watcher", "watcher")
            broker.reload()
            until("the link", lambda: watcher.log_text().count("event=link.up") > before)
            until("the second alert", lambda: len(topics(broker, "reader")) == 2)
            with Connection(intake, keys=keys.of("press")) as connection:
                assert connection.ask("STATS", reply="STATS")[0]["outbox_dead"] == 0


def test_the_guard_of_a_watcher_fails_closed_too():
    keys = all_roles()
    with Daemon("tocsin-watcher") as watcher:
        path = pathlib.Path(watcher.folder) / "watcher.yaml"
        path.write_text(f"keys: {keys.folder}\nbroker: none\ntap: tcp://127.0.0.1:{free_port()}\n")
        watcher.arguments = ["--config", str(path)]
        status, said = watcher.run_to_end(TOCSIN_FAULT="zap.admits")
        assert status == 70 and "was let in" in said and "watcher.ready" not in said, said
        watcher.launch(TOCSIN_FAULT="zap.admits:2")
        until("the watcher to be ready", lambda: "event=watcher.ready" in watcher.log_text())
        watcher.process.send_signal(signal.SIGHUP)
        assert watcher.wait_end() == 70 and "event=watcher.failed" in watcher.log_text()


if __name__ == "__main__":
    run_tests(globals())
