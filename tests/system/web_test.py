#!/usr/bin/python3
"""Health and metrics of both daemons, by real HTTP: what they say, that it is true, and that nobody can hold
them. docs/operating.md, "Health and metrics", is what they promise."""
import ctypes
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from house import PATIENCE_S, SOURCE, Broker, House, run_tests, until
from wire import Connection

HTTP = "http: 127.0.0.1:0\n"
CONNECTIONS = 128  # of common/http.h
LIFE_S = 10
WATCH = "tocsin: 1\nnamespace: news\nwatches:\n  - {name: sea, match: harbour}\n"
OK, READY = (200, "ok\n"), (200, "ready\n")


# --- one thread of a daemon, held as a debugger does ---


class Held:
    """Stops one thread of a process, and only that one: the others go on."""

    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, process, thread=None):
        self.tid = next((int(tid) for tid in os.listdir(f"/proc/{process.pid}/task")
                         if name_of(process.pid, tid) == thread), process.pid)
        assert thread is None or self.tid != process.pid, f"no thread {thread}"

    def ptrace(self, request):
        if self.libc.ptrace(ctypes.c_long(request), ctypes.c_long(self.tid), None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.ptrace(self.SEIZE)
        self.ptrace(self.INTERRUPT)
        os.waitpid(self.tid, self.WALL)
        return self

    def __exit__(self, *_):
        self.ptrace(self.DETACH)


def name_of(pid, tid):
    with open(f"/proc/{pid}/task/{tid}/comm", encoding="utf-8") as comm:
        return comm.read().strip()


def may_hold_threads():
    probe = subprocess.Popen(["sleep", "60"])  # pylint: disable=consider-using-with
    try:
        with Held(probe):
            return True
    except OSError:
        return False
    finally:
        probe.kill()
        probe.wait()


# --- HTTP by hand ---


def reach(daemon):
    connection = socket.create_connection(daemon.http(), timeout=PATIENCE_S)
    connection.settimeout(PATIENCE_S)
    return connection


def rest_of(connection):
    """All that comes until the daemon closes."""
    got = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return got
        if not more:
            return got
        got += more


def raw(daemon, request):
    """What is answered to these bytes."""
    with reach(daemon) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read to its end
        return rest_of(connection)


def status_of(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else None


def links_of(daemon):
    """What its descriptors are."""
    folder = f"/proc/{daemon.process.pid}/fd"
    links = []
    for descriptor in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{descriptor}"))
        except FileNotFoundError:
            pass
    return links


def sockets_of(daemon):
    return sum(link.startswith("socket:") for link in links_of(daemon))


def values(text):
    """{series: value} of a page of metrics."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if line and not line.startswith("#")}


def lint(text):
    """promtool finds nothing to say."""
    if not shutil.which("promtool"):
        print("        (promtool is not installed: the metrics are not linted)")
        return
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done


def busy_house(house):
    """A broker, a watcher, a consumer, and one article that hit."""
    broker = house.broker(HTTP)
    house.write("w.yaml", WATCH)
    watcher = house.watcher(HTTP + "watches: [w.yaml]\n")
    house.write("a.txt", "The harbour of the old town was closed on Monday.")
    house.run("tocsin", "publish", house.dir / "a.txt")
    until("the alert", lambda: house.stats("fetch")["alerts"] == 1)
    with house.connect("fetch") as client:
        client.ask("ACK", {"consumer": "desk", "seq": 0})
    until("the confirmation", lambda: house.stats("intake")["outbox_waiting"] == 0)
    return broker, watcher


# --- what they say ---


def test_both_daemons_are_healthy_and_ready_and_their_metrics_are_those_of_stats():
    with House() as house:
        broker, watcher = busy_house(house)
        for daemon in (broker, watcher):
            assert daemon.page("/healthz") == OK and daemon.page("/readyz") == READY
            lint(daemon.page("/metrics")[1])
            assert daemon.page("/")[0] == 404 and daemon.page("/metrics/")[0] == 404
            assert daemon.page("/metrics?name=x")[0] == 200
            assert daemon.page("/metrics", "HEAD") == (200, "")
        ours, stats = values(broker.page("/metrics")[1]), house.stats("fetch")
        for name, key in (("alerts_total", "alerts"), ("hits_total", "hits"), ("watches", "watches"),
                          ("duplicate_hits_total", "duplicates"), ("first_alert_number", "first")):
            assert ours[f"tocsin_broker_{name}"] == stats[key], name
        assert ours['tocsin_broker_consumer_lag_alerts{consumer="desk"}'] == 1
        assert ours['tocsin_broker_build_info{version="%s"}' % stats["version"]] == 1
        assert ours['tocsin_broker_epoch_info{epoch="%s"}' % stats["epoch"]] == 1
        assert abs(ours["tocsin_broker_start_time_seconds"] - time.time()) < 600
        theirs = values(watcher.page("/metrics")[1])
        assert theirs["tocsin_watcher_articles_total"] == theirs["tocsin_watcher_hits_total"] == 1
        assert theirs["tocsin_watcher_match_duration_seconds_count"] == 1
        assert 0 < theirs["tocsin_watcher_match_duration_seconds_sum"] < PATIENCE_S
        assert theirs["tocsin_watcher_link_up"] == 1


def test_the_table_in_the_documentation_is_what_is_sent():
    documented = set(re.findall(r"^\| `(tocsin_\w+)` \| (\w+) \| (.*) \|$",
                                (SOURCE / "docs" / "operating.md").read_text(encoding="utf-8"), re.M))
    with House() as house:
        sent = set()
        for daemon in busy_house(house):
            text = daemon.page("/metrics")[1]
            kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
            sent |= {(name, kinds[name], words)
                     for name, words in re.findall(r"^# HELP (\w+) (.*)$", text, re.M)}
        assert documented == sent, ("only documented:", documented - sent, "only sent:", sent - documented)


def test_a_watcher_is_ready_when_its_broker_answers_and_its_outbox_has_room():
    with House() as house:
        house.write("w.yaml", WATCH)
        watcher = house.watcher(HTTP + "watches: [w.yaml]\nmax_outbox_articles: 1\n")
        status, why = watcher.page("/readyz")
        assert status == 503 and "does not answer" in why and "fetch.sock" in why, why
        assert watcher.page("/healthz") == OK
        assert "\ntocsin_watcher_link_up 0\n" in watcher.page("/metrics")[1]
        house.write("a.txt", "The harbour of the old town was closed on Monday.")
        house.run("tocsin", "publish", house.dir / "a.txt")
        until("the outbox to be full", lambda: house.stats("intake")["blocked"])
        status, why = watcher.page("/readyz")
        assert status == 503 and why.startswith("too much waits for the broker: 1 items, the limit is 1"), why
        house.broker()
        until("the watcher to be ready", lambda: watcher.page("/readyz") == READY)


def test_a_watcher_that_needs_no_broker_is_ready_without_one():
    with House() as house:
        watcher = house.watcher(HTTP + "broker: none\n")
        assert watcher.page("/readyz") == READY
        assert "tocsin_watcher_link_up" not in watcher.page("/metrics")[1]


def test_a_broken_watch_file_is_counted():
    with House() as house:
        house.write("w.yaml", WATCH)
        watcher = house.watcher(HTTP + "broker: none\nwatches: [w.yaml]\nwatch_files: true\n")
        broken = lambda: values(watcher.page("/metrics")[1])["tocsin_watcher_broken_watch_files"]
        assert broken() == 0
        house.write("w.yaml", WATCH + "  - {name: bad, match: '('}\n")
        until("the file to count as broken", lambda: broken() == 1)
        house.write("w.yaml", WATCH)
        until("the file to be good again", lambda: broken() == 0)


def test_a_loop_that_stands_still_is_unhealthy_until_it_goes_on():
    if not may_hold_threads():
        print("        (threads cannot be held here: not tested)")
        return
    with House() as house:
        broker, watcher = busy_house(house)
        for daemon, thread in ((broker, None), (watcher, "outbox")):
            with Held(daemon.process, thread):
                for path in ("/healthz", "/readyz", "/metrics"):
                    status, why = daemon.page(path)
                    assert status == 503 and "loop has not answered for" in why, (path, why)
                # Those who wait keep nobody waiting: what needs no loop is answered at once.
                waiting = [reach(daemon) for _ in range(20)]
                for connection in waiting:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                begun = time.monotonic()
                assert daemon.page("/nowhere")[0] == 404
                assert time.monotonic() - begun < 1.5  # they have 2 s to wait
                for connection in waiting:
                    assert status_of(rest_of(connection)) == 503
                    connection.close()
            until("it to go on", lambda daemon=daemon: daemon.page("/healthz") == OK)
            until("it to be ready", lambda daemon=daemon: daemon.page("/readyz") == READY)
        assert house.stop("tocsin-watcher") == 0 and house.stop("tocsin-broker") == 0


# --- who may ask, and how ---


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


def test_pages_are_given_to_local_names_and_own_origins_only():
    with Broker(settings=HTTP + "http_hosts: [broker.example]\n") as broker:
        host = "%s:%d" % broker.start().http()
        for headers, status in (({}, 200), ({"Host": "localhost"}, 200), ({"Host": "broker.example:80"}, 200),
                                ({"Host": "evil.example"}, 403), ({"Host": ""}, 403),
                                ({"Origin": f"http://{host}"}, 200), ({"Origin": "http://evil.example"}, 403),
                                ({"Origin": "null"}, 403)):
            assert broker.page("/metrics", headers=headers)[0] == status, headers
        assert status_of(raw(broker, b"GET /healthz HTTP/1.0\r\n\r\n")) == 403
        assert status_of(raw(broker, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")) == 200
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"):
            assert broker.page("/healthz", method)[0] == 405, method


def test_without_the_setting_nobody_listens():
    with Broker() as broker:
        broker.start()
        assert "http.listening" not in broker.log_text()
        own = set(re.findall(r"socket:\[(\d+)\]", " ".join(links_of(broker))))
        listening = set()
        for table in ("tcp", "tcp6"):
            with open(f"/proc/net/{table}", encoding="utf-8") as lines:
                listening |= {line.split()[9] for line in lines if line.split()[3] == "0A"}
        assert own and not own & listening


def test_ipv6_works_too():
    if not has_ipv6():
        print("        (no IPv6 here: not tested)")
        return
    with Broker(settings="http: '[::1]:0'\n") as broker:
        broker.start()
        address, port = broker.http()
        assert address == "[::1]"
        with socket.create_connection(("::1", port), timeout=PATIENCE_S) as connection:
            connection.sendall(f"GET /readyz HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n".encode())
            assert status_of(rest_of(connection)) == 200


def test_a_port_in_use_ends_the_daemon_with_75():
    with Broker(settings=HTTP) as broker:
        port = broker.start().http()[1]
        with Broker(settings=f"http: 127.0.0.1:{port}\n") as second:
            status, said = second.run_to_end()
            assert status == 75 and f"127.0.0.1:{port}" in said, said


# --- hostile ones ---


def test_nonsense_is_refused_and_closed():
    with Broker(settings=HTTP) as broker:
        broker.start()
        get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        for request, statuses in (
                (get + b"X: " + b"x" * 100000 + b"\r\n\r\n", {413, 431}),
                (get + b"X: y\r\n" * 20000 + b"\r\n", {413, 431}),
                (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", {414, 413, 431}),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400, 505, None}),
                (b"\r\n" * 1000, {400, None}),
                (b"GET\r\n\r\n", {400, 403, 505, None}),
                (get + b"Content-Length: 1000000000\r\n\r\n", {200}),
                (get + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n", {200, 400}),
                (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", {405}),
        ):
            answer = raw(broker, request)
            assert status_of(answer) in statuses, (request[:60], answer[:200])
        assert broker.page("/healthz") == OK


def test_a_connection_serves_one_request():
    with Broker(settings=HTTP) as broker:
        broker.start()
        answer = raw(broker, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
        assert answer.count(b"HTTP/1.1 200") == 1 and b"\r\nConnection: close\r\n" in answer


def test_who_sends_slowly_or_reads_nothing_is_shown_out():
    with Broker(settings=HTTP) as broker:
        broker.start()
        before = sockets_of(broker)
        slow, mute = reach(broker), reach(broker)
        begun = time.monotonic()
        slow.settimeout(0.5)
        with slow, mute:
            try:
                while True:  # a header that never ends, byte by byte
                    slow.sendall(b"G" if time.monotonic() - begun < PATIENCE_S else b"")
                    try:
                        if not slow.recv(1):
                            break
                    except TimeoutError:
                        pass
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert LIFE_S - 1 < time.monotonic() - begun < PATIENCE_S
            assert rest_of(mute) == b""
        until("their sockets to be closed", lambda: sockets_of(broker) <= before)


def test_a_thousand_connections_keep_nobody_out():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    with Broker(settings=HTTP) as broker:
        broker.start()
        before = sockets_of(broker)
        idle = []
        try:
            for i in range(1000):
                idle.append(reach(broker))
                if i % 2:
                    idle[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: lo")
                if i % 100 == 99:
                    begun = time.monotonic()
                    assert broker.page("/healthz") == OK
                    assert time.monotonic() - begun < LIFE_S / 2
                    assert sockets_of(broker) <= before + CONNECTIONS
        finally:
            for connection in idle:
                connection.close()
        until("their sockets to be closed", lambda: sockets_of(broker) <= before)


def test_a_daemon_ends_at_once_whoever_is_connected():
    with House() as house:
        for daemon in busy_house(house):
            idle = [reach(daemon) for _ in range(50)]
            for connection in idle[::2]:
                connection.sendall(b"GET /healthz HTTP/1.1\r\n")
            begun = time.monotonic()
            assert house.stop(daemon.program) == 0
            assert time.monotonic() - begun < LIFE_S
            for connection in idle:
                connection.close()


def test_a_flood_at_the_front_door_does_not_make_the_broker_look_ill():
    with Broker(settings=HTTP) as broker:
        broker.start()
        calm = threading.Event()
        floods = [threading.Thread(target=flood, args=(broker.fetch, calm)) for _ in range(2)]
        for thread in floods:
            thread.start()
        try:
            for _ in range(20):
                assert broker.page("/healthz") == OK
        finally:
            calm.set()
            for thread in floods:
                thread.join()


def flood(endpoint, calm):
    """More requests than a broker can answer, until it is calm."""
    with Connection(endpoint) as connection:
        while not calm.is_set():
            connection.socket.send_multipart([b"T1", b"STATS", b"{}"])


if __name__ == "__main__":
    run_tests(globals())
