#!/usr/bin/env bash
# Looks for known vulnerabilities in what hunter calls: scripts/vuln.sh [PACKAGE…]. GOVULNDB names another database than
# vuln.go.dev: a mirror (https://…) or a folder (file:///…). What is found fails. A database that can not be reached does
# not: the last line then says that nobody looked.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
[ $# -gt 0 ] || set -- ./...
[ -z "${GOVULNDB:-}" ] || set -- -db "$GOVULNDB" "$@" # govulncheck does not read it by itself
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
"$GO" tool -modfile=tools/govulncheck/go.mod govulncheck -tags "$TAGS" "$@" >"$log" 2>&1 || status=$?
if [ "$status" = 0 ]; then
  echo "vuln: nothing known is called (${GOVULNDB:-vuln.go.dev})"
  exit 0
fi
# A mirror that does not answer is told as one of a wrong form; a folder that is not there is a fault of the setting.
if why=$(grep -m 1 -E '^(govulncheck: )?(fetching vulnerabilities:|creating client: unrecognized vulndb format)' "$log") && [[ ${GOVULNDB:-} != file:* ]]; then
  echo "vuln: did not look: ${why#govulncheck: } (${GOVULNDB:-vuln.go.dev}); GOVULNDB names a mirror"
  exit 0
fi
cat "$log" >&2
exit 1
