#!/usr/bin/env python3
"""What an article costs in a whole watcher: CPU of each of its threads, per article and per hit.

  TOCSIN_BIN=build/release/bin bench/whole.py [ARTICLES.jsonl[.gz] [WATCHES]]

Makes quiet watches (bench/watches.py, 10,000 unless told otherwise), starts a watcher without a broker in
a folder of its own, hands it the articles with `tocsin publish` and reads the times of its threads from
/proc. `intake` takes articles in and parses their JSON; `scan` reads the text, matches and fills the hits
with offsets and excerpts; `outbox` commits them and publishes them on the tap; `ZMQbg/IO` are the sockets. The first round warms up
and is not counted. Prints one line of JSON.
"""
import collections
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
binaries = pathlib.Path(os.environ.get("TOCSIN_BIN", here / "../build/release/bin")).resolve()
articles = sys.argv[1] if len(sys.argv) > 1 else here / "../../shared/corpus/reuters/train.jsonl.gz"
count = sys.argv[2] if len(sys.argv) > 2 else "10000"
TICK = os.sysconf("SC_CLK_TCK")


def threads(pid):
    """CPU seconds by name of thread."""
    spent = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        head, _, fields = (task / "stat").read_text().rpartition(")")
        name = head.partition("(")[2].rstrip("-/0123456789")
        user, system = fields.split()[11:13]
        spent[name] += (int(user) + int(system)) / TICK
    return spent


def tocsin(*arguments):
    return subprocess.run([binaries / "tocsin", *arguments], check=True, capture_output=True, text=True)


def watcher_started(process):
    for line in process.stderr:
        if "event=watcher.ready" in line:
            return
    sys.exit("bench/whole.py: the watcher did not start")


def copy_of(source, folder, mark):
    """The articles under ids of their own, so that none is a duplicate."""
    opener = gzip.open if str(source).endswith(".gz") else open
    target, number, size = folder / f"{mark}.jsonl", 0, 0
    with opener(source, "rt", encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
        for number, line in enumerate(lines, 1):
            article = json.loads(line)
            article["id"] = f"{mark}-{number}"
            size += len((article.get("title") or "") + (article.get("text") or ""))
            out.write(json.dumps(article) + "\n")
    return target, number, size


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ.update(TOCSIN_RUNTIME_DIR=str(folder / "run"), XDG_STATE_HOME=str(folder / "state"))
        watches = folder / "bench.jsonl"
        with open(watches, "w", encoding="utf-8") as out:
            subprocess.run([sys.executable, here / "watches.py", articles, count, "--profile", "quiet"],
                           check=True, stdout=out)
        (folder / "watcher.yaml").write_text(
            f"watches: [{watches}]\nbroker: none\nstate: {folder / 'outbox'}\nthreads: 1\n")
        watcher = subprocess.Popen([binaries / "tocsin-watcher", "--config", folder / "watcher.yaml"],
                                   stderr=subprocess.PIPE, text=True)
        try:
            watcher_started(watcher)
            warm, _, _ = copy_of(articles, folder, "warm")
            tocsin("publish", "--quiet", str(warm))
            rest, number, size = copy_of(articles, folder, "measured")
            before = threads(watcher.pid)
            answers = tocsin("publish", "--json", str(rest)).stdout.splitlines()
            spent = threads(watcher.pid) - before
        finally:
            watcher.send_signal(signal.SIGTERM)
            watcher.wait()
    hits = sum(json.loads(answer).get("hits", 0) for answer in answers)
    print(json.dumps({"articles": number, "mean_bytes": round(size / number), "watches": int(count),
                      "hits_per_article": round(hits / number, 2),
                      "cpu_us_per_article": {name: round(seconds * 1e6 / number, 1)
                                             for name, seconds in sorted(spent.items())}}))


main()
