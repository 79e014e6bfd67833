#!/usr/bin/env bash
# Builds and tests hunter against the real osquery-go: scripts/test-osquery-go.sh FOLDER, a clone of it. go.mod stays as
# it is: a copy of it, outside of the tree, has the other replacement. The real module's own requirements are downloaded.
set -euo pipefail
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}

if ! grep -q '^module github.com/osquery/osquery-go$' "$dir/go.mod" 2>/dev/null; then
  echo "$dir is no clone of osquery-go: its go.mod does not name github.com/osquery/osquery-go" >&2
  exit 2
fi
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cp go.mod go.sum "$temp/"
"$GO" mod edit -replace "github.com/osquery/osquery-go=$dir" "$temp/go.mod"
for what in build vet 'test -race'; do
  where="./..."
  [ "$what" = 'test -race' ] && where="./internal/edr/... ./internal/app/... ./cmd/..."
  echo "go $what $where"
  # shellcheck disable=SC2086 # what and where are several words
  "$GO" $what -mod=mod -modfile="$temp/go.mod" -tags "$TAGS" $where
done
