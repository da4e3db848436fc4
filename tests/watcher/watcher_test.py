#!/usr/bin/python3
"""The program tocsin-watcher without a broker: intake, tap, folder, reload, bad starts."""
import contextlib
import glob
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests", "system"))
from house import Daemon, binary, until
from wire import PATIENCE_MS, Connection, zmq

WATCH = """tocsin: 1
namespace: demo
watches:
  - name: storm
    labels: {severity: high}
    match: '%s'
"""


class Watcher(Daemon):
    """A watcher of one watch, without a broker."""

    def __init__(self, config="", query="storm"):
        super().__init__("tocsin-watcher")
        self.arguments = ["--config", self.path("watcher.yaml")]
        self.seen = 0  # how much of the log wait_line() has passed
        self.write("watch.yaml", WATCH % query)
        self.config = "state: state\nwatches: [watch.yaml]\nbroker: none\n" + config
        self.write("watcher.yaml", self.config)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *flags, config="watcher.yaml"):
        """Runs a watcher beside this one to its end."""
        return subprocess.run([binary(self.program), "--config", self.path(config), *flags], cwd=self.folder,
                              env=self.environment, text=True, capture_output=True, timeout=60, check=False)

    def start(self, *wrapper, **environment):
        self.launch(*wrapper, **environment)
        self.wait_line("watcher.ready")

    def wait_line(self, word):
        """The next line of the log with the word."""
        def line():
            text = self.log_text()
            at = text.find(word, self.seen)
            end = text.find("\n", at)
            if at < 0 or end < 0:
                return None
            self.seen = end
            return text[text.rfind("\n", 0, at) + 1:end]

        return until(f"{word} in the log", line)

    def intake(self, kind=zmq.DEALER):
        return Connection(self.socket("intake"), kind)


def publish(intake, article, body=None):
    """What becomes of an article: (reply, header)."""
    intake.send("ARTICLE", {"article": article}, [] if body is None else [body.encode()])
    return intake.receive()[:2]


def stats(intake):
    return intake.ask("STATS", reply="STATS")[0]


def listen(watcher, intake):
    """A subscriber of the tap whose subscription is known to be active: probes until one arrives."""
    tap = zmq.Context.instance().socket(zmq.SUB)
    tap.linger = 0
    tap.connect(watcher.socket("tap"))
    tap.subscribe(b"")
    number = 0

    def heard():
        nonlocal number
        number += 1
        publish(intake, {"id": f"probe-{number}", "text": "storm"})
        return tap.poll(100)

    until("a probe on the tap", heard)
    while json.loads(tap.recv_multipart()[1])["data"]["article"]["id"] != f"probe-{number}":
        assert tap.poll(PATIENCE_MS), "the last probe is missing"
    return tap


