#!/bin/sh
# tocsin check: exit status, the summary line, --strict, --json.
set -u
check="$TOCSIN_BIN/tocsin check"
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

cat >"$folder/small.yaml" <<'WATCHES'
tocsin: 1
namespace: small
watches:
  - name: trade
    match: |
      "trade war" OR tariff*
    tests:
      - {text: New tariffs are planned., expect: hit}
      - {text: "War and trade.", expect: none}
      - {file: "absent*", expect: hit}
WATCHES
sed '/tests:/,$d' "$folder/small.yaml" >"$folder/untested.yaml"
sed 's/are planned., expect: hit/are planned., expect: none/' "$folder/small.yaml" \
    >"$folder/failing.yaml"

out=$($check "$folder/small.yaml")
fact "a good file ends with 0" 0 $?
fact "the last line counts what was done" \
    "$folder/small.yaml: 1 watch, 2 tests passed, 1 skipped" "$(echo "$out" | tail -n 1)"

out=$($check "$folder/untested.yaml")
fact "a warning ends with 0" 0 $?
fact "a warning is shown" 1 "$(echo "$out" | grep -c 'warning\[W0301\]')"
$check --strict "$folder/untested.yaml" >/dev/null
fact "a warning ends with 1 under --strict" 1 $?

out=$($check "$folder/failing.yaml")
fact "a failed test ends with 1" 1 $?
fact "a failed test is shown with its line and what came" 1 \
    "$(echo "$out" | grep -c "failing.yaml:8: test failed: small/trade: New tariffs are planned.")"

$check "$data/mistakes.yaml" >/dev/null
fact "mistakes end with 1" 1 $?
$check "$folder/absent.yaml" >/dev/null
fact "a file that is not there ends with 2" 2 $?
$check 2>/dev/null
fact "no file named ends with 2" 2 $?
$check "$folder/absent.yaml" "$folder/small.yaml" | grep -q "small.yaml: 1 watch"
fact "one bad file does not keep the others from being checked" 0 $?

$check --json "$data/mistakes.yaml" "$folder/failing.yaml" >"$folder/out.json"
fact "--json ends with the same status" 1 $?
/usr/bin/python3 - "$folder/out.json" <<'PYTHON'
import json, sys
kinds = {}
for line in open(sys.argv[1], encoding="utf-8"):
    kinds.setdefault(json.loads(line)["kind"], []).append(json.loads(line))
assert len(kinds["file"]) == 2 and kinds["file"][0]["errors"] == len(kinds["error"])
assert [t["outcome"] for t in kinds["test"]] == ["failed", "passed", "skipped"]
assert all(e["line"] > 0 and e["code"].startswith("E") for e in kinds["error"])
PYTHON
fact "--json gives one object a line" 0 $?

if printf '%s' "$out" | grep -q "$(printf '\033')"; then coloured=yes; else coloured=no; fi
fact "colours are for terminals" no $coloured

[ "$failures" -eq 0 ]
