#!/usr/bin/env bash
# Runs every fuzz target for a while: scripts/fuzz.sh 20s [FOLDER…]. Without folders it runs all, those of third_party too. A
# failing input is kept by Go below the package's testdata/fuzz; commit it with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
time=${1:-20s}
shift || true
[ $# -gt 0 ] || set -- hunts internal cmd third_party
set -- "${@%/...}" # ./hunts/... is a folder to grep

# module gives the folder of the module that a folder belongs to.
module() {
  local dir=$1
  while [ "$dir" != . ] && [ ! -e "$dir/go.mod" ]; do dir=$(dirname "$dir"); done
  echo "$dir"
}

# one runs one target. Go's fuzzing may end with "context deadline exceeded" at the very end of its time although no
# input failed; then, and only then, it is asked once more.
one() {
  local dir=$1 name=$2 log root
  log=$(mktemp)
  root=$(module "$dir")
  for attempt in 1 2; do
    if "$GO" -C "$root" test -tags "$TAGS" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x "./$(realpath --relative-to="$root" "$dir")" >"$log" 2>&1; then
      printf '    ok    %s %s  %s\n' "$dir" "$name" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
      rm -f "$log"
      return 0
    fi
    if [ "$attempt" = 2 ] || grep -q 'Failing input' "$log" || ! grep -q 'context deadline exceeded' "$log"; then
      break
    fi
  done
  printf '    FAIL  %s %s\n' "$dir" "$name"
  cat "$log"
  rm -f "$log"
  return 1
}

found=0 failed=0
while IFS=: read -r file line; do
  name=${line#func }
  name=${name%%(*}
  found=$((found + 1))
  one "$(dirname "${file#./}")" "$name" </dev/null || failed=$((failed + 1))
done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' "$@" | sort)

echo "fuzz: $found targets, $failed failed"
[ "$found" -gt 0 ] && [ "$failed" = 0 ]