class WatcherTest(unittest.TestCase):
    def watcher(self, *args, **more):
        watcher = Watcher(*args, **more)
        self.addCleanup(watcher.__exit__, None)
        return watcher

    def test_an_article_is_accepted_and_its_hit_shown_on_the_tap(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        tap = listen(watcher, intake)
        reply, header = publish(intake, {"id": "a", "title": "Weather", "url": "http://e/a"},
                                "A storm is coming. Stay inside.")
        self.assertEqual((reply, header["hits"], header["id"]), ("ACCEPTED", 1, "a"))
        topic, event = tap.recv_multipart()
        event = json.loads(event)
        self.assertEqual(topic, b"demo/storm/high/")
        self.assertEqual(event["type"], "org.tocsin.hit.v1")
        self.assertEqual(event["subject"], "demo/storm/high/")
        self.assertEqual(event["stored"], False)
        self.assertNotIn("sequence", event)
        self.assertEqual(event["data"]["article"]["url"], "http://e/a")
        self.assertIn("\u27e6storm\u27e7", event["data"]["excerpt"])
        self.assertEqual(watcher.stop(), 0)

    def test_a_repeat_is_a_duplicate_also_after_a_restart_and_a_change_a_version(self):
        watcher = self.watcher()
        for first in (True, False):
            watcher.start()
            intake = watcher.intake()
            reply, _ = publish(intake, {"id": "a"}, "A storm is coming.")
            self.assertEqual(reply, "ACCEPTED" if first else "DUPLICATE")
            if first:
                watcher.stop()
        tap = listen(watcher, intake)
        publish(intake, {"id": "a"}, "A bigger storm is coming.")
        event = json.loads(tap.recv_multipart()[1])
        self.assertEqual(event["data"]["article"]["version"], 2)

    def test_what_cannot_be_read_is_rejected_with_its_reason(self):
        watcher = self.watcher("max_article_bytes: 2000B\n")
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        for article, body, reason in (
                ({"id": "a"}, "", "empty"),
                ({"id": "a"}, "x" * 3000, "larger than 2000 bytes"),
                ({"id": "a", "html": "<p>"}, None, "HTML pages are read by a later version"),
                ({"id": ["a"]}, "text", '"id" is no text')):
            reply, header = publish(intake, article, body)
            self.assertEqual(reply, "REJECTED")
            self.assertIn(reason, header["reason"])
        intake.send("ARTICLE", {"article": {"id": "b"}}, [b"a storm \xff"])
        self.assertEqual(intake.receive()[0], "ACCEPTED")  # repaired, and counted
        now = stats(intake)
        self.assertEqual((now["link"], now["watches"], now["articles"], now["rejected"]),
                         ("none", 1, 1, 4))

    def test_STATS_names_broken_files_first_and_has_room_for_any_name(self):
        watcher = self.watcher()
        folder = os.fsencode(watcher.path("many"))
        os.mkdir(folder)
        for number in range(300):
            with open(folder + b"/%03d-\xff%s.jsonl" % (number, b"\x01" * 200), "w", encoding="utf-8") as file:
                file.write('{"namespace":"demo","name":"w%d","match":"storm"}\n' % number)
        watcher.write("watcher.yaml", "state: state\nwatches: ['many/*.jsonl']\nbroker: none\n")
        watcher.start()
        with open(folder + b"/299-\xff%s.jsonl" % (b"\x01" * 200), "w", encoding="utf-8") as file:
            file.write("{")
        watcher.process.send_signal(signal.SIGHUP)
        watcher.wait_line("stale=1")
        now = stats(watcher.intake())
        self.assertEqual(now["watches"], 300)
        self.assertIn("error", now["files"][0])
        self.assertNotIn("error", now["files"][1])
        self.assertEqual(watcher.stop(), 0)

    def test_a_file_that_is_broken_at_the_start_runs_on_its_last_good_version(self):
        watcher = self.watcher()
        watcher.start()
        until("the copy", lambda: glob.glob(watcher.path("state/watches/*[0-9a-f]/**/watch.yaml"), recursive=True))
        self.assertEqual(watcher.stop(), 0)
        watcher.write("watch.yaml", WATCH % "(flood")
        self.assertEqual(watcher.run("--check").returncode, 78)
        watcher.start()
        intake = watcher.intake()
        self.assertEqual(publish(intake, {"id": "1"}, "storm")[1]["hits"], 1)
        file = stats(intake)["files"][0]
        self.assertIn("watch.yaml:6:", file["error"])
        self.assertIn("T", file["since"])
        self.assertEqual(watcher.stop(), 0)
        self.assertIn(f"running={file['since']}", watcher.log_text())

    def test_a_folder_is_read_to_its_end(self):
        watcher = self.watcher("sources:\n  - folder: inbox\n  - lines: wire.jsonl\n")
        os.mkdir(watcher.path("inbox"))
        watcher.write("inbox/page.txt", "Storm warning\n\nA storm comes near the coast tonight.\n")
        watcher.write("inbox/bad.json", "{")
        watcher.write("wire.jsonl", '{"id":"1","text":"storm"}\nnonsense\n')
        result = watcher.run("--once")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(os.path.exists(watcher.path("inbox/done/page.txt")))
        self.assertTrue(os.path.exists(watcher.path("inbox/failed/bad.json.reason")))
        self.assertIn("wire.jsonl:2", result.stderr)

    def test_once_says_what_it_waits_for(self):
        watcher = self.watcher()
        watcher.write("watcher.yaml", "state: state\nwatches: [watch.yaml]\n"
                      "broker: ipc:///nowhere/fetch.sock\nsources:\n  - lines: wire.jsonl\n")
        watcher.write("wire.jsonl", '{"id":"1","text":"storm"}\n')
        watcher.arguments.append("--once")
        watcher.start()
        self.assertIn("for=ipc:///nowhere/fetch.sock outbox_waiting=1",
                      watcher.wait_line("watcher.waiting"))
        self.assertEqual(watcher.stop(), 0)  # what waits is safe, and sent by the next run

    def test_a_reload_takes_good_files_and_keeps_the_last_good_version_of_bad_ones(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        watcher.write("watch.yaml", WATCH % "flood")
        watcher.process.send_signal(signal.SIGHUP)
        watcher.wait_line("watches.loaded")
        self.assertEqual(publish(intake, {"id": "1"}, "storm")[1]["hits"], 0)
        self.assertEqual(publish(intake, {"id": "2"}, "flood")[1]["hits"], 1)
        watcher.write("watch.yaml", WATCH % "(flood")
        watcher.process.send_signal(signal.SIGHUP)
        self.assertIn("stale=1", watcher.wait_line("watches.loaded"))
        self.assertEqual(publish(intake, {"id": "3"}, "flood")[1]["hits"], 1)
        self.assertIn("watch.yaml:", stats(intake)["files"][0]["error"])

    def test_a_changed_file_is_heard_however_it_is_written(self):
        watcher = self.watcher("watch_files: true\n")
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        watcher.write("watch.yaml", WATCH % "flood")
        watcher.wait_line("watches.loaded")
        self.assertEqual(publish(intake, {"id": "1"}, "flood")[1]["hits"], 1)
        watcher.write("fresh", WATCH % "gale")
        os.rename(watcher.path("fresh"), watcher.path("watch.yaml"))
        watcher.wait_line("watches.loaded")
        self.assertEqual(publish(intake, {"id": "2"}, "gale")[1]["hits"], 1)
        watcher.write("watch.yaml", WATCH % "(quake")
        self.assertIn("stale=1", watcher.wait_line("watches.loaded"))
        self.assertEqual(publish(intake, {"id": "3"}, "gale")[1]["hits"], 1)
        watcher.write("lists.yaml", "tocsin: 1\nlists: {words: [ash]}\n")
        watcher.write("watch.yaml", WATCH.replace("watches:", "include: [lists.yaml]\nwatches:") % "@words")
        self.assertIn("stale=0", watcher.wait_line("watches.loaded"))
        self.assertEqual(publish(intake, {"id": "4"}, "ash")[1]["hits"], 1)
        watcher.write("lists.yaml", "tocsin: 1\nlists: {words: [lava]}\n")
        watcher.wait_line("watches.loaded")
        self.assertEqual(publish(intake, {"id": "5"}, "lava")[1]["hits"], 1)
        self.assertEqual(watcher.stop(), 0)

    def changed_in_bulk(self, name, form):
        """One of very many watches is added, changed, removed, broken; hits keep their order."""
        watcher = self.watcher("audit: 1\n")
        lines = [("w%d" % number, "storm" if number % 20000 == 7 else "word%d" % number)
                 for number in range(100000)]

        def reload(stale=0):
            watcher.write(name, form(lines))
            watcher.process.send_signal(signal.SIGHUP)
            loaded = watcher.wait_line("watches.loaded")
            self.assertIn(f"stale={stale}", loaded)
            return loaded

        def names(identity):
            """The watches of its hits, as the tap shows them; hits of earlier articles may come first."""
            waiting, found = publish(intake, {"id": identity}, "A storm with flood and gale.")[1]["hits"], []
            while len(found) < waiting:
                assert tap.poll(PATIENCE_MS), "a hit is missing on the tap"
                data = json.loads(tap.recv_multipart()[1])["data"]
                if data["article"]["id"] == identity:
                    found.append(data["watch"]["name"].split("/")[1])
            return found

        watcher.write(name, form(lines))
        watcher.write("watcher.yaml", watcher.config.replace("watch.yaml", name))
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        tap = listen(watcher, intake)
        stormy = ["w7", "w20007", "w40007", "w60007", "w80007"]
        lines[50000:50000] = [("added", "flood")]
        self.assertIn("on_top=1 ", reload())
        self.assertEqual(names("one"), stormy[:3] + ["added"] + stormy[3:])
        lines[10] = ("w10", "gale")
        self.assertIn("watches=100001", reload())
        self.assertEqual(names("two"), ["w7", "w10", *stormy[1:3], "added", *stormy[3:]])
        del lines[50000], lines[7]
        self.assertIn("watches=99999", reload())
        self.assertEqual(names("three"), ["w10", *stormy[1:]])
        lines[3] = ("w3", "(storm")
        reload(stale=1)
        self.assertEqual(names("four"), ["w10", *stormy[1:]])
        until("a merge", lambda: stats(intake)["watches_on_top"] == 0)
        self.assertEqual(names("five"), ["w10", *stormy[1:]])
        now = stats(intake)
        self.assertGreaterEqual(now["audited_total"], 6)
        self.assertEqual((now["audit_misses_total"], now["watches"]), (0, 99999))
        tap.close(linger=0)
        self.assertEqual(watcher.stop(), 0)

    def test_one_line_of_very_many_is_changed(self):
        self.changed_in_bulk("many.jsonl", lambda lines: "".join(
            '{"name":"%s","match":"%s"}\n' % line for line in lines))

    def test_one_watch_of_very_many_in_YAML_is_changed(self):
        self.changed_in_bulk("many.yaml", lambda lines: "tocsin: 1\nwatches:\n" + "".join(
            "  - {name: %s, match: '%s'}\n" % line for line in lines))

    def test_words_are_counted_and_kept_over_a_restart(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake(zmq.REQ)
        self.assertEqual(stats(intake)["frequencies"], "guessed")
        for number in range(600):
            publish(intake, {"id": str(number)}, f"storm over the town, for the {number}th time")
        self.assertIn("frequencies=counted", watcher.wait_line("watches.merged"))
        now = stats(intake)
        self.assertEqual(now["frequencies"], "counted")
        self.assertGreaterEqual(now["frequencies_articles"], 256)
        self.assertEqual(publish(intake, {"id": "after"}, "storm")[1]["hits"], 1)
        self.assertEqual(watcher.stop(), 0)
        watcher.start()
        self.assertEqual(stats(watcher.intake())["frequencies"], "counted")
        self.assertEqual(watcher.stop(), 0)

    def test_when_too_much_waits_for_the_broker_the_intake_is_busy(self):
        watcher = self.watcher()
        watcher.write("watcher.yaml", "state: state\nwatches: [watch.yaml]\n"
                      "broker: ipc://nobody.sock\nmax_outbox_articles: 3\n")
        watcher.start()
        intake = watcher.intake()
        for number in range(3):
            self.assertEqual(publish(intake, {"id": str(number)}, "storm")[0], "ACCEPTED")
        watcher.wait_line("outbox.full")
        self.assertEqual(publish(intake, {"id": "late"}, "storm")[0], "BUSY")
        now = stats(intake)
        self.assertEqual((now["outbox_waiting"], now["blocked"], now["link"]), (3, True, "down"))
        self.assertEqual(watcher.stop(), 0)

    def test_a_full_disk_blocks_the_input_until_there_is_room(self):
        watcher = self.watcher("http: 127.0.0.1:0\n")
        os.mkdir(watcher.path("state"))
        mount = (f"mount -t tmpfs -o size=2m tmpfs {watcher.path('state')} && "
                 f"head -c 1500000 /dev/zero > {watcher.path('state')}/ballast && exec \"$@\"")
        small_disk = ["unshare", "-Urm", "sh", "-c", mount, "sh"]
        if subprocess.run([*small_disk, "true"], capture_output=True, check=False).returncode:
            self.skipTest("a small disk cannot be mounted here")
        watcher.start(*small_disk)
        intake = watcher.intake()
        accepted, text = 0, "storm " * 50
        for number in range(5000):
            intake.send("ARTICLE", {"article": {"id": "x" * 400 + str(number), "text": text}})
            # Without an answer it waits for room, like its sender.
            if not intake.socket.poll(1000) or intake.receive()[0] != "ACCEPTED":
                break
            accepted += 1
        self.assertIn("the disk is full", watcher.wait_line("outbox.stuck"))
        self.assertIsNone(watcher.process.poll())
        status, why = watcher.page("/readyz")
        self.assertEqual((status, "the outbox cannot be written" in why), (503, True), why)
        os.remove(f"/proc/{watcher.process.pid}/root{watcher.path('state')}/ballast")
        watcher.wait_line("outbox.unstuck")
        self.assertEqual(watcher.page("/readyz")[0], 200)
        intake.close()
        intake = watcher.intake()
        self.assertEqual(publish(intake, {"id": "after"}, "storm")[0], "ACCEPTED")
        self.assertEqual(publish(intake, {"id": "x" * 400 + "0"}, text)[0], "DUPLICATE")
        self.assertEqual(publish(intake, {"id": "x" * 400 + str(accepted - 1)}, text)[0],
                         "DUPLICATE")
        self.assertEqual(watcher.stop(), 0)

    def test_an_outbox_that_somebody_else_writes_is_waited_for(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake()
        other = sqlite3.connect(watcher.path("state/outbox.db"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        intake.send("ARTICLE", {"article": {"id": "a", "text": "storm"}})
        self.assertIn("another process has it open", watcher.wait_line("outbox.stuck"))
        other.execute("ROLLBACK")
        other.close()
        self.assertEqual(intake.receive()[0], "ACCEPTED")
        watcher.wait_line("outbox.unstuck")
        self.assertEqual(watcher.stop(), 0)

    def test_an_outbox_that_was_taken_away_ends_the_watcher(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake()
        self.assertEqual(publish(intake, {"id": "a", "text": "storm"})[0], "ACCEPTED")
        os.rename(watcher.path("state/outbox.db"), watcher.path("state/away.db"))
        intake.send("ARTICLE", {"article": {"id": "b", "text": "storm"}})
        self.assertEqual(intake.receive()[0], "BUSY")  # it was not accepted
        self.assertIn("moved or removed", watcher.wait_line("outbox.failed"))
        self.assertEqual(watcher.process.wait(timeout=30), 74)

    def test_a_failing_disk_ends_the_watcher_with_74(self):
        watcher = self.watcher()
        watcher.start()
        intake = watcher.intake()
        self.assertEqual(publish(intake, {"id": "a", "text": "storm"})[0], "ACCEPTED")
        # From here on the log cannot grow: a write is an error (EFBIG).
        size = os.path.getsize(watcher.path("state/outbox.db-wal"))
        resource.prlimit(watcher.process.pid, resource.RLIMIT_FSIZE, (size, size))
        intake.send("ARTICLE", {"article": {"id": "b", "text": "storm"}})
        self.assertEqual(intake.receive()[0], "BUSY")  # it was not accepted
        self.assertEqual(watcher.wait_end(), 74)
        watcher.wait_line("outbox.failed")
        intake.close()
        watcher.start()
        intake = watcher.intake()
        self.assertEqual(publish(intake, {"id": "a", "text": "storm"})[0], "DUPLICATE")
        self.assertEqual(publish(intake, {"id": "b", "text": "storm"})[0], "ACCEPTED")

    def test_an_outbox_that_cannot_be_used_is_refused_and_left_as_it_is(self):
        def damage(path):
            with open(path, "r+b") as file:
                file.seek(4096)
                file.write(b"\x5a" * 4096 * 5)

        def make_newer(path):
            with contextlib.closing(sqlite3.connect(path)) as db, db:
                db.execute("PRAGMA user_version = 99")

        for harm, status, words in ((damage, 74, "Move it away (with its -wal file) and start again"),
                                    (make_newer, 78, "was made by a newer tocsin (format 99")):
            watcher = self.watcher()
            watcher.start()
            intake = watcher.intake()
            for number in range(50):
                self.assertEqual(publish(intake, {"id": str(number), "text": "storm"})[0], "ACCEPTED")
            intake.close()
            self.assertEqual(watcher.stop(), 0)
            path = watcher.path("state/outbox.db")
            harm(path)
            with open(path, "rb") as file:
                before = file.read()
            result = watcher.run()
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn("watcher.refused", result.stderr)
            self.assertIn(words, result.stderr)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), before)

    def test_bad_starts_say_why(self):
        watcher = self.watcher(query="(storm")
        result = watcher.run()
        self.assertEqual(result.returncode, 78)
        self.assertIn("watch.yaml:6:", result.stderr)
        watcher.write("watch.yaml", WATCH % "storm")
        self.assertEqual(watcher.run("--check").returncode, 0)
        self.assertEqual(watcher.run("--nonsense").returncode, 64)
        watcher.start()
        result = watcher.run()  # the outbox is taken
        self.assertEqual(result.returncode, 75)
        self.assertIn("outbox.lock is held by process", result.stderr)
        watcher.write("other.yaml", "state: state2\nwatches: [watch.yaml]\nbroker: none\n")
        result = watcher.run(config="other.yaml")
        self.assertEqual(result.returncode, 75)
        self.assertIn("tap.sock.lock is held by process", result.stderr)

    def test_what_was_committed_before_a_kill_is_a_duplicate_and_nothing_else(self):
        for point, again in (("outbox.commit", "ACCEPTED"), ("outbox.committed", "DUPLICATE")):
            watcher = self.watcher()
            watcher.start(TOCSIN_FAULT=point)
            intake = watcher.intake()
            intake.send("ARTICLE", {"article": {"id": "a", "text": "storm"}})
            self.assertEqual(watcher.wait_end(), -signal.SIGKILL)
            intake.close()
            watcher.start()
            intake = watcher.intake()
            self.assertEqual(publish(intake, {"id": "a", "text": "storm"})[0], again)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")  # sockets may end with the program
