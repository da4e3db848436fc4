#!/usr/bin/env python3
"""The delivery promise in numbers, beside what SQLite and libzmq do alone on the same machine.

  TOCSIN_BIN=build/release/bin bench/delivery.py [HITS]

Each line is one measurement:

  put       hits a second through PUT (batch 64, window 32, committed with FULL), bare INSERTs of the same rows with
            commits of 64, and the one as a share of the other; alerts a second through FETCH of 500, bare frames
            of the same size between ROUTER and DEALER, and the share
  single    one hit at a time: its answer, p50 and p99
  curve     the same two over TCP on loopback, in plaintext and with CURVE
  burst     5,000 alerts as fast as they can be put, to a live subscriber that reads: how many it had
  latency   from handing an article to the watcher to its alert at a live subscriber: 200 articles a second, 10,000
            quiet watches (bench/watches.py) and one that each article hits
"""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "system"))
from house import SHARED, Broker, House, binary  # noqa: E402
from wire import Connection, Live, Watcher, article, definition, hit, item, zmq  # noqa: E402

BURST, RATE, SECONDS, QUIET = 5000, 200, 30, 10000


def say(name, **figures):
    print(json.dumps({"bench": name, **figures}), flush=True)


def bench(*arguments, env=None):
    done = subprocess.run([binary(arguments[0]), *map(str, arguments[1:])], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr}")
    return json.loads(done.stdout)


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def put(hits):
    with Broker() as broker:
        broker.start()
        ours = bench("bench-put", broker.fetch, hits, 64, 32)
        bare = bench("bench-bare", "rows", f"{broker.folder}/bare.db", hits, 64, ours["hit_bytes"], round(ours["event_bytes"]))
        raw = bench("bench-bare", "fetch", f"ipc://{broker.folder}/raw", hits * 4, round(ours["event_bytes"]))
        say("put", hits=hits, hit_bytes=ours["hit_bytes"], event_bytes=round(ours["event_bytes"]),
            put_per_s=ours["put_hits_per_s"], bare_rows_per_s=bare["rows_hits_per_s"],
            put_share=round(ours["put_hits_per_s"] / bare["rows_hits_per_s"], 2),
            fetch_per_s=ours["fetch_alerts_per_s"], raw_frames_per_s=raw["raw_frames_per_s"],
            fetch_share=round(ours["fetch_alerts_per_s"] / raw["raw_frames_per_s"], 2))
    with Broker() as broker:
        broker.start()
        one = bench("bench-put", broker.fetch, 5000, 1, 1)
        say("single", ack_p50_ms=one["ack_p50_ms"], ack_p99_ms=one["ack_p99_ms"])


def keys(folder):
    """A folder of keys for a broker and one peer that may do everything."""
    for name in ("server", "client"):
        subprocess.run([binary("tocsin"), "keygen", "--folder", folder, name], capture_output=True, check=True)
    shutil.copy(f"{folder}/server.public", f"{folder}/broker.public")
    public = pathlib.Path(folder, "client.public").read_text(encoding="ascii").strip()
    pathlib.Path(folder, "access.yaml").write_text(
        f"peers:\n  - {{name: bench, key: '{public}', roles: [watcher, subscriber, admin]}}\n", encoding="utf-8")


def curve(hits):
    figures = {}
    for way in ("plain", "curve"):
        folder = tempfile.mkdtemp(prefix="tocsin-bench-")
        secret = f"{folder}/keys"
        settings = "listen: {fetch: 'tcp://127.0.0.1:5561', live: 'tcp://127.0.0.1:5562'}\n"
        environment = None
        if way == "curve":
            keys(secret)
            settings += f"keys: {secret}\n"
            environment = {"TOCSIN_KEYS": secret}
        else:
            settings += "insecure_loopback: true\n"
        with Broker(folder, settings) as broker:
            broker.launch()
            bench_ready(broker)
            many = bench("bench-put", "tcp://127.0.0.1:5561", hits, 64, 32, env=environment)
            one = bench("bench-put", "tcp://127.0.0.1:5561", 3000, 1, 1, env=environment)
        shutil.rmtree(folder)
        figures |= {f"{way}_put_per_s": many["put_hits_per_s"], f"{way}_fetch_per_s": many["fetch_alerts_per_s"],
                    f"{way}_ack_p50_ms": one["ack_p50_ms"]}
    say("curve", **figures)


