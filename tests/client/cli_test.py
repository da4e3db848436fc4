#!/usr/bin/python3
"""The online commands of `tocsin` against the real broker, and against a watcher of a few lines."""
import gzip
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.environ.get("TOCSIN_SOURCE", "."), "tests", "system"))
from house import Broker, binary, run_tests, until
from wire import PATIENCE_MS, Connection, Watcher, article, definition, hit, item, zmq

ASIA = definition("china-ai/travel-advice", labels={"desk": "asia"})
VISAS = definition("china-ai/visas", "critical")
CHESS = definition("sport/chess", "low", labels={"desk": "sport"})
EXCERPT = "Experts were told to ⟦avoid travel⟧ to the ⟦United States⟧."
FOLDERS = tempfile.TemporaryDirectory(prefix="tocsin-")  # removed at the end
NOBODY = tempfile.mkdtemp(dir=FOLDERS.name)


# --- helpers ---


def environment(broker=None, **more):
    base = {**os.environ, **(broker.environment if broker else {"TOCSIN_RUNTIME_DIR": NOBODY}),
            "TZ": "UTC", "LC_ALL": "C.UTF-8", **more}
    for name in ("TOCSIN_FETCH", "TOCSIN_LIVE", "TOCSIN_INTAKE", "COLUMNS"):
        base.pop(name, None)
    return base


