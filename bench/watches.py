#!/usr/bin/env python3
"""Makes N watches out of the words of a corpus, as a .jsonl watch file.

  bench/watches.py ARTICLES.jsonl[.gz] COUNT [--profile broad|quiet] [--seed N] > watches.jsonl

The same arguments give the same file, and the first N lines of a longer file are the file of N
watches, so that growth compares like with like. `broad` watches hold common words and fire often;
`quiet` ones are precise, as alerts are. The mix: 30 % all of some words, 25 % phrases out of the running
text, 20 % (one of these) AND (one of those), 15 % NEAR/10, 5 % a wildcard, 5 % two words but not a
third. One word in ten is a name that no article has.
"""
import argparse
import collections
import gzip
import itertools
import json
import random
import re

COMMON = 200  # so many of the most frequent words are the common ones
MIX = (("all", 30), ("phrase", 25), ("groups", 20), ("near", 15), ("wild", 5), ("but", 5))
SYLLABLES = [a + b for a in "b d f g k l m n p r s t v z".split() for b in "a e i o u".split()]


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

    def one(self):
        if self.rng.random() < 0.1:
            return "".join(self.rng.choice(SYLLABLES) for _ in range(4)) + "qx"
        return self.rng.choices(self.words, cum_weights=self.weights)[0]

    def some(self, count):
        chosen = []
        while len(chosen) < count:
            word = self.one()
            if word not in chosen:
                chosen.append(word)
        return chosen


def quoted(words):
    """Each as an entry that no operator can be read into."""
    return [f'"{word}"' if word in ("and", "or", "not", "near") else word for word in words]


def phrase(articles, words, quiet, rng):
    while True:
        article = rng.choice(articles)
        length = rng.choice((2, 2, 3))
        at = rng.randrange(len(article) - length)
        part = article[at:at + length]
        if not quiet or any(word in words.rare for word in part):
            return '"' + " ".join(part) + '"'


def query(kind, articles, words, quiet, rng):
    some = lambda least, most: quoted(words.some(rng.randint(least, most)))
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
    first, second, third = some(3, 3)
    return f"{first} AND {second} AND NOT {third}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles")
    parser.add_argument("count", type=int)
    parser.add_argument("--profile", choices=("broad", "quiet"), default="quiet")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    quiet = args.profile == "quiet"
    rng = random.Random(args.seed)
    articles = list(read_articles(args.articles))
    words = Words(articles, quiet, rng)
    kinds, shares = zip(*MIX)
    for number in range(args.count):
        kind = rng.choices(kinds, weights=shares)[0]
        match = query(kind, articles, words, quiet, rng)
        print(json.dumps({"namespace": "bench", "name": f"{kind}-{number}", "match": match}))


if __name__ == "__main__":
    main()
