#!/usr/bin/env python3
"""Makes N watches out of the words of a corpus, as a .jsonl watch file.

  bench/watches.py ARTICLES.jsonl[.gz] COUNT [--profile broad|quiet|long|regex] [--seed N] > watches.jsonl

The same arguments give the same file, and the first N lines of a longer file are the file of N
watches, so that growth compares like with like. `broad` watches hold common words and fire often;
`quiet` ones are precise, as alerts are. The mix: 30 % all of some words, 25 % phrases out of the running
text, 20 % (one of these) AND (one of those), 15 % NEAR/10, 5 % a wildcard, 5 % two words but not a
third. `long` ones are what media monitors write: (20-80 words) AND (10-40 words) and none of 5-15. One
word in ten is a name that no article has. `regex` ones are a regular expression each, over rarer words.
"""
import argparse
import collections
import gzip
import itertools
import json
import random
import re
import sys

COMMON = 200  # so many of the most frequent words are the common ones
MIX = (("all", 30), ("phrase", 25), ("groups", 20), ("near", 15), ("wild", 5), ("but", 5))
SYLLABLES = [a + b for a in "b d f g k l m n p r s t v z".split() for b in "a e i o u".split()]
ABSENT = 0.1  # share of names that no article has
AT_ONCE = 4096  # draws made together
OPERATORS = {"and", "or", "not", "near", "onear", "except", "sentence", "paragraph", "notnear"}


def read_articles(path):
    """The articles as lists of their words."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            text = f"{article.get('title') or ''} {article.get('text') or ''}"
            words = re.findall(r"[a-z]+", text.lower())
            if len(words) > 20:
                yield words


class Words:
    """Draws words, the frequent ones more often: with probability as (articles)**power."""

    def __init__(self, articles, quiet, rng):
        counts = collections.Counter(itertools.chain.from_iterable(map(set, articles)))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        self.common = set(ranked[:COMMON])
        self.rare = {word for word in ranked if counts[word] * 200 <= len(articles)}
        usable = [w for w in ranked if len(w) > 2 and counts[w] > 1
                  and not (quiet and w in self.common)]
        power = 0.2 if quiet else 0.5
        self.words = usable
        self.weights = list(itertools.accumulate(counts[w] ** power for w in usable))
        self.rng = rng
        self.drawn = []

    def name(self):
        return "".join(self.rng.choices(SYLLABLES, k=4)) + "qx"

    def one(self):
        """The next word; they are drawn many at a time, which is ten times as fast."""
        if not self.drawn:
            words = self.rng.choices(self.words, cum_weights=self.weights, k=AT_ONCE)
            self.drawn = [self.name() if self.rng.random() < ABSENT else word for word in words]
        return self.drawn.pop()

    def some(self, count):
        chosen = {}
        while len(chosen) < count:
            chosen[self.one()] = None
        return list(chosen)


def quoted(words):
    """Each as an entry that no operator can be read into."""
    return [f'"{word}"' if word in OPERATORS else word for word in words]


def phrase(articles, words, quiet, rng):
    while True:
        article = articles[int(rng.random() * len(articles))]
        length = (2, 2, 3)[int(rng.random() * 3)]
        at = int(rng.random() * (len(article) - length))
        part = article[at:at + length]
        if not quiet or any(word in words.rare for word in part):
            return '"' + " ".join(part) + '"'


def query(kind, articles, words, quiet, rng):
    some = lambda least, most: quoted(words.some(least + int(rng.random() * (most - least + 1))))
    if kind == "all":
        return " AND ".join(some(2, 4))
    if kind == "phrase":
        return phrase(articles, words, quiet, rng)
    if kind == "groups":
        return f"({' OR '.join(some(3, 8))}) AND ({' OR '.join(some(2, 5))})"
    if kind == "near":
        return " NEAR/10 ".join(some(2, 2))
    if kind == "wild":
        word = words.one()
        return word[:max(4, len(word) - 3)] + "*"
    if kind == "long":
        return (f"({' OR '.join(some(20, 80))}) AND ({' OR '.join(some(10, 40))}) AND NOT "
                + " AND NOT ".join(some(5, 15)))
    first, second, third = some(3, 3)
    return f"{first} AND {second} AND NOT {third}"


def expression(words, rng):
    """A regular expression of one of the shapes that people write."""
    long_words = (word for word in iter(words.one, None) if len(word) > 4)
    first, second = next(long_words), next(long_words)
    return rng.choice((f"/{first}-?[0-9]+/i",
                       f"/{first}(?:s|ed|ing)? {second}/i",
                       f"/\\\\b{first}\\\\b.{{0,40}}\\\\b{second}/i",
                       f"/(?:{first}|{second})-[a-z]+/",
                       f"/{first}\\\\w* \\\\p{{Lu}}\\\\w+/"))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles")
    parser.add_argument("count", type=int)
    parser.add_argument("--profile", choices=("broad", "quiet", "long", "regex"), default="quiet")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    quiet = args.profile != "broad"
    rng = random.Random(args.seed)
    articles = list(read_articles(args.articles))
    words = Words(articles, quiet, rng)
    kinds, shares = zip(*MIX) if args.profile != "long" else (("long",), (1,))
    bounds = list(itertools.accumulate(shares))
    for number in range(args.count):
        drawn = rng.random() * bounds[-1]
        kind = next(kind for kind, bound in zip(kinds, bounds) if drawn < bound)
        if args.profile == "regex":
            kind, match = "regex", expression(words, rng)
        else:
            match = query(kind, articles, words, quiet, rng).replace('"', '\\"')
        sys.stdout.write(f'{{"namespace": "bench", "name": "{kind}-{number}", '
                         f'"match": "{match}"}}\n')


if __name__ == "__main__":
    main()
