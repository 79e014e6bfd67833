#!/usr/bin/env bash
# Shows that scripts/vuln.sh fails when something is found, and only then or when it is set up wrongly: with databases of
# its own, empty and with one entry that every program is struck by.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# database makes a folder in the form of vuln.go.dev.
database() {
  mkdir -p "$work/$1/index" "$work/$1/ID"
  echo '{"modified":"2026-01-01T00:00:00Z"}' >"$work/$1/index/db.json"
  echo "$2" >"$work/$1/index/modules.json"
}
database empty '[]'
database struck '[{"path":"stdlib","vulns":[{"id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z"}]}]'
cat >"$work/struck/ID/GO-2026-0001.json" <<'OSV'
{"schema_version":"1.3.1","id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z",
 "summary":"made for a test","details":"made for a test","database_specific":{"url":"https://pkg.go.dev/vuln/GO-2026-0001"},
 "affected":[{"package":{"name":"stdlib","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
 "ecosystem_specific":{"imports":[{"path":"strings","symbols":["HasPrefix"]}]}}]}
OSV

# want runs the look with a database and compares its exit code and a word of what it says: want CODE WORD DATABASE PACKAGE.
want() {
  local said code=0
  said=$(GOVULNDB=$3 scripts/vuln.sh "$4" 2>&1) || code=$?
  if [ "$code" = "$1" ] && [[ $said == *"$2"* ]]; then
    echo "    ok    $2: exit code $code"
  else
    printf '    FAIL  %s: exit code %s instead of %s, or without "%s":\n%s\n' "$3" "$code" "$1" "$2" "$said"
    failed=1
  fi
}
want 0 'nothing known is called' "file://$work/empty" ./internal/secret
want 1 'GO-2026-0001' "file://$work/struck" ./internal/secret
want 0 'did not look' http://127.0.0.1:1 ./internal/secret
want 1 'no such file' "file://$work/none" ./internal/secret
want 1 'unsupported scheme' nonsense ./internal/secret
want 1 'loading packages' "file://$work/empty" ./internal/nosuchpackage
exit "$failed"
