#!/usr/bin/env python3
"""Articles of some length, in a fixed order as if drawn by chance, so that any first part is a fair sample.

  bench/articles.py [--bytes N] ARTICLES.jsonl[.gz] > articles.jsonl

Leaves out articles of fewer than N bytes (600): what is measured is reading, not opening. Title and text
become one line of text without control characters.
"""
import argparse
import gzip
import json
import random
import re
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles")
    parser.add_argument("--bytes", type=int, default=600)
    args = parser.parse_args()
    texts = []
    opener = gzip.open if args.articles.endswith(".gz") else open
    with opener(args.articles, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            text = f"{article.get('title') or ''}. {article.get('text') or ''}"
            text = "".join(c if c.isprintable() or c.isspace() else " " for c in text)
            text = re.sub(r"\s+", " ", text).strip()
            if len(text.encode()) >= args.bytes:
                texts.append(text)
    random.Random(1).shuffle(texts)
    for number, text in enumerate(texts):
        json.dump({"id": str(number), "text": text}, sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
