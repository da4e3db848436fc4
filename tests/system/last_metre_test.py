"""The last metre: `tocsin consume --exec` and `--post` against real commands and local servers.

What must hold: an alert is acknowledged when it was taken, tried again when not, written into the file
of dead letters when nobody takes it, and neither lost nor skipped by a kill at any moment.
"""
import asyncio
import contextlib
import email
import email.policy
import http.server
import json
import os
import queue
import random
import signal
import sqlite3
import subprocess
import threading

from house import SOURCE, Broker, binary, run_tests, skip, until
from wire import Connection, Watcher, article, definition, hit, item

CHINA = definition("china/travel", labels={"desk": "asia"})
CHESS = definition("sport/chess", labels={"desk": "sport"})
EXAMPLES = SOURCE / "config" / "consumers"


def fill(broker, numbers, body=CHINA, **more):
    with Watcher(broker.fetch) as watcher:
        watcher.know(CHINA, CHESS)
        for number in numbers:
            record = article(number, url=f"https://example.org/{number}", **more)
            watcher.put(item(record, [hit(record, body, excerpt="They ⟦avoid travel⟧.")]))


def consume(broker, *arguments, **environment):
    """A running `tocsin consume desk ...`."""
    return subprocess.Popen([binary("tocsin"), "consume", "desk", *map(str, arguments)],
                            env={**broker.environment, "NO_COLOR": "1", **environment}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=broker.folder)


def consumed(broker, *arguments, status=0, **environment):
    """Runs it to its end and gives what it said."""
    process = consume(broker, *arguments, **environment)
    out, said = process.communicate(timeout=120)
    assert process.returncode == status, (process.returncode, out, said)
    return said


def cursor(broker):
    """Where the broker says that the consumer stands; 0 when it does not know it."""
    with Connection(broker.fetch) as connection:
        rows = connection.ask("STATS")[0]["consumers"]
    return next((row["cursor"] for row in rows if row["name"] == "desk"), 0)


def numbers_in(path):
    """The sequences of the events in a file, one JSON object a line."""
    with open(path, encoding="utf-8") as lines:
        return [int(json.loads(line)["sequence"]) for line in lines]


def dead_in(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Web(http.server.ThreadingHTTPServer):
    """Answers each POST with the next of `answers` (status, headers), the last one for ever."""

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Hook)
        self.answers, self.asked = list(answers) or [(200, {})], queue.Queue()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def bodies(self):
        return [self.asked.get_nowait()[1] for _ in range(self.asked.qsize())]


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.put((dict(self.headers), body))
        answers = self.server.answers
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "2"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


# --- commands ---


def test_a_command_has_the_event_and_its_fields():
    with Broker() as broker:
        fill(broker.start(), [1], title="A \"title\" with ü and $(touch x)")
        consumed(broker, "-n", 1, "--exec", "cat >event; env >fields")
        with open(os.path.join(broker.folder, "event"), encoding="utf-8") as file:
            event = json.load(file)
        with open(os.path.join(broker.folder, "fields"), encoding="utf-8") as file:
            fields = dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)
        got = {name: fields[f"TOCSIN_ALERT_{name}"] for name in
               ("SEQ", "ID", "TOPIC", "WATCH", "SEVERITY", "TITLE", "URL", "ATTEMPT", "CONSUMER", "EXCERPT")}
        assert got == {"SEQ": "1", "ID": event["id"], "TOPIC": "china/travel/high/", "WATCH": "china/travel",
                       "SEVERITY": "high", "TITLE": 'A "title" with ü and $(touch x)', "ATTEMPT": "1",
                       "URL": "https://example.org/1", "CONSUMER": "desk",
                       "EXCERPT": "They ⟦avoid travel⟧."}, got
        assert not os.path.exists(os.path.join(broker.folder, "x"))


