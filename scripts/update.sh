#!/usr/bin/env bash
# Writes golden files anew: scripts/update.sh PATTERN runs the tests that match in every package whose tests take -update.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
pattern=${1:-.}

packages=$(grep -rlE --include='*_test.go' 'flag\.Bool(Var)?\((&[a-zA-Z]+, )?"update"' hunts internal cmd | xargs -r -n 1 dirname | sort -u)
if [ -z "$packages" ]; then
  echo 'no package has golden files'
  exit 0
fi
for p in $packages; do
  "$GO" test -tags "$TAGS" -run "$pattern" "./$p" -update
done
