#!/usr/bin/env bash
# Builds the tests of the packages that look at a machine for Windows, and runs them and hunter.exe under wine:
# scripts/test-windows.sh [bin/hunter.exe]. Without wine it builds, says so, and is content.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}
TAGS=${TAGS:-sqlite_vtable}
MINGW=${MINGW:-x86_64-w64-mingw32-gcc}
exe=$(realpath -m "${1:-bin/hunter.exe}")
packages="host embedded local agent"

command -v "$MINGW" >/dev/null || { echo "make test-windows needs $MINGW: install gcc-mingw-w64-x86-64" >&2; exit 2; }
work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'

finish() {
  [ -z "${awake:-}" ] || kill "$awake" 2>/dev/null || true
  WINEPREFIX="$work/prefix" wineserver -k >/dev/null 2>&1 || true # this prefix's server alone
  rm -rf "$work"
}
trap finish EXIT

for p in $packages; do
  echo "    build internal/edr/osquery/$p"
  GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC="$MINGW" "$GO" vet -tags "$TAGS" "./internal/edr/osquery/$p"
  GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC="$MINGW" "$GO" test -tags "$TAGS" -c -o "$work/$p.test.exe" "./internal/edr/osquery/$p"
done
if ! command -v wine >/dev/null; then
  echo '    SKIPPED: no wine here, so nothing was run on Windows; apt-get install --no-install-recommends wine wine64'
  exit 0
fi

# wine before 9 lacks the library that Go takes random numbers from.
wineboot -i >/dev/null 2>&1
system="$WINEPREFIX/drive_c/windows/system32"
if [ ! -e "$system/bcryptprimitives.dll" ]; then
  printf '%s\n' '#include <windows.h>' '#include <ntsecapi.h>' \
    '__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T n) { return RtlGenRandom(to, (ULONG)n); }' >"$work/prng.c"
  "$MINGW" -shared -Os -s -o "$system/bcryptprimitives.dll" "$work/prng.c" -ladvapi32
fi
find "$WINEPREFIX/drive_c/users" -type l -delete # they lead out into the home folder of whoever runs this

# While any program runs there, wine's services stay; they take a moment to come.
mkfifo "$work/keyboard"
sleep 1800 >"$work/keyboard" &
awake=$!
wine cmd <"$work/keyboard" >/dev/null 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
  wine net start >/dev/null 2>&1 && break
  sleep 1
done

for p in $packages; do
  echo "    run   internal/edr/osquery/$p under $(wine --version)"
  (cd "internal/edr/osquery/$p" && timeout 300 wine "$work/$p.test.exe" -test.timeout 240s) || { echo "failed: $p" >&2; exit 1; }
done

[ -e "$exe" ] || { echo "not there: $exe; run make cross" >&2; exit 2; }
planted="$WINEPREFIX/drive_c/users/Public/planted/evil.exe"
mkdir -p "$(dirname "$planted")"
echo 'planted by a test' >"$planted"
hash=$(sha256sum "$planted" | cut -d ' ' -f 1)
wine reg add 'HKCU\Software\Microsoft\Windows\CurrentVersion\Run' /v evil /d '%PUBLIC%\planted\evil.exe -quiet' >/dev/null 2>&1
said=$(timeout 200 wine "$exe" --db "$(wine winepath -w "$work/hunter.db" | tr -d '\r')" sweep "$hash" --json 2>"$work/err") || true
for want in '"found_in":"files"' '"found_in":"autoruns"' 'C:\\Users\\Public\\planted\\evil.exe'; do
  case $said in
  *"$want"*) ;;
  *) echo "hunter.exe did not say $want: $said" >&2; cat "$work/err" >&2; exit 1 ;;
  esac
done
echo "    hunter.exe found the planted file, in files and in autoruns"