def bench_ready(broker):
    while "event=broker.ready" not in broker.log_text():
        broker.expect_alive("the broker")
        time.sleep(0.02)


def burst():
    body = definition("news/one")
    batches = []
    for number in range(BURST):
        record = article(number)
        batches.append(item(record, [hit(record, body, excerpt="x" * 500)]))
    with Broker() as broker:
        broker.start()
        with Connection(broker.fetch) as asker, Watcher(broker.fetch) as watcher:
            live = Live(broker.live, asker, "news/")
            watcher.know(body)
            watcher.put(item(article("first"), [hit(article("first"), body)]))
            got = []

            def read():
                while len(got) < BURST + 1 and live.socket.poll(5000):
                    got.append(live.socket.recv_multipart())

            reader = threading.Thread(target=read)
            reader.start()
            begun = time.monotonic()
            sent = range(0, BURST, 64)
            for at in sent:
                watcher.batch += 1
                part = batches[at:at + 64]
                watcher.send("PUT", {"session": watcher.session, "batch": watcher.batch, "n": len(part)},
                             [frame for one in part for frame in one])
            for _ in sent:
                assert watcher.receive()[0] == "ACK"
            took = time.monotonic() - begun
            reader.join()
            say("burst", alerts=BURST, put_s=round(took, 3), received=len(got) - 1, lost=BURST + 1 - len(got))
            live.close()


def latency():
    corpus = SHARED / "corpus" / "reuters" / "train.jsonl.gz"
    if not corpus.exists():
        say("latency", skipped="the articles are not beside the checkout (../shared/corpus)")
        return
    with House() as house:
        quiet = subprocess.run([sys.executable, HERE / "watches.py", corpus, str(QUIET), "--profile", "quiet"],
                               capture_output=True, text=True, check=True).stdout
        house.write("quiet.jsonl", quiet)
        house.write("bell.yaml", "tocsin: 1\nnamespace: probe\nwatches:\n  - name: bell\n    match: zzbenchbell\n"
                                 "    tests: [{text: zzbenchbell, expect: hit}, {text: other, expect: none}]\n")
        texts = [json.loads(line) for line in subprocess.run(["zcat", corpus], capture_output=True, text=True,
                                                             check=True).stdout.splitlines()[:RATE * SECONDS]]
        house.broker()
        house.watcher("watches: [quiet.jsonl, bell.yaml]\n")
        sent, took = {}, []
        with house.connect("fetch") as asker, house.connect("intake") as intake:
            live = Live(f"ipc://{house.sockets}/live.sock", asker, "probe/")

            def read():
                while len(took) < len(texts) and live.socket.poll(20000):
                    body = live.socket.recv_multipart()[1]
                    at = time.monotonic()
                    took.append((at - sent[json.loads(body)["data"]["article"]["id"]]) * 1000)

            reader = threading.Thread(target=read)
            reader.start()
            begun = time.monotonic()
            for number, text in enumerate(texts):
                wait = begun + number / RATE - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                name = f"bench-{number}"
                sent[name] = time.monotonic()
                intake.send("ARTICLE", {"article": {"id": name, "title": text.get("title") or "t",
                                                    "text": f"{text['text']}\n\nA zzbenchbell rings."}})
                while intake.socket.poll(0):
                    intake.socket.recv_multipart()
            reader.join()
            live.close()
        say("latency", articles=len(texts), per_s=RATE, watches=QUIET + 1, received=len(took),
            p50_ms=round(statistics.median(took), 2), p99_ms=round(quantile(took, 0.99), 2), most_ms=round(max(took), 1))


def main():
    hits = int(sys.argv[1]) if len(sys.argv) > 1 else 200000
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="ascii") if line.startswith("model name"))
    say("machine", cpu=cpu, cores=len([line for line in open("/proc/cpuinfo", encoding="ascii") if line.startswith("processor")]),
        load=open("/proc/loadavg", encoding="ascii").read().split()[:3], libzmq=zmq.zmq_version())
    put(hits)
    curve(hits // 2)
    burst()
    latency()


if __name__ == "__main__":
    main()