def start(broker, *arguments, **more):
    return subprocess.Popen([binary("tocsin"), *arguments], env=environment(broker), text=True,
                            stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def run(broker, *arguments, stdin=""):
    """(exit status, standard output, standard error)"""
    done = subprocess.run([binary("tocsin"), *map(str, arguments)], env=environment(broker),
                          input=stdin, capture_output=True, text=True, timeout=PATIENCE_MS / 1000,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def sequences(lines):
    return [int(json.loads(line)["sequence"]) for line in lines.splitlines()]


def line_of(stream):
    """The next line, which must come in time."""
    assert select.select([stream], [], [], PATIENCE_MS / 1000)[0], "no line came"
    return stream.readline()


class Filled:
    """A broker with alerts 1 to 5: travel, travel, visas, chess, travel."""

    def __enter__(self):
        self.broker = Broker().start()
        self.watcher = Watcher(self.broker.fetch)
        self.watcher.know(ASIA, VISAS, CHESS)
        for number, body in enumerate((ASIA, ASIA, VISAS, CHESS, ASIA), 1):
            self.put(number, body)
        return self

    def put(self, number, body=ASIA, **more):
        record = article(number, **more)
        self.watcher.put(item(record, [hit(record, body, excerpt=EXCERPT)]))

    def __exit__(self, *error):
        self.watcher.close()
        self.broker.__exit__(*error)


class Desk:
    """A watcher's intake of a few lines. When no more questions come, `serve({rid: article id})` of the
    open ones says what is answered now, in its order: {rid: (reply, header)}."""

    def __init__(self, serve):
        folder = tempfile.mkdtemp(dir=FOLDERS.name)
        self.endpoint = f"ipc://{folder}/intake.sock"
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(self.endpoint)
        self.asked = []  # (command, header, body frames) as they came
        threading.Thread(target=self.run, args=(serve,), daemon=True).start()

    def run(self, serve):
        waiting = {}
        while True:
            if self.socket.poll(20):
                routing, _, command, header, *body = self.socket.recv_multipart()
                header = json.loads(header)
                waiting[header["rid"]] = header["article"]["id"]
                self.asked.append((command, header, body))
                continue
            for rid, (reply, answer) in serve(waiting).items():
                del waiting[rid]
                answer = json.dumps({"rid": rid, **answer}).encode()
                self.socket.send_multipart([routing, b"T1", reply, answer])


# --- the program itself ---


def test_help_lists_every_command_and_each_has_its_own():
    status, out, err = run(None, "help")
    assert (status, err) == (0, "")
    commands = re.findall(r"^  ([a-z]+) ", out, re.M)
    assert {"publish", "tail", "consume", "history", "status", "help"} <= set(commands), commands
    for command in commands:
        for arguments in ((command, "--help"), ("help", command)):
            status, out, err = run(None, *arguments)
            assert status == 0 and err == "", (arguments, status, err)
            assert "usage" in out.lower(), (arguments, out)


def test_an_unknown_command_is_refused_with_the_nearest():
    assert run(None, "hsitory") == (2, "", "tocsin: there is no command 'hsitory'; did you mean 'history'?\n")
    assert run(None, "xyzzy")[2] == "tocsin: there is no command 'xyzzy'; `tocsin help` lists them\n"
    assert run(None)[0] == 2
    assert run(None, "--bogus")[0] == 2


def test_the_version_is_printed():
    status, out, _ = run(None, "--version")
    assert status == 0 and re.fullmatch(r"tocsin \d+\.\d+\.\d+\n", out)


def test_wrong_arguments_end_with_2_and_a_sentence():
    for arguments, words in (
            (("tail", "--since", "yesterday"), "'yesterday' is neither a duration"),
            (("tail", "-n", "0"), "'0' is no number from 1"),
            (("tail", "--feed", "--since", "1h"), "--feed has no past"),
            (("tail", "--timeout", "5"), "'5' is no duration"),
            (("tail", "--label", "asia"), "'asia' is no label"),
            (("tail", "China AI"), "'China AI/' is neither a topic"),
            (("consume",), "say under which NAME"),
            (("consume", "a b"), "'a b' is no consumer name"),
            (("history", "--grep", "("), "is no regular expression"),
            (("history", "china-ai"), "'china-ai' is not expected here"),
            (("history", "--bogus"), "unrecognized option '--bogus'"),
            (("status", "--fetch", "nonsense", "--patience", "100ms"), "nonsense")):
        status, out, err = run(None, *arguments)
        assert status == 2 and words in err + out, (arguments, status, out, err)


def test_without_a_broker_every_command_says_so_and_ends_with_2():
    words = f"tocsin: no broker answers at ipc://{NOBODY}/fetch.sock; is tocsin-broker running?\n"
    for arguments in (("tail",), ("tail", "--since", "1h"), ("consume", "desk"), ("history",)):
        assert run(None, *arguments, "--patience", "100ms") == (2, "", words), arguments
    status, out, _ = run(None, "status", "--patience", "100ms")
    assert status == 2 and "broker   DOWN  no broker" in out and "watcher  DOWN  no watcher" in out
    status, _, err = run(None, "publish", "--patience", "100ms", stdin="some text")
    assert status == 2 and f"no watcher answers at ipc://{NOBODY}/intake.sock" in err


def test_a_consumer_with_a_topic_is_not_left_behind_by_what_it_does_not_want():
    with Filled() as filled:  # alerts 1 to 5: travel, travel, visas, chess, travel
        consume = start(filled.broker, "consume", "chess", "sport", "--json")
        assert sequences(line_of(consume.stdout)) == [4]
        for number in range(6, 9):
            filled.put(number)

        def caught_up():
            (row,) = filled.watcher.ask("STATS")[0]["consumers"]
            return row["cursor"] >= 5

        until("the cursor to pass alert 5", caught_up)
        consume.terminate()
        assert consume.wait(timeout=PATIENCE_MS / 1000) == 0
        consume.stdout.close()
        consume.stderr.close()


# --- history ---


def test_history_prints_a_table_oldest_first():
    with Filled() as filled:
        status, out, err = run(filled.broker, "history")
        assert (status, err) == (0, "")
        rows = [line.split() for line in out.splitlines()]
        assert rows[0] == ["#", "TIME", "SEVERITY", "WATCH", "SOURCE", "TITLE"]
        assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
        assert rows[3][3:6] == ["critical", "china-ai/visas", "wire"]


def test_history_narrows_by_topic_label_text_story_and_number():
    with Filled() as filled:
        def found(*arguments):
            return sequences(run(filled.broker, "history", "--json", *arguments)[1])
        assert found() == [1, 2, 3, 4, 5]
        assert found("--watch", "china-ai/visas") == [3]
        assert found("--topic", "china-ai", "--label", "desk=asia") == [1, 2, 5]
        assert found("--label", "desk=asia", "--label", "desk=sport") == [1, 2, 4, 5]
        assert found("--grep", "title [34]$") == [3, 4]
        assert found("-n", "2") == [4, 5]
        assert found("--after", "3") == [4, 5]
        assert found("--since", "1h") == [1, 2, 3, 4, 5]
        assert found("--until", "1h") == []
        story = json.loads(run(filled.broker, "history", "--json", "-n", "1")[1])["data"]["story"]["id"]
        assert found("--story", story) == [5]
        assert run(filled.broker, "history", "--watch", "no/such") == (1, "", "")


# --- tail ---


WATCH_FILE = """tocsin: 1
namespace: china-ai
watches:
  - name: travel-advice
    labels: {severity: high}
    match: one
  - {name: visas, labels: {severity: critical}, match: two}
  - {name: never-seen, match: three}
  - {name: resting, status: shadow, match: four}
"""


def test_check_asks_the_history_which_watches_fell_silent():
    path = os.path.join(FOLDERS.name, "w.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WATCH_FILE)

    def silent(*arguments):
        status, out, err = run(filled.broker, "check", path, *arguments)
        assert status == 0, out + err
        return re.findall(r"^.*:(\d+:\d+): warning\[W0208\]: (.*)$", out, re.M), out

    with Filled() as filled:
        assert silent("--history")[0] == []  # all came just now, or never: the history is too short for that
        found, out = until("a second without an alert of either",
                           lambda: len((said := silent("--history=1s"))[0]) > 1 and said)
        assert found == [("4:11", "no match in the history for 1s"),
                         ("7:12", "no match in the history for 1s")], out
        assert "  help: it had alerts before: tocsin history --watch china-ai/visas\n" in out
        # A third never had any, which says something once others had some in that second.
        fresh = iter(range(6, 1000))
        third = ("8:12", "no match in the history for 1s")

        def names_the_third():
            filled.put(next(fresh), VISAS)
            said = silent("--history=1s")
            return third in said[0] and said

        _, out = until("the watch that never had an alert", names_the_third)
        assert "  help: it never had one, others had; tocsin why tells why not of an article\n" in out
        status, out, _ = run(filled.broker, "check", "--strict", "--history=1h", path)
        assert "W0208" not in out, out
    status, _, err = run(None, "check", path, "--history", "--patience", "200ms")
    assert status == 2 and "no broker answers" in err, (status, err)


def test_tail_replays_and_goes_on_live_without_loss_or_double():
    with Filled() as filled:
        tail = start(filled.broker, "tail", "--since", "1h", "--json", "-n", "30")
        for number in range(6, 31):
            filled.put(number)
        out, err = tail.communicate(timeout=PATIENCE_MS / 1000)
        assert tail.returncode == 0
        assert sequences(out) == list(range(1, 31))
        assert "following the alerts" in err


def test_tail_fetches_what_came_while_the_broker_was_away():
    with Filled() as filled:
        tail = start(filled.broker, "tail", "china-ai", "--json", "-n", "3")
        assert "the newest is #5" in line_of(tail.stderr)
        filled.put(6)
        assert sequences(line_of(tail.stdout)) == [6]
        filled.broker.kill()
        assert "the connection is lost" in line_of(tail.stderr)
        filled.broker.start()
        filled.watcher.close()
        filled.watcher = Watcher(filled.broker.fetch)
        filled.watcher.know(ASIA, CHESS)
        filled.put(7, CHESS)
        filled.put(8)
        filled.put(9)
        out, err = tail.communicate(timeout=PATIENCE_MS / 1000)
        assert tail.returncode == 0 and sequences(out) == [8, 9], out
        assert "the connection is back" in err


def test_tail_ends_with_0_on_a_signal_and_1_when_too_few_came():
    with Filled() as filled:
        for number in (signal.SIGINT, signal.SIGTERM):
            tail = start(filled.broker, "tail")
            line_of(tail.stderr)
            tail.send_signal(number)
            out, err = tail.communicate(timeout=PATIENCE_MS / 1000)
            assert (tail.returncode, out, err) == (0, "", "")
        assert run(filled.broker, "tail", "--timeout", "50ms")[0] == 0
        assert run(filled.broker, "tail", "--timeout", "50ms", "-n", "1")[0] == 1


def test_a_reader_that_goes_away_ends_tail_quietly():
    with Filled() as filled:
        tail = start(filled.broker, "tail", "--since", "1h")
        tail.stdout.close()
        assert tail.wait(timeout=PATIENCE_MS / 1000) == -signal.SIGPIPE
        assert "write" not in tail.stderr.read()


def test_tail_listens_to_the_live_feed_alone():
    with Filled() as filled:
        tail = start(filled.broker, "tail", "--feed", "--fetch", f"ipc://{NOBODY}/none", "--json", "-n", "1",
                     "--label", "desk=sport")
        assert "listening to" in line_of(tail.stderr)
        number = 10
        while tail.poll() is None:  # its subscription takes effect some time after the connection
            filled.put(number, CHESS)
            filled.put(number + 1)
            number += 2
        assert json.loads(tail.stdout.read())["subject"] == "sport/chess/low/"


# --- consume ---


def test_consume_goes_on_behind_what_it_acknowledged():
    with Filled() as filled:
        assert sequences(run(filled.broker, "consume", "desk", "--json", "-n", "2")[1]) == [1, 2]
        assert sequences(run(filled.broker, "consume", "desk", "--json", "-n", "1")[1]) == [3]
        assert sequences(run(filled.broker, "consume", "desk", "sport", "--json", "-n", "1")[1]) == [4]
        assert sequences(run(filled.broker, "consume", "other", "--json", "-n", "1")[1]) == [1]


def test_consume_exec_acknowledges_what_the_command_took():
    with Filled() as filled, tempfile.TemporaryDirectory() as folder:
        # Fails for the second alert until a file is there, and does not read its standard input then.
        command = f"""if [ -e {folder}/one ] && [ ! -e {folder}/ok ]; then touch {folder}/ok; exit 3; fi
                      cat >>{folder}/got; touch {folder}/one"""
        status, out, err = run(filled.broker, "consume", "desk", "--exec", command, "-n", "3")
        assert (status, out) == (0, "")
        assert err == "tocsin: alert #2: the command ended with 3\n"
        with open(f"{folder}/got", encoding="utf-8") as got:
            assert sequences(got.read()) == [1, 2, 3]
        assert sequences(run(filled.broker, "consume", "desk", "--json", "-n", "1")[1]) == [4]


def test_consume_stopped_while_a_command_fails_does_not_acknowledge():
    with Filled() as filled:
        consume = start(filled.broker, "consume", "desk", "--exec", "exit 1")
        assert "alert #1: the command ended with 1" in line_of(consume.stderr)
        consume.terminate()
        assert consume.wait(timeout=PATIENCE_MS / 1000) == 0
        assert sequences(run(filled.broker, "consume", "desk", "--json", "-n", "1")[1]) == [1]


def test_consume_new_begins_with_the_next_alert():
    with Filled() as filled:
        consume = start(filled.broker, "consume", "desk", "--new", "--json", "-n", "1")
        connection = Connection(filled.broker.fetch)
        number = 6
        while consume.poll() is None:  # it begins where the history ends when it first asks
            filled.put(number)
            number += 1
        connection.close()
        assert sequences(consume.stdout.read())[0] > 5


# --- publish ---


def test_publish_tells_each_outcome_and_ends_with_1_when_one_was_rejected():
    outcomes = {"a": [(b"BUSY", {"retry_ms": 1}), (b"ACCEPTED", {"id": "a", "hits": 2})],
                "b": [(b"DUPLICATE", {"id": "b"})], "c": [(b"REJECTED", {"reason": "too old"})]}
    intake = Desk(lambda waiting: {rid: outcomes[name].pop(0) for rid, name in waiting.items()})
    lines = "".join(json.dumps({"id": name, "text": f"text of {name}", "lang": "en"}) + "\n" for name in "abc")
    status, out, _ = run(None, "publish", "--to", intake.endpoint, stdin=lines)
    assert status == 1
    assert out == "accepted   a  2 hits\nduplicate  b\nrejected   c  too old\n"
    command, question, body = intake.asked[0]
    assert command == b"ARTICLE" and body == [b"text of a"], intake.asked[0]
    assert question["article"]["id"] == "a" and question["article"]["language"] == "en"
    assert "text" not in question["article"] and "source" not in question["article"]


def test_publish_reads_pages_and_gzip_and_reports_what_is_no_article():
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/page.txt", "w", encoding="utf-8") as page:
            page.write("Một trang báo.\n")
        with gzip.open(f"{folder}/two.jsonl.gz", "wt") as file:
            file.write('{"id":"x","text":"y"}\n{"id":\n')
        intake = Desk(lambda waiting: {rid: (b"ACCEPTED", {"id": name, "hits": int(name == "x")})
                                       for rid, name in waiting.items()})
        status, out, err = run(None, "publish", "--to", intake.endpoint, "--json", f"{folder}/page.txt",
                               f"{folder}/two.jsonl.gz")
        assert status == 1 and f"{folder}/two.jsonl.gz:2: not JSON" in err, (status, err)
        assert [json.loads(line) for line in out.splitlines()] == [
            {"article": "page.txt", "outcome": "accepted", "hits": 0},
            {"article": "x", "outcome": "accepted", "hits": 1}]
        assert intake.asked[0][1]["article"]["page"] is True
        assert intake.asked[0][2] == ["Một trang báo.\n".encode()]


def articles_of(names):
    return "".join(json.dumps({"id": name, "text": f"text of {name}"}) + "\n" for name in names)


def test_publish_has_many_articles_on_the_way_and_tells_them_in_their_order():
    open_at_once = []

    def backwards(waiting):
        open_at_once.append(len(waiting))
        return {rid: (b"ACCEPTED", {"id": waiting[rid], "hits": rid}) for rid in sorted(waiting, reverse=True)}

    desk = Desk(backwards)
    names = [f"n{number}" for number in range(200)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", dir=FOLDERS.name) as file:
        file.write(articles_of(names))
        file.flush()
        status, out, err = run(None, "publish", "--to", desk.endpoint, "--json", file.name)
    assert status == 0, err
    assert [json.loads(line)["article"] for line in out.splitlines()] == names
    assert max(open_at_once) > 50, open_at_once


def test_a_busy_watcher_gets_fewer_at_once_and_versions_keep_their_order():
    room, most = 8, []

    def small(waiting):
        most.append(len(waiting))
        rids = sorted(waiting)
        answers = {rid: (b"BUSY", {"retry_ms": 1}) for rid in rids[room:]}
        return {**answers, **{rid: (b"ACCEPTED", {"id": waiting[rid], "hits": 0}) for rid in rids[:room]}}

    desk = Desk(small)
    names = [f"n{number // 2}" for number in range(120)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", dir=FOLDERS.name) as file:
        file.write(articles_of(names))
        file.flush()
        status, out, err = run(None, "publish", "--to", desk.endpoint, "--json", file.name)
    assert status == 0, err
    assert [json.loads(line)["article"] for line in out.splitlines()] == names
    assert len(desk.asked) < 2 * len(names), "what was refused is sent again and again"


def test_publish_answers_before_it_waits_for_more_input():
    desk = Desk(lambda waiting: {rid: (b"ACCEPTED", {"id": waiting[rid], "hits": 0}) for rid in waiting})
    publish = start(None, "publish", "--to", desk.endpoint, stdin=subprocess.PIPE)
    for name in "ab":
        publish.stdin.write(articles_of(name))
        publish.stdin.flush()
        assert line_of(publish.stdout) == f"accepted   {name}  0 hits\n"
    publish.stdin.close()
    assert publish.wait(timeout=PATIENCE_MS / 1000) == 0
    publish.stdout.close()
    publish.stderr.close()


def test_a_watcher_that_dies_in_the_middle_is_said_and_how_many_are_open():
    desk = Desk(lambda waiting: {rid: (b"ACCEPTED", {"id": "n0", "hits": 0}) for rid in waiting if waiting[rid] == "n0"})
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", dir=FOLDERS.name) as file:
        file.write(articles_of(f"n{number}" for number in range(10)))
        file.flush()
        status, out, err = run(None, "publish", "--to", desk.endpoint, "--patience", "300ms", file.name)
    assert (status, out) == (2, "accepted   n0  0 hits\n"), (status, out)
    assert "no watcher answers at" in err and "9 articles were sent and not answered" in err, err


# --- status ---


def test_status_shows_the_broker_and_says_that_no_watcher_answers():
    with Filled() as filled:
        run(filled.broker, "consume", "desk", "-n", "2")
        status, out, _ = run(filled.broker, "status", "--patience", "200ms")
        assert status == 1
        assert re.search(r", up \d+ s\n", out), out
        assert "5 stored, newest #5, oldest kept #1" in out
        assert re.search(r"desk +2 +3 ", out), out
        assert "watcher  DOWN  no watcher answers" in out
        both = json.loads(run(filled.broker, "status", "--json", "--patience", "200ms")[1])
        assert both["broker"]["head"] == 5 and both["watcher"] is None


# --- a terminal ---


def on_terminal(broker, *arguments, **more):
    """What a command prints on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([binary("tocsin"), *arguments], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=subprocess.DEVNULL,
                               env=environment(broker, TERM="xterm", **more))
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            break
        text += part
    os.close(ours)
    process.wait()
    return text.decode()


def test_colours_are_for_terminals_and_obey_no_color():
    with Filled() as filled:
        coloured = on_terminal(filled.broker, "history", "--long", "-n", "1")
        assert "\033[31mhigh" in coloured and "\033[1m\033[33mavoid travel\033[0m" in coloured, coloured
        assert "⟦" not in coloured
        plain = on_terminal(filled.broker, "history", "--long", "-n", "1", NO_COLOR="1")
        assert "\033" not in plain and "⟦avoid travel⟧" in plain


run_tests(globals())
