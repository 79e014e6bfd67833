#!/usr/bin/env bash
# The main job on the examples: from the hash of one alert to the files on this machine, with nothing but what comes with
# the project: no network, no root, nothing written outside of a fresh folder. Exits 0 only when all is as expected.
#
#	scripts/demo.sh [bin/hunter]     KEEP=1 keeps the folder
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
hunter=$(cd "$(dirname "${1:-$here/bin/hunter}")" && pwd)/$(basename "${1:-bin/hunter}")

# ---- What is expected --------------------------------------------------------------------------------------------------
# One line a hunt of examples/hunts.yaml: its name, the exit code of its run, how many hits, by which kind of digest
# ("-" for none), and the end of the path of the file that is found ("-" for none).
expected='
siem-ransomware   1  1  sha256  sweep/projects/quarterly-report.bin
md5-only          1  1  md5     sweep/backup/driver-update.bin
proven-absent     0  0  -       -
'
# The digest of the alert, and the exit code of all hunts together: 1, for there are hits.
alert=74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16
exit_of_all=1
# The relations that the chain from the alert to the first hit must name.
chain='same_report'
# -------------------------------------------------------------------------------------------------------------------------

work=$(mktemp -d "${TMPDIR:-/tmp}/hunter-demo.XXXXXX")
if [ -z "${KEEP:-}" ]; then trap 'rm -rf "$work"' EXIT; fi
export XDG_STATE_HOME="$work/state" HUNTER_DB="$work/hunter.db" NO_COLOR=1
unset HUNTER_JSON HUNTER_QUIET

failed=0
pass() { printf 'PASS  %s\n' "$1"; }
fail() { printf 'FAIL  %s\n' "$1"; failed=$((failed + 1)); }
check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@"; then pass "$what"; else fail "$what"; fi
}
title() { printf '\n--- %s\n' "$*"; }
# has TEXT FIELD… : every FIELD stands in the JSON TEXT, as it is written.
has() {
  local text=$1 field
  shift
  for field in "$@"; do
    case $text in *"$field"*) ;; *) printf '      not there: %s\n' "$field"; return 1 ;; esac
  done
}
# show COMMAND… prints a hunter command, runs it and keeps its exit code in $code and what it wrote in $out.
show() {
  printf '\n$ hunter %s\n' "$*"
  code=0
  "$hunter" "$@" >"$work/out" || code=$?
  out=$(cat "$work/out")
  printf '%s\n' "$out"
}

[ -x "$hunter" ] || { echo "there is no $hunter; run make build first" >&2; exit 2; }
cp -R "$here/examples" "$work/examples"
cd "$work"
began=$(date +%s)

title 'The hunts are sound'
show lint examples/hunts.yaml
check 'lint finds no fault' [ "$code" = 0 ]

title "From the alert's hash to this machine: $alert"
show run examples/hunts.yaml
check "run exits $exit_of_all: there are hits" [ "$code" = "$exit_of_all" ]

title 'Each hunt ended as it should'
"$hunter" hits --json >"$work/hits.json"
"$hunter" runs --json >"$work/runs.json"
first='' runs=0
while read -r name exit hits kind path; do
  [ -n "$name" ] || continue
  runs=$((runs + 1))
  run=$(grep -F "\"hunt\":\"$name\"" "$work/runs.json" || true)
  check "$name: exit code $exit, $hits hits, state finished" \
    has "$run" '"state":"finished"' "\"exit_code\":$exit" "\"hits_total\":$hits"
  if [ "$hits" = 0 ]; then
    check "$name: proven, with nothing left out" has "$run" '"absent":1' '"proven":1' '"verified_ratio":1' '"gaps_total":0'
    continue
  fi
  hit=$(grep -F "\"hunt\":\"$name\"" "$work/hits.json" || true)
  check "$name: found $path by $kind" has "$hit" "$path\"" "\"matched\":{\"kind\":\"$kind\""
  check "$name: the hit says why, from the alert on" has "$hit" "$alert" '"relation":'
  if [ -z "$first" ]; then
    first=$(printf '%s' "$hit" | sed -n 's/.*"matched":{"kind":"[a-z0-9]*","value":"\([0-9a-f]*\)".*/\1/p' | head -n 1)
    first_run=$(printf '%s' "$hit" | sed -n 's/.*"run":"\([0-9a-f-]*\)".*/\1/p' | head -n 1)
  fi
done <<EOF
$expected
EOF
check "$runs runs are recorded" [ "$(grep -c '"schema":"hunter.run/1"' "$work/runs.json")" = "$runs" ]

title 'The hits, and why'
show hits
if [ -n "$first" ]; then
  show why "$first"
  check 'why tells the chain from the alert' has "$out" "$alert" "$chain" "$first"
  show say "$first_run"
  check 'say names the run and its hits' has "$out" "$first_run" ' hit' ' proven'
else
  fail 'there is no hit to explain'
fi

title "All of it took $(($(date +%s) - began)) s"
if [ "$failed" -gt 0 ]; then
  echo "FAIL  $failed checks failed"
  exit 1
fi
echo 'PASS  everything is as expected'
echo
echo 'Next: hunt on this machine for a hash of your own'
echo "  ${hunter#"$here"/} sweep HASH --path \"\$HOME\""
