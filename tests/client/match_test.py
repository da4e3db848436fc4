#!/usr/bin/env python3
"""The commands `tocsin match` and `tocsin why` as a person meets them: output, order, exit status."""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest

TOCSIN = os.path.join(os.environ["TOCSIN_BIN"], "tocsin")
SHARED = os.path.join(os.environ["TOCSIN_SOURCE"], "..", "shared")

WATCHES = """\
tocsin: 1
namespace: sea
lists:
  ships:
    any: [ferry, tanker*]
    de: [Fähre]
watches:
  - name: strike
    match: '@ships NEAR/3 strike'
  - name: storm
    where: {lang: en}
    match: storm NOT calm
  - name: scored
    score:
      threshold: 3
      terms:
        - {match: harbour, weight: 2}
        - {match: storm, weight: 1.5}
"""

ARTICLES = [
    {"id": "a1", "lang": "en", "title": "Ferry strike", "text": "The ferry strike goes on."},
    {"id": "a2", "lang": "en", "text": "A storm closed the harbour. The sea was rough."},
    {"id": "a3", "lang": "de", "text": "Kein storm."},
    {"id": "a4", "lang": "en", "text": "Nothing at all happened there."},
]


def run(*arguments, stdin=None, status=0):
    done = subprocess.run([TOCSIN, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != status:
        raise AssertionError(f"{arguments}: status {done.returncode}, wanted {status}\n"
                             f"{done.stdout}{done.stderr}")
    return done


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.watches = self.write("sea.yaml", WATCHES)
        self.articles = self.write("news.jsonl",
                                   "".join(json.dumps(a) + "\n" for a in ARTICLES))

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_count_prints_one_line_a_hit_in_the_order_of_input(self):
        done = run("match", "-w", self.watches, "--count", self.articles)
        self.assertEqual(done.stdout, "sea/strike\ta1\t0\nsea/storm\ta2\t0\nsea/scored\ta2\t0\n")

    def test_json_is_the_default_and_its_offsets_point_into_the_article(self):
        done = run("match", "-w", self.watches, self.articles)
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([hit["watch"] for hit in hits], ["sea/strike", "sea/storm", "sea/scored"])
        self.assertEqual(hits[2]["score"], 3.5)
        self.assertNotIn("score", hits[0])
        for hit in hits:
            article = next(a for a in ARTICLES if a["id"] == hit["article"])
            for match in hit["matches"]:
                field = article["title"] if match["field"] == "title" else article["text"]
                found = field.encode()[match["start"]:match["end"]].decode()
                self.assertEqual(found, match["words"])
        self.assertIn("\u27e6ferry\u27e7 \u27e6strike\u27e7", hits[0]["excerpt"])

    def test_threads_change_nothing(self):
        many = "".join(json.dumps({"id": str(i), "text": f"Ship {i} saw a storm, ferry strike {i % 7}"})
                       + "\n" for i in range(2000))
        path = self.write("many.jsonl", many)
        one = run("match", "-w", self.watches, path).stdout
        self.assertEqual(one.count("\n"), 2000)
        for threads in ("2", "5"):
            self.assertEqual(run("match", "-w", self.watches, "--threads", threads, path).stdout, one)

    def test_a_query_works_like_grep(self):
        self.assertIn("query\ta2\t0", run("match", "-q", "rough", "--count", self.articles).stdout)
        self.assertEqual(run("match", "-q", "nowhere", self.articles, status=1).stdout, "")
        run("match", "-q", "storm", stdin="A storm is coming to the coast tonight.\n")
        run("match", "-q", "storm", stdin=json.dumps(ARTICLES[1]) + "\n")

    def test_gz_is_read(self):
        path = os.path.join(self.folder.name, "news.jsonl.gz")
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(json.dumps(ARTICLES[1]) + "\n")
        self.assertEqual(run("match", "-q", "storm", "--count", path).stdout, "query\ta2\t0\n")

    def test_stats_are_one_json_line(self):
        done = run("match", "-w", self.watches, "--count", "--stats", "--audit", "1", self.articles)
        stats = json.loads(done.stderr)
        for key in ("watches load_s bytes_per_watch articles bytes parse_cpu_s text_cpu_s match_cpu_s "
                    "wall_s articles_per_s mb_per_s candidates hits threads").split():
            self.assertIn(key, stats)
        self.assertEqual((stats["watches"], stats["articles"], stats["hits"]), (3, 4, 3))
        self.assertEqual((stats["audited"], stats["audit_misses"]), (4, 0))

    def test_bad_lines_are_named_and_the_others_go_on(self):
        path = self.write("bad.jsonl", '{"id": "x"\n' + json.dumps(ARTICLES[1]) + '\n[]\n')
        done = run("match", "-q", "storm", "--count", path, status=2)
        self.assertEqual(done.stdout, "query\ta2\t0\n")
        self.assertIn("bad.jsonl:1:", done.stderr)
        self.assertIn("bad.jsonl:3:", done.stderr)

    def test_what_is_wrong_is_said_with_status_2(self):
        missing = os.path.join(self.folder.name, "nowhere.jsonl")
        self.assertIn("nowhere.jsonl", run("match", "-q", "a", missing, status=2).stderr)
        self.assertIn("error[E0107]", run("match", "-q", "a OR b AND c", status=2, stdin="").stderr)
        broken = self.write("broken.yaml", WATCHES.replace("storm NOT calm", "storm NOT"))
        self.assertIn("broken.yaml:12:", run("match", "-w", broken, self.articles, status=2).stderr)
        run("match", self.articles, status=2)
        run("match", "-q", "a", "-w", self.watches, self.articles, status=2)
        run("match", "-q", "a", "--threads", "0", self.articles, status=2)
        run("match", "-q", "a", "--words", "latin", self.articles, status=2)

    def test_why_says_how_near_a_watch_came(self):
        page = self.write("page.txt",
                          "The ferry left before the long and bitter strike of the crews began.\n")
        done = run("why", "strike", page, "-w", self.watches, status=1)
        self.assertIn("sea/strike does not match page.txt", done.stdout)
        self.assertIn("both sides are there, but with 6 words between them; at most 3 may be", done.stdout)
        self.assertIn("yes", done.stdout)
        done = run("why", "sea/strike", self.articles, "--id", "a1", "-w", self.watches)
        self.assertIn("matches a1", done.stdout)

    def test_why_names_the_nearest_miss(self):
        rows = [
            ("=US", "Tell us.", 'it is there only as "us"'),
            ("tránh", "Cạnh tranh.", 'only "tranh" is there, with other marks'),
            ("Müller", "Herr Mueller.", 'only "Mueller" is there; text: {german_umlauts: expand} makes them'),
            ("semiconductor", "Semiconductors.", 'only "Semiconductors" is there: a * behind the word'),
            ("verbot", "Ein Reiseverbot.", 'only "Reiseverbot" is there: a * before and behind'),
            ("tariffs", "A tariff.", 'only "tariff" is there'),
            ("DeepSeek", "Deep-Seek.", 'only "Deep-Seek" is there, which is two words'),
            ("Hormus~1", "Hurmuz.", 'only "Hurmuz" is there, which is spelt'),
            ("harbour", "A port.", "it is not there"),
            ('"Liang Wenfeng"', "Liang W. Wenfeng.", '"Liang" and "Wenfeng" have 1 word between them'),
            ('"Liang Wenfeng"', "Wenfeng Liang.", '"Liang" stands behind "Wenfeng", not before it'),
            ('"Liang Wenfeng"', "Liang.\nWenfeng.", 'are in no paragraph together'),
            ('"export chip"~1', "export a new chip", "never with at most 1 other between them"),
            ("ferry NEAR/1 strike", "ferry a b strike", "2 words between them; at most 1 may be"),
            ("ferry ONEAR/3 strike", "strike ferry", "but in the other order"),
            ("SENTENCE(ferry AND strike)", "A ferry. The strike.", "but in no single sentence"),
            ("title:ferry", "A ferry.", "it is there, but not in the title"),
            ("ferry NOT strike", "ferry strike", "it is there"),
        ]
        for query, text, note in rows:
            article = json.dumps({"id": "a", "text": text})
            out = run("why", "-q", query, self.write("why.jsonl", article + "\n"), status=1).stdout
            self.assertIn(note, out)

    def test_why_quotes_no_control_characters_and_no_half_letters(self):
        for words in ("Deep\x1b[31mSeek", "deepseek" + "é" * 300):
            page = self.write("odd.jsonl", json.dumps({"id": "a", "text": words, "source": words}) + "\n")
            for query in ("DeepSeek", "port AND source:x.example"):
                out = run("why", "-q", query, page, status=1).stdout
                self.assertNotIn("\x1b", out)
                self.assertNotIn("\ufffd", out)
                json.loads(run("why", "--json", "-q", query, page, status=1).stdout)

    def test_why_shows_one_line_for_a_word_of_many_forms(self):
        watches = self.write("forms.yaml", "tocsin: 1\nnamespace: f\nwatches:\n"
                             "  - {name: w, match: Reise, text: {stem: [de]}, where: {words: '>= 9'}}\n")
        page = self.write("forms.jsonl", '{"id":"a","lang":"de","text":"Ein Haus."}\n')
        out = run("why", "w", page, "-w", watches, status=1).stdout
        self.assertEqual(out.splitlines()[1:],
                         ["  ✗ no  where words: the body has 2, at least 9 are wanted",
                          "  ✗ no  Reise  it is not there"])

    def test_why_has_json_and_shows_where_and_score(self):
        done = run("why", "storm", self.articles, "--id", "a3", "-w", self.watches, "--json",
                   status=1)
        said = json.loads(done.stdout)
        self.assertFalse(said["hit"])
        notes = [clause.get("note", "") for clause in said["clauses"]]
        self.assertTrue(any(note.startswith("where lang") for note in notes), notes)
        done = run("why", "scored", self.articles, "--id", "a2", "-w", self.watches)
        self.assertIn("score 3.5, threshold 3", done.stdout)

    def test_an_old_article_is_too_old_here_as_in_the_watcher(self):
        watches = os.path.join(self.folder.name, "age.yaml")
        with open(watches, "w", encoding="utf-8") as file:
            file.write("tocsin: 1\nwatches:\n"
                       "  - {name: fresh, match: storm, where: {max_age: 3d}}\n")
        lines = "".join(json.dumps({"id": str(year), "text": "A storm.",
                                    "published": f"{year}-01-01"}) + "\n" for year in (2020, 2200))
        done = run("match", "--count", "-w", watches, stdin=lines)
        self.assertEqual(done.stdout, "age/fresh\t2200\t0\n")

    def test_a_sign_that_is_not_looked_for_is_told(self):
        done = run("match", "--count", "-q", '"=US"', stdin="The US said so.")
        self.assertIn('warning[W0211]: "=" belongs to no word', done.stderr)
        self.assertIn('exact words are written ="..."', done.stderr)
        self.assertEqual(run("match", "--count", "-q", "US", stdin="The US said so.").stderr, "")

    def test_why_says_when_only_the_whole_page_would_match(self):
        page = os.path.join(self.folder.name, "glued.txt")
        with open(page, "w", encoding="utf-8") as file:
            file.write("A ferry lies in the harbour today.\n\n\nThe strike of the miners goes on.\n")
        done = run("why", "-q", "ferry AND strike", page, status=1)
        self.assertIn("query would match the whole page glued.txt", done.stdout)
        done = run("why", "-q", "ferry AND strike", page, "--json", status=1)
        self.assertEqual([json.loads(line)["page_hit"] for line in done.stdout.splitlines()],
                         [True, True])
        self.assertNotIn("whole page", run("why", "-q", "ferry AND harbour", page).stdout)
        self.assertNotIn("whole page", run("why", "-q", "ferry AND bus", page, status=1).stdout)

    def test_why_helps_with_a_misspelt_watch(self):
        done = run("why", "sea/strik", self.articles, "-w", self.watches, status=2)
        self.assertIn("did you mean 'sea/strike'?", done.stderr)
        run("why", "sea/strike", self.articles, "--id", "nobody", "-w", self.watches, status=2)

    def test_the_shipped_watches_find_the_seeds(self):
        seeds = os.path.join(SHARED, "seeds")
        if not os.path.isdir(seeds):
            self.skipTest("no seeds beside the checkout")
        files = [os.path.join(seeds, f"seed-00{i}.txt") for i in range(5)]
        watches = os.path.join(os.environ["TOCSIN_SOURCE"], "config", "watches", "china-ai.yaml")
        done = run("match", "-w", watches, "--count", "--audit", "1", *files)
        found = {tuple(line.split("\t")[:2]) for line in done.stdout.splitlines()}
        travel = {article for watch, article in found if watch == "china-ai/ai-travel-advice"}
        self.assertEqual(travel, {f"seed-00{i}.txt" for i in range(4)})


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