def test_what_nobody_takes_is_a_dead_letter_and_the_next_one_follows():
    with Broker() as broker:
        fill(broker.start(), [1, 2, 3])
        command = 'test "$TOCSIN_ALERT_SEQ" != 2 && cat >>taken'
        said = consumed(broker, "-n", 3, "--exec", command, "--dead", "dead", "--attempts", 2)
        assert "alert #2: the command ended with 1" in said and "given up, written to dead" in said, said
        assert numbers_in(os.path.join(broker.folder, "taken")) == [1, 3] and cursor(broker) == 3
        dead, = dead_in(os.path.join(broker.folder, "dead"))
        assert set(dead) == {"time", "consumer", "attempts", "reason", "event"}, dead
        assert (dead["attempts"], dead["consumer"], int(dead["event"]["sequence"])) == (2, "desk", 2), dead
        assert os.stat(os.path.join(broker.folder, "dead")).st_mode & 0o777 == 0o600


def test_a_command_that_hangs_is_ended_with_all_that_it_started():
    with Broker() as broker:
        fill(broker.start(), [1])
        said = consumed(broker, "-n", 1, "--exec", "sleep 1000 & echo $! >pid; wait", "--timeout", "200ms",
                        "--dead", "dead", "--attempts", 1)
        assert "was ended after 200 ms" in said, said
        with open(os.path.join(broker.folder, "pid"), encoding="utf-8") as file:
            child = f"/proc/{int(file.read())}"
        until("the command's child to end", lambda: not os.path.exists(child))
        assert len(dead_in(os.path.join(broker.folder, "dead"))) == 1 and cursor(broker) == 1


def test_sigterm_lets_the_running_command_end_and_acknowledges_it():
    with Broker() as broker:
        fill(broker.start(), [1, 2])
        os.mkfifo(os.path.join(broker.folder, "gate"))
        process = consume(broker, "--exec", "echo $$ >started; read x <gate; cat >>taken")
        until("the command", lambda: os.path.exists(os.path.join(broker.folder, "started")))
        process.send_signal(signal.SIGTERM)
        assert "stopping as soon as the command for alert #1 has ended" in process.stderr.readline()
        with open(os.path.join(broker.folder, "gate"), "w", encoding="utf-8") as gate:
            gate.write("go\n")
        process.communicate(timeout=60)
        assert process.returncode == 0 and numbers_in(os.path.join(broker.folder, "taken")) == [1]
        assert cursor(broker) == 1


def test_who_is_replaced_while_an_alert_fails_stops_trying():
    with Broker() as broker:
        fill(broker.start(), [1])
        process = consume(broker, "--exec", "echo x >>tries; exit 1")
        until("a try", lambda: os.path.exists(os.path.join(broker.folder, "tries")))
        consumed(broker, "-n", 1, "--json")
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2, (process.returncode, said)


def test_two_of_one_name_never_share_it():
    with Broker() as broker:
        broker.start()
        first = consume(broker, "--json")
        until("the first to attach", lambda: leased(broker))
        second = consume(broker, "--json", "-n", 2)
        _, said = first.communicate(timeout=60)
        assert first.returncode == 2 and "another process consumes under this name" in said, said
        fill(broker, [1, 2])
        out, _ = second.communicate(timeout=60)
        assert [int(json.loads(line)["sequence"]) for line in out.splitlines()] == [1, 2]
        assert not leased(broker)  # given free at its end


