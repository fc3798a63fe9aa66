#!/usr/bin/env bash
# The console in a real browser against a real server. usage: console_real.sh BIN_DIR[:BIN_DIR]
# Exit code 77 (skipped) without Chromium or its driver, as console_e2e.mjs says.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=
for dir in ${1//:/ }; do
  if [ -x "$dir/kelp-server" ]; then bin=$dir; break; fi
done
[ -n "$bin" ] || { echo "no kelp-server in $1"; exit 1; }
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$work"' EXIT
printf 'data_dir: %s/data\nhttp: {listen: "127.0.0.1:0"}\n' "$work" >"$work/server.yaml"
"$bin/kelp-server" -c "$work/server.yaml" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  grep -q 'listening on' "$work/log" && break
  sleep 0.1
done
address=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$work/log")
[ -n "$address" ] || { cat "$work/log"; exit 1; }
code=$("$bin/kelp-server" sign-in-code -c "$work/server.yaml" | tail -1)
node "$here/console_e2e.mjs" "http://$address" "$code"
