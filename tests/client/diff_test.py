#!/usr/bin/env python3
"""tocsin diff: hits gained and lost, watches added and removed, exit status."""
import gzip
import json
import os
import subprocess
import tempfile
import unittest

TOCSIN = os.path.join(os.environ["TOCSIN_BIN"], "tocsin")

OLD = """\
tocsin: 1
namespace: sea
watches:
  - name: storm
    match: storm NOT calm
  - name: ferry
    match: ferry
  - name: gone
    match: harbour
"""
NEW = OLD.replace("storm NOT calm", "gale OR storm").replace("name: gone", "name: fresh")

ARTICLES = [
    {"id": "a1", "text": "A storm closed the harbour."},
    {"id": "a2", "text": "Calm after the storm."},
    {"id": "a3", "text": "A gale, and the ferry\twaits."},
    {"id": "a4", "text": "Nothing."},
]


def run(*arguments, status=0):
    done = subprocess.run([TOCSIN, "diff", *arguments], capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}, wanted {status}\n"
                             f"{done.stdout}{done.stderr}")
    return done


class Diff(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.old = self.write("old.yaml", OLD)
        self.new = self.write("new.yaml", NEW)
        self.corpus = self.write("news.jsonl", "".join(json.dumps(a) + "\n" for a in ARTICLES))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_each_hit_of_one_side_only_is_shown_with_an_excerpt(self):
        done = run(self.old, self.new, "--corpus", self.corpus, status=1)
        self.assertEqual(done.stdout.splitlines(), [
            "sea/storm: 2 gained, 0 lost, 1 kept",
            "  + a2 segment 0: Calm after the ⟦storm⟧.",
            "  + a3 segment 0: A ⟦gale⟧, and the ferry waits.",
            "sea/fresh: added, 1 gained, 0 lost, 0 kept",
            "  + a1 segment 0: A storm closed the ⟦harbour⟧.",
            "sea/gone: removed, 0 gained, 1 lost, 0 kept",
            "  - a1 segment 0: A storm closed the ⟦harbour⟧.",
            "4 articles: 3 hits gained, 1 lost, 2 kept; of 4 watches 3 differ, 1 added, 1 removed, "
            "1 written differently",
        ])

    def test_json_has_an_object_a_hit_a_watch_and_a_summary(self):
        done = run("--json", self.old, self.new, "--corpus", self.corpus, status=1)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["kind"] for line in lines],
                         ["gained", "gained", "watch", "gained", "watch", "lost", "watch", "summary"])
        self.assertEqual(lines[0], {"kind": "gained", "watch": "sea/storm", "article": "a2",
                                    "segment": 0, "excerpt": "Calm after the ⟦storm⟧."})
        self.assertEqual(lines[2], {"kind": "watch", "watch": "sea/storm", "change": "hits",
                                    "gained": 2, "lost": 0, "kept": 1})
        self.assertEqual(lines[-1]["watches_removed"], 1)

    def test_the_other_way_round_gained_is_lost(self):
        there = json.loads(run("--json", self.old, self.new, "--corpus", self.corpus,
                               status=1).stdout.splitlines()[-1])
        back = json.loads(run("--json", self.new, self.old, "--corpus", self.corpus,
                              status=1).stdout.splitlines()[-1])
        self.assertEqual((there["gained"], there["lost"]), (back["lost"], back["gained"]))

    def test_the_same_file_has_no_differences(self):
        done = run(self.old, self.old, "--corpus", self.corpus)
        self.assertEqual(done.stdout, "4 articles: 0 hits gained, 0 lost, 3 kept; of 3 watches 0 "
                                      "differ, 0 added, 0 removed, 0 written differently\n")

    def test_a_watch_that_is_written_differently_and_hits_the_same_is_no_difference(self):
        other = self.write("other.yaml", OLD.replace("match: ferry", "match: ferry OR ferries"))
        self.assertIn("1 written differently", run(self.old, other, "--corpus", self.corpus).stdout)

    def test_limit_bounds_what_is_shown_and_not_what_is_counted(self):
        done = run("--limit", "1", self.old, self.new, "--corpus", self.corpus, status=1)
        self.assertIn("sea/storm: 2 gained", done.stdout)
        self.assertNotIn("a3", done.stdout)

    def test_a_corpus_is_a_file_a_packed_file_or_a_folder_of_both(self):
        for i, article in enumerate(ARTICLES):
            path = os.path.join(self.folder, "all", "deep" if i % 2 else "flat", f"{i}.jsonl.gz")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with gzip.open(path, "wt", encoding="utf-8") as file:
                file.write(json.dumps(article) + "\n")
        self.write("all/.hidden", "storm")
        self.write("all/half.part", "storm")
        done = run(self.old, self.new, "--corpus", os.path.join(self.folder, "all"), status=1)
        self.assertIn("4 articles: 3 hits gained, 1 lost, 2 kept", done.stdout)

    def test_what_cannot_run_ends_with_2(self):
        broken = self.write("broken.yaml", OLD.replace("ferry\n", "ferry AND\n"))
        os.mkdir(os.path.join(self.folder, "empty"))
        run(self.old, broken, "--corpus", self.corpus, status=2)
        run(self.old, self.new, "--corpus", self.corpus + ".not", status=2)
        run(self.old, self.new, "--corpus", os.path.join(self.folder, "empty"), status=2)
        run(self.old, self.new, status=2)
        run(self.old, "--corpus", self.corpus, status=2)


if __name__ == "__main__":
    unittest.main()