def consumers(broker, *arguments, status=0):
    done = subprocess.run([binary("tocsin"), "consumers", *arguments], env={**broker.environment, "NO_COLOR": "1"},
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_consumers_are_listed_over_pages_dropped_and_released():
    with Broker() as broker:
        fill(broker.start(), [1, 2, 3])
        assert "nobody has consumed yet" in consumers(broker)
        consumed(broker, "china", "-n", 2, "--json")
        with Connection(broker.fetch) as connection:
            for number in range(130):
                connection.ask("ACK", {"consumer": f"x{number:03}", "seq": 1})
        rows = [json.loads(line) for line in consumers(broker, "--json").splitlines()]
        assert [row["name"] for row in rows] == ["desk", *(f"x{n:03}" for n in range(130))]
        assert (rows[0]["cursor"], rows[0]["lag"], rows[0]["filters"], rows[0]["owner"]) == (2, 1, ["china/"], "~"), rows[0]
        lines = consumers(broker).splitlines()
        assert len(lines) == 132 and lines[0].split()[0] == "CONSUMER" and lines[1].split()[:3] == ["desk", "2", "1"], lines[:2]
        consumers(broker, "--drop", "x007")
        assert "there is no consumer" in consumers(broker, "--drop", "x007", status=2)
        holder = consume(broker, "--json")
        until("it to attach", lambda: leased(broker))
        consumers(broker, "--release", "desk")
        _, said = holder.communicate(timeout=60)
        assert holder.returncode == 2 and "another process" in said, said
        assert len(consumers(broker, "--json").splitlines()) == 130 and not leased(broker)


def leased(broker):
    with Connection(broker.fetch) as connection:
        return any(row["leased"] for row in connection.ask("STATS")[0]["consumers"])


def test_gaps_and_another_history_are_told_and_gone_over():
    with Broker() as broker:
        fill(broker.start(), [1, 2, 3])
        consumed(broker, "-n", 1, "--json")
        assert broker.stop() == 0
        with contextlib.closing(sqlite3.connect(broker.store)) as db, db:
            db.execute("DELETE FROM alert WHERE seq <= 2")
            db.execute("INSERT INTO meta VALUES('first', 3)")
            db.execute("UPDATE meta SET value = randomblob(16) WHERE key = 'epoch'")
        broker.start()
        process = consume(broker, "-n", 1, "--json")
        out, said = process.communicate(timeout=60)
        assert process.returncode == 0 and int(json.loads(out)["sequence"]) == 3, (out, said)
        assert "the history was replaced by another one" in said, said
        assert "1 alerts, #2 to #2, were removed by retention" in said, said
        assert cursor(broker) == 3


# --- web hooks ---


def test_an_event_is_posted_as_it_is_with_the_headers_of_a_file():
    with Broker() as broker, Web() as web:
        fill(broker.start(), [1])
        with open(os.path.join(broker.folder, "headers"), "w", encoding="utf-8") as file:
            file.write("# secret\nAuthorization: Bearer xyz\n\n")
        consumed(broker, "-n", 1, "--post", web.url, "--header-file", "headers")
        headers, body = web.asked.get_nowait()
        assert headers["Authorization"] == "Bearer xyz" and headers["User-Agent"].startswith("tocsin/")
        assert headers["Content-Type"] == "application/cloudevents+json; charset=UTF-8", headers
        with Connection(broker.fetch) as connection:
            assert connection.ask("FETCH")[1] == [body]
        assert cursor(broker) == 1


def test_what_is_refused_for_now_is_posted_again_and_what_for_good_is_dead():
    with Broker() as broker, Web((503, {}), (200, {}), (404, {}), (429, {"Retry-After": "2"}),
                                 (302, {"Location": "/"}), (204, {})) as web:
        fill(broker.start(), [1, 2, 3, 4])
        said = consumed(broker, "-n", 4, "--post", web.url, "--dead", "dead")
        sent = [int(json.loads(body)["sequence"]) for body in web.bodies()]
        assert sent == [1, 1, 2, 3, 3, 4], (sent, said)
        assert [int(dead["event"]["sequence"]) for dead in dead_in(os.path.join(broker.folder, "dead"))] == [2, 3]
        assert "alert #2: the server answered 404: ok" in said and "#3: the server answered 302" in said
        assert cursor(broker) == 4


def test_nobody_at_the_url_is_tried_again():
    with Broker() as broker:
        fill(broker.start(), [1])
        with Web() as web:
            pass
        process = consume(broker, "-n", 1, "--post", web.url)
        assert "alert #1: " in process.stderr.readline() and cursor(broker) == 0
        again = http.server.ThreadingHTTPServer(web.server_address, Hook)
        again.answers, again.asked = [(200, {})], queue.Queue()
        thread = threading.Thread(target=again.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        process.communicate(timeout=60)
        again.shutdown()
        thread.join()
        again.server_close()
        assert process.returncode == 0 and again.asked.qsize() == 1 and cursor(broker) == 1


def test_wrong_orders_are_refused_before_anything_is_taken():
    cases = (
        (("--post", "ftp://example.org/"), "http://"), (("--post", "@nothing"), "nothing"),
        (("--post", "http://me:secret@example.org/"), "--header-file"),
        (("--post", "http://x/", "--header-file", "bad"), "bad:1:1: this is no header"),
        (("--post", "http://x/", "--template", "shape"), "shape:2:3: there is no such field"),
        (("--post", "http://x/", "--template", "open"), "open:1:1: these braces are not closed"),
        (("--post", "http://x/", "--exec", "true"), "exclude"), (("--exec", "true", "--attempts", "3"), "--dead"),
        (("--dead", "x"), "for --exec and --post"), (("--exec", "true", "--dead", "no/such/dead"), "no/such/dead"),
    )
    with Broker() as broker:
        fill(broker.start(), [1])
        for name, text in (("bad", "Authorization Bearer\n"), ("shape", "\n  {{titel}}"), ("open", "{{title")):
            with open(os.path.join(broker.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        for arguments, words in cases:
            said = consumed(broker, *arguments, status=2)
            assert words in said and "secret@" not in said, (arguments, said)
        assert cursor(broker) == 0


# --- the examples ---


def test_the_chat_example_posts_what_a_chat_wants():
    with Broker() as broker, Web() as web:
        fill(broker.start(), [1], title='Say "hello"\\ \t{{url}}')
        with open(os.path.join(broker.folder, "url"), "w", encoding="utf-8") as file:
            file.write(web.url + "\n")
        consumed(broker, "-n", 1, "--post", "@url", "--template", EXAMPLES / "chat.json")
        headers, body = web.asked.get_nowait()
        assert headers["Content-Type"] == "application/json", headers
        assert json.loads(body) == {"text": '*high* Say "hello"\\ \t{{url}}\nThey ⟦avoid travel⟧.\n'
                                            "https://example.org/1"}, body


@contextlib.contextmanager
def mail_server(answer="250 OK"):
    """An SMTP server: its URL and the envelopes that it took."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError:
        skip("python3-aiosmtpd is not installed")
    mails = []

    class Keep:
        async def handle_DATA(self, _server, _session, envelope):
            mails.append(envelope)
            return answer

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(Keep(), loop=loop), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", mails
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


def test_the_mail_example_sends_a_mail_over_smtp():
    title = "Zürich: „Ausreise“ 北京 " + "very long " * 20 + "\r\nBcc: evil@example.org"
    with Broker() as broker, mail_server() as (server, mails):
        fill(broker.start(), [1], title=title)
        consumed(broker, "-n", 1, "--exec", EXAMPLES / "mail.sh", MAIL_SERVER=server,
                 MAIL_TO="a@example.org, b@example.org", MAIL_FROM="tocsin@example.org")
        envelope, = mails
        assert envelope.mail_from == "tocsin@example.org"
        assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert mail["Subject"] == "[high] " + title.replace("\r\n", "  "), mail["Subject"]
        assert mail["Bcc"] is None and mail["Message-ID"].endswith("@tocsin>")
        text = mail.get_content()
        assert "They ⟦avoid travel⟧." in text and "https://example.org/1" in text, text
        assert all(len(line) < 79 for line in envelope.content.decode("ascii").splitlines())
        assert cursor(broker) == 1


def test_a_mail_that_the_server_refuses_is_not_acknowledged():
    with Broker() as broker, mail_server("451 later") as (server, _):
        fill(broker.start(), [1])
        process = consume(broker, "--exec", EXAMPLES / "mail.sh", MAIL_SERVER=server,
                          MAIL_TO="a@example.org", MAIL_FROM="tocsin@example.org")
        said = process.stderr.readline() + process.stderr.readline()
        assert "451" in said or "the command ended with" in said, said
        assert cursor(broker) == 0
        process.terminate()
        process.communicate(timeout=60)


def test_the_mail_example_hands_over_to_sendmail_without_a_server():
    with Broker() as broker:
        fill(broker.start(), [1])
        path = os.path.join(broker.folder, "sendmail")
        with open(path, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\necho "$@" >arguments\ncat >mail\n')
        os.chmod(path, 0o755)
        consumed(broker, "-n", 1, "--exec", EXAMPLES / "mail.sh", SENDMAIL=path, MAIL_TO="a@example.org",
                 MAIL_FROM="tocsin@example.org")
        with open(os.path.join(broker.folder, "mail"), "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        with open(os.path.join(broker.folder, "arguments"), encoding="utf-8") as file:
            assert file.read() == "-i -t -f tocsin@example.org\n"
        assert mail["To"] == "a@example.org" and mail["Subject"] == "[high] Title 1"


# --- kills ---


def test_a_kill_at_each_point_repeats_and_never_skips():
    for point in ("consume.dealt_with", "deadletter.written"):
        with Broker() as broker:
            fill(broker.start(), [1, 2, 3])
            command = 'test "$TOCSIN_ALERT_SEQ" != 2 && cat >>taken'
            arguments = ("-n", 3, "--exec", command, "--dead", "dead", "--attempts", 1)
            before = consume(broker, *arguments, TOCSIN_FAULT=f"{point}:{2 if point[0] == 'c' else 1}")
            before.communicate(timeout=60)
            assert before.returncode == -signal.SIGKILL, (point, before.returncode)
            assert cursor(broker) == 1
            consumed(broker, "-n", 2, "--exec", command, "--dead", "dead", "--attempts", 1)
            assert numbers_in(os.path.join(broker.folder, "taken")) == [1, 3]
            dead = [int(dead["event"]["sequence"]) for dead in dead_in(os.path.join(broker.folder, "dead"))]
            assert dead == [2, 2], (point, dead)


def test_a_torn_dead_letter_is_ended_before_the_next():
    with Broker() as broker:
        fill(broker.start(), [1])
        path = os.path.join(broker.folder, "dead")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"time":"2025')
        consumed(broker, "-n", 1, "--exec", "exit 1", "--dead", "dead", "--attempts", 1)
        with open(path, encoding="utf-8") as file:
            torn, whole = file.read().splitlines()
        assert torn == '{"time":"2025' and json.loads(whole)["attempts"] == 1


def test_kills_at_random_moments_lose_nothing():
    seed = int(os.environ.get("LAST_METRE_SEED") or random.randrange(1 << 32))
    alerts, kills = 300, int(os.environ.get("LAST_METRE_KILLS") or 12)
    chance = random.Random(seed)
    print(f"LAST_METRE_SEED={seed}")
    with Broker() as broker:
        taken = os.path.join(broker.folder, "taken")
        fill(broker.start(), range(1, alerts + 1, 2))
        fill(broker, range(2, alerts + 1, 2), CHESS)
        with contextlib.closing(sqlite3.connect(f"file:{broker.store}?mode=ro", uri=True)) as db:
            wanted = [seq for seq, in db.execute("SELECT seq FROM alert WHERE topic LIKE 'china/%' ORDER BY seq")]

        def count():
            return len(numbers_in(taken)) if os.path.exists(taken) else 0

        for _ in range(kills):
            process = consume(broker, "china", "--exec", "cat >>taken")
            moment = count() + chance.randrange(1, 9)
            until(f"{moment} alerts", lambda at=moment: count() >= at)
            process.kill()
            process.communicate(timeout=60)
            if chance.random() < 0.4:
                broker.kill()
                broker.start()
        process = consume(broker, "china", "--exec", "cat >>taken")
        until("the last one", lambda: cursor(broker) >= wanted[-1])
        process.terminate()
        process.communicate(timeout=60)
        got = numbers_in(taken)
        assert sorted(set(got)) == wanted, sorted(set(wanted) ^ set(got))
        first = list(dict.fromkeys(got))
        assert first == wanted, "not in order"
        print(f"        {len(got)} deliveries of {len(wanted)} alerts, {kills} kills")


if __name__ == "__main__":
    run_tests(globals())
