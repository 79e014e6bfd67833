#!/usr/bin/env bash
# Runs every fuzz target for a while: scripts/fuzz.sh 20s [FOLDER…]. Without folders it runs all, those of third_party too.
# JOBS targets run side by side and share the processors; without it as many as there are processors. JOBS=1 gives each
# target all of them in turn. A failing input is kept by Go below the package's testdata/fuzz; commit it with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
cpus=$(getconf _NPROCESSORS_ONLN)
JOBS=${JOBS:-$cpus} # make gives an empty one
case $JOBS in
'' | 0* | *[!0-9]*)
  echo "fuzz: JOBS is a count from 1 on, not \"$JOBS\"" >&2
  exit 2
  ;;
esac
workers=$((cpus / JOBS > 1 ? cpus / JOBS : 1))
time=${1:-20s}
shift || true
[ $# -gt 0 ] || set -- hunts internal cmd third_party
set -- "${@%/...}" # ./hunts/... is a folder to grep
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# module gives the folder of the module that a folder belongs to.
module() {
  local dir=$1
  while [ "$dir" != . ] && [ ! -e "$dir/go.mod" ]; do dir=$(dirname "$dir"); done
  echo "$dir"
}

# one runs one target and prints how it went. Go's fuzzing may end with "context deadline exceeded" at the very end of its
# time although no input failed; then, and only then, it is asked once more.
one() {
  local dir=$1 name=$2 log=$3 root attempt execs
  root=$(module "$dir")
  for attempt in 1 2; do
    if GOMAXPROCS=$workers "$GO" -C "$root" test -tags "$TAGS" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel "$workers" \
      "./$(realpath --relative-to="$root" "$dir")" >"$log" 2>&1; then
      execs=$(grep -o 'execs: [0-9]*' "$log" | tail -n 1) || true
      printf '    ok    %s %s  %s\n' "$dir" "$name" "${execs:-the time was enough for its corpus alone}"
      return 0
    fi
    if [ "$attempt" = 2 ] || grep -q 'Failing input' "$log" || ! grep -q 'context deadline exceeded' "$log"; then
      break
    fi
  done
  printf '    FAIL  %s %s\n' "$dir" "$name"
  cat "$log"
  return 1
}

# start runs one target beside the others. What it prints is told as a whole when it has ended.
start() {
  local n=$1
  (
    one "$2" "$3" "$work/$n.log" >"$work/$n.out" || : >"$work/$n.failed"
    mv "$work/$n.out" "$work/$n.done"
  ) </dev/null &
}

# tell prints what has ended since it last did.
tell() {
  local f
  for f in "$work"/*.done; do
    [ -e "$f" ] || continue
    cat "$f"
    rm "$f"
  done
}

found=0 running=0
while IFS=: read -r file line; do
  name=${line#func }
  name=${name%%(*}
  if [ "$running" -ge "$JOBS" ]; then
    wait -n
    running=$((running - 1))
    tell
  fi
  found=$((found + 1)) running=$((running + 1))
  start "$found" "$(dirname "${file#./}")" "$name"
done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' "$@" | sort)
while [ "$running" -gt 0 ]; do
  wait -n
  running=$((running - 1))
  tell
done

failed=$(find "$work" -name '*.failed' | wc -l)
echo "fuzz: $found targets, $failed failed"
[ "$found" -gt 0 ] && [ "$failed" = 0 ]
