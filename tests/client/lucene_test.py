#!/usr/bin/env python3
"""Dialect lucene on the command line: `match`, watch files of both kinds, and `import`."""
import json
import os
import subprocess
import tempfile
import unittest

TOCSIN = os.path.join(os.environ["TOCSIN_BIN"], "tocsin")

ARTICLES = [
    {"id": "a1", "lang": "en", "title": "Ferry strike", "text": "The ferry\nstrike goes on."},
    {"id": "a2", "lang": "de", "text": "A storm closed the harbour."},
]
WATCHES = """\
tocsin: 1
namespace: old
defaults: {dialect: lucene}
watches:
  - name: either
    match: storm "ferry strike"
    tests: [{text: a storm, expect: hit}, {text: calm, expect: none}]
  - name: new
    dialect: tocsin
    match: storm OR strike
    tests: [{text: a storm, expect: hit}, {text: calm, expect: none}]
"""
QUERIES = """\
storm +harbour
author:bob* ferry

/fer+y/
"""


def run(*arguments, status=0, stdin=None):
    done = subprocess.run([TOCSIN, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}, wanted {status}\n"
                             f"{done.stdout}{done.stderr}")
    return done


class Lucene(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.articles = self.write("news.jsonl",
                                   "".join(json.dumps(a) + "\n" for a in ARTICLES))

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def ids(self, *arguments, status=0):
        out = run("match", "--dialect", "lucene", "--count", *arguments, self.articles,
                  status=status).stdout
        return [line.split("\t")[1] for line in out.splitlines()]

    def test_a_query_is_read_as_lucene_reads_it(self):
        self.assertEqual(self.ids("-q", "storm strike"), ["a1", "a2"])
        self.assertEqual(self.ids("-q", '"ferry strike"'), ["a1"])
        self.assertEqual(self.ids("-q", "-storm", status=1), [])

    def test_options_change_the_reading(self):
        self.assertEqual(self.ids("-q", "storm strike", "--lucene-options", "op=AND", status=1), [])
        self.assertEqual(self.ids("-q", "*orm", "--lucene-options=leadingwild"), ["a2"])
        self.assertIn("E0110", run("match", "--dialect=lucene", "-q", "*orm", self.articles,
                                   status=2).stderr)
        self.assertIn("not 'fast'", run("match", "--dialect=lucene", "--lucene-options=fast", "-q",
                                        "a", self.articles, status=2).stderr)

    def test_a_watch_file_says_its_dialect(self):
        path = self.write("old.yaml", WATCHES)
        run("check", path)
        out = run("match", "-w", path, "--count", self.articles).stdout
        self.assertEqual(sorted(out.split("\n")[:-1]),
                         ["old/either\ta1\t0", "old/either\ta2\t0",
                          "old/new\ta1\t0", "old/new\ta2\t0"])

    def test_lines_say_theirs_or_take_the_run_s(self):
        lines = self.write("bulk.jsonl",
                           '{"name": "own", "dialect": "lucene", "match": "storm strike"}\n')
        self.assertEqual(run("match", "-w", lines, "--count", self.articles).stdout.count("\n"), 2)
        lines = self.write("bulk.jsonl", '{"name": "run", "match": "storm strike"}\n')
        self.assertEqual(self.ids("-w", lines), ["a1", "a2"])
        run("match", "-w", lines, self.articles, status=2)

    def test_a_tree_has_no_dialect(self):
        path = self.write("tree.yaml", WATCHES.replace('storm "ferry strike"', "{any: [storm]}"))
        self.assertIn("dialect: lucene has no tree form", run("check", path, status=1).stdout)

    def test_why_shows_the_tree(self):
        out = run("why", "--dialect", "lucene", "-q", "+storm -harbour", self.articles,
                  status=1).stdout
        self.assertIn("NOT harbour  it is there", out)

    def test_import_makes_a_watch_file_that_matches_the_same(self):
        queries = self.write("queries.txt", QUERIES)
        out = run("import", "--dialect", "lucene", queries, status=1).stdout
        self.assertIn("# what stands beside required terms", out)
        self.assertIn("      /fer+y/\n", out)
        path = self.write("imported.yaml", out)
        run("check", path)
        out = run("match", "-w", path, "--count", self.articles).stdout
        self.assertEqual(out, "imported/line-2\ta1\t0\nimported/line-4\ta1\t0\n"
                              "imported/line-1\ta2\t0\n")

    def test_import_rewrites_one_query_and_reads_standard_input(self):
        self.assertEqual(run("import", "--dialect=lucene", "-q", "title:(a b)").stdout,
                         "title:(a OR b)\n")
        out = run("import", "--dialect=lucene", "-", stdin="(a\nb\n", status=1)
        self.assertIn("error[E0102]", out.stderr)
        self.assertIn("# line 1 cannot be read: (a", out.stdout)
        run("import", "-q", "a", status=2)


if __name__ == "__main__":
    unittest.main()
