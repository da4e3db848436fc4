#!/bin/sh
# What the README shows is what the tests run: its programs stand in it letter by letter, its watch
# passes, its mistakes are answered as printed, and its links lead somewhere.
set -eu
cd "$TOCSIN_SOURCE"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "README.md: $*"
    exit 1
}

# Block N of a language, without its fences.
block() { awk -v fence="\`\`\`$1" -v want="$2" '$0 == fence { n++; on = 1; next } /^```$/ { on = 0 } on && n == want' README.md; }

block python 1 | cmp - tests/client/readme_consumer.py || fail "the consumer is not tests/client/readme_consumer.py"
block python 2 | cmp - tests/client/readme_live.py || fail "the live reader is not tests/client/readme_live.py"

block yaml 1 >"$work/strait.yaml"
grep -qF "$("$TOCSIN_BIN/tocsin" check "$work/strait.yaml" | sed "s|$work/||")" README.md || fail "tocsin check says something else"
sed 's/labels:/lables:/; s/NEAR/near/' "$work/strait.yaml" >"$work/bad.yaml"
"$TOCSIN_BIN/tocsin" check "$work/bad.yaml" 2>&1 | sed "s|$work/bad|strait|" | sed '/: 0 watches/d' >"$work/said" || true
awk 'NF' "$work/said" | while IFS= read -r line; do
    grep -qF -e "$line" README.md || fail "tocsin check says: $line"
done

grep -o '](\([^)]*\))' README.md | sed 's/](\(.*\))/\1/' | while read -r link; do
    [ -e "$link" ] || fail "nothing at $link"
done
