#!/bin/sh
# tocsin fmt: standard output, --write, --check, --form, exit status.
set -u
fmt="$TOCSIN_BIN/tocsin fmt"
data="$TOCSIN_SOURCE/tests/data/rules"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

fact() { # fact NAME WANTED GOT
    if [ "$2" = "$3" ]; then
        echo "ok      $1"
    else
        echo "FAILED  $1: wanted '$2', got '$3'"
        failures=$((failures + 1))
    fi
}

cp "$data/fmt/untidy.yaml" "$folder/untidy.yaml"
chmod 640 "$folder/untidy.yaml"

$fmt "$folder/untidy.yaml" | cmp -s - "$data/fmt/tidy.txt"
fact "the canonical form goes to standard output" 0 $?
$fmt --form=tree "$folder/untidy.yaml" | cmp -s - "$data/fmt/tidy-tree.txt"
fact "--form=tree writes trees" 0 $?
cmp -s "$folder/untidy.yaml" "$data/fmt/untidy.yaml"
fact "the file itself is left alone" 0 $?

out=$($fmt --check "$folder/untidy.yaml")
fact "--check ends with 1 for a file that is not canonical" 1 $?
fact "--check names the file" "$folder/untidy.yaml" "$out"

ln -s untidy.yaml "$folder/link.yaml"
$fmt --write "$folder/link.yaml"
fact "--write ends with 0" 0 $?
cmp -s "$folder/untidy.yaml" "$data/fmt/tidy.txt"
fact "--write changes the file, through a link too" 0 $?
fact "--write keeps the mode" 640 "$(stat -c %a "$folder/untidy.yaml")"
fact "--write leaves nothing else behind" "link.yaml untidy.yaml" \
    "$(cd "$folder" && echo *)"
$fmt --check "$folder/untidy.yaml" "$folder/link.yaml"
fact "--check ends with 0 for canonical files" 0 $?

$fmt "$data/mistakes.yaml" >"$folder/out" 2>"$folder/err"
fact "a file with mistakes ends with 1" 1 $?
fact "nothing is printed for it" 0 "$(wc -c <"$folder/out")"
fact "its errors are shown" 1 "$(grep -c 'mistakes.yaml:17:27: error\[E0107\]' "$folder/err")"
$fmt "$folder/absent.yaml" 2>/dev/null
fact "a file that is not there ends with 2" 2 $?
$fmt "$data/bulk.jsonl" 2>/dev/null
fact "a file of lines has no other form, and ends with 2" 2 $?
$fmt --check --write "$folder/untidy.yaml" 2>/dev/null
fact "--check and --write exclude each other" 2 $?

# A comment may stand anywhere between two lines, and behind any line that is no text of a block:
# all of them are there afterwards, and the second time nothing changes.
/usr/bin/python3 - "$TOCSIN_BIN/tocsin" "$data/fmt/untidy.yaml" "$folder/noted.yaml" <<'PYTHON'
import subprocess, sys
tocsin, source, noted = sys.argv[1:]
lines = open(source, encoding="utf-8").read().split("\n")
def fmt(*options):
    return subprocess.run([tocsin, "fmt", *options, noted], capture_output=True, text=True)
def write(text):
    open(noted, "w", encoding="utf-8").write(text)
tried = 0
for at in range(len(lines) + 1):
    for where in (lambda: lines[:at] + ["# a note"] + lines[at:],
                  lambda: lines[:at] + [lines[at] + "  # a note"] + lines[at + 1:]):
        try:
            text = "\n".join(where())
        except IndexError:
            continue
        write(text)
        for form in ((), ("--form=tree",)):
            write(text)
            done = fmt(*form)
            if done.returncode == 1:
                continue # no YAML any more, or no query
            assert done.returncode == 0, (at, form, done.stderr)
            assert done.stdout.count("a note") == text.count("a note"), (at, form)
            write(done.stdout)
            again = fmt(*form)
            assert again.stdout == done.stdout, (at, form, done.stdout, again.stdout)
            tried += 1
assert tried > 200, tried
PYTHON
fact "no comment is ever lost" 0 $?

[ "$failures" -eq 0 ]
