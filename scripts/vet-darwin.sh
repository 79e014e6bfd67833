#!/usr/bin/env bash
# Vets every package for macOS without a C compiler for it: scripts/vet-darwin.sh. go-sqlite3, which takes one, is stood in for.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/sqlite3"
printf 'module github.com/mattn/go-sqlite3\n\ngo 1.26\n' >"$work/sqlite3/go.mod"
cp scripts/darwin/sqlite3.go.txt "$work/sqlite3/sqlite3.go"
sed "s#=> \./#=> $PWD/#" go.mod >"$work/go.mod"
cp go.sum "$work/go.sum"
"$GO" mod edit -replace "github.com/mattn/go-sqlite3=$work/sqlite3" "$work/go.mod"
for arch in arm64 amd64; do
  GOOS=darwin GOARCH=$arch CGO_ENABLED=0 "$GO" vet -modfile "$work/go.mod" -tags "$TAGS" ./...
  echo "    darwin/$arch: every package is sound"
done
