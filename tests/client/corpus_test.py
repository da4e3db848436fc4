#!/usr/bin/env python3
"""tocsin check --corpus: warnings with figures, the cost of watches, the budget."""
import json
import os
import subprocess
import tempfile
import unittest

TOCSIN = os.path.join(os.environ["TOCSIN_BIN"], "tocsin")

WATCHES = """\
tocsin: 1
namespace: news
lists:
  often: [said]
watches:
  - name: capitals
    match: AI AND storm
  - name: never
    match: =AI AND (USA OR storm)
  - name: wide
    match: word* AND storm
  - name: narrow
    match: wordy1* AND storm
  - name: alone
    match: said OR @often OR storm
  - name: everything
    where: {lang: en}
    match: {all_articles: true}
  - name: paused
    status: paused
    match: said
"""


def articles():
    """1,000 articles: "said" in all, "storm" in 10, "AI" 4 and "ai" 20 times, 250 words of word*."""
    for i in range(1000):
        text = ["He said so."]
        text += ["A storm came."] if i % 100 == 0 else []
        text += ["The AI works."] if i % 250 == 0 else []
        text += ["Ask ai about ai."] if i % 100 == 7 else []
        text += [f"This is wordy{i}."] if i % 4 == 0 else []
        yield {"id": str(i), "lang": "en", "text": " ".join(text)}


def run(*arguments, status=0):
    done = subprocess.run([TOCSIN, "check", *arguments], capture_output=True, text=True, timeout=60,
                          check=False)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}, wanted {status}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


class Corpus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.watches = self.write("news.yaml", WATCHES)
        self.corpus = self.write("corpus.jsonl", "".join(json.dumps(a) + "\n" for a in articles()))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def report(self, code, line):
        """The whole text of a warning, found by its code and line."""
        out = run(self.watches, "--corpus", self.corpus).replace(self.folder + "/", "")
        for block in out.split("\n\n"):
            if block.startswith(f"news.yaml:{line}:") and f"[{code}]" in block:
                return block
        raise AssertionError(f"no {code} in line {line}:\n{out}")

    def test_w0201_says_how_often_each_case_occurs(self):
        self.assertEqual(self.report("W0201", 7), """\
news.yaml:7:12: warning[W0201]: "AI" also matches "ai": the corpus has "AI" 4 times, "ai" 20 times
     7 |     match: AI AND storm
       |            ^~
  help: =AI matches the capitals only""")
        self.assertEqual(self.report("W0201", 9), """\
news.yaml:9:21: warning[W0201]: "USA" also matches "usa": the corpus has "USA" never, "usa" never
     9 |     match: =AI AND (USA OR storm)
       |                     ^~~
  help: =USA matches the capitals only""")

    def test_w0204_says_what_a_wildcard_stands_for(self):
        self.assertEqual(self.report("W0204", 11).splitlines()[:3], [
            'news.yaml:11:12: warning[W0204]: "word*" stands for 250 words of the corpus',
            "    11 |     match: word* AND storm",
            "       |            ^~~~~"])
        self.assertRegex(self.report("W0204", 11).splitlines()[3],
                         r"^  help: most often: (wordy\d+ 1, ){4}wordy\d+ 1$")
        with self.assertRaises(AssertionError):
            self.report("W0204", 13)

    def test_w0206_names_a_word_that_is_enough_alone_and_everywhere(self):
        self.assertEqual(self.report("W0206", 15), """\
news.yaml:15:12: warning[W0206]: "said" alone is enough here, and stands in 1,000 of 1,000 articles
    15 |     match: said OR @often OR storm
       |            ^~~~
  help: join it with AND, or write the phrase that is meant""")
        out = run(self.watches, "--corpus", self.corpus)
        self.assertIn('"said" of @often alone is enough here', out)
        self.assertNotIn('"storm" alone', out)

    def test_the_cost_of_each_watch_that_runs_is_told_dearest_first(self):
        out = run(self.watches, "--corpus", self.corpus).split("corpus.jsonl: ")[1].splitlines()
        self.assertRegex(out[0], r"^1,000 articles, [\d,]+ words, [\d,]+ hits$")
        self.assertEqual([line.split() for line in out[3:5]], [
            ["1010.0", "1000.0", "news/alone"],  # ten articles have both of its words
            ["1000.0", "1000.0", "news/everything:", "no", "selective", "key,", "tried", "on",
             "every", "segment"]])
        self.assertEqual(len(out), 9)

    def test_json_has_one_object_a_watch(self):
        lines = [json.loads(line)
                 for line in run("--json", self.watches, "--corpus", self.corpus).splitlines()]
        costs = {line["watch"]: line for line in lines if line["kind"] == "cost"}
        self.assertEqual(len(costs), 6)
        self.assertEqual(costs["news/everything"]["selective"], False)
        self.assertEqual(costs["news/everything"]["candidates_per_article"], 1)
        self.assertEqual(costs["news/capitals"]["selective"], True)
        self.assertLessEqual(costs["news/capitals"]["candidates_per_1000_articles"], 24)
        self.assertEqual(costs["news/capitals"]["hits_per_1000_articles"], 2)
        self.assertEqual(costs["news/everything"]["line"], 16)

    def test_a_budget_refuses_what_is_dearer_and_names_it(self):
        out = run("--budget", "500", self.watches, "--corpus", self.corpus, status=1)
        self.assertIn("news.yaml:14: over budget: news/alone: 1010.0 candidates per 1,000 articles, "
                      "500.0 are allowed\n", out)
        self.assertIn("news.yaml:16: over budget: news/everything: 1000.0", out)
        self.assertEqual(out.count(": over budget:"), 2)
        run("--budget", "1010", self.watches, "--corpus", self.corpus)

    def test_what_cannot_run_ends_with_2(self):
        run("--budget", "500", self.watches, status=2)
        run("--budget", "many", self.watches, "--corpus", self.corpus, status=2)
        run(self.watches, "--corpus", self.corpus + ".not", status=2)

    def test_a_file_with_mistakes_is_told_and_the_others_are_measured(self):
        broken = self.write("broken.yaml", "tocsin: 1\nwatches: [{name: x, match: a AND}]\n")
        out = run(broken, self.watches, "--corpus", self.corpus, status=1)
        self.assertIn("error[E0104]", out)
        self.assertIn("news/everything", out)


if __name__ == "__main__":
    unittest.main()
