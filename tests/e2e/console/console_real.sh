#!/usr/bin/env bash
# The console in a real browser against a real server, to which a real agent sends a file.
# usage: console_real.sh BIN_DIR[:BIN_DIR] [SCREENSHOT_DIR]
# Exit code 77 (skipped) without Chromium or its driver, as console_e2e.mjs says.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=
for dir in ${1//:/ }; do
  if [ -x "$dir/kelp-server" ] && [ -x "$dir/kelp-agent" ]; then bin=$dir; break; fi
done
[ -n "$bin" ] || { echo "no kelp-server and kelp-agent in $1"; exit 1; }
work=$(mktemp -d)
server=
agent=
finish() {
  for program in $agent $server; do kill "$program" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT
printf 'data_dir: %s/data\nhttp: {listen: "127.0.0.1:0"}\n' "$work" >"$work/server.yaml"
"$bin/kelp-server" -c "$work/server.yaml" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  grep -q 'listening on' "$work/log" && break
  sleep 0.1
done
address=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$work/log")
[ -n "$address" ] || { cat "$work/log"; exit 1; }

post() {
  curl -sS -H "Authorization: Bearer $(cat "$work/data/admin.token")" -d "$2" "http://$address/api/v1/$1" >"$work/answer"
}
post projects '{"name":"default"}'
post projects/default/logstores '{"name":"followed"}'
for n in $(seq 60); do echo "followed line number $n"; done >"$work/app.log"
cat >"$work/agent.yaml" <<YAML
data_dir: $work/agent
http: {listen: "127.0.0.1:0"}
pipelines:
  - name: files
    inputs:
      - {type: file, include: ["$work/app.log"]}
    outputs:
      - {type: kelp, url: "http://$address", project: default, logstore: followed, token_file: "$work/data/agent.token"}
YAML
"$bin/kelp-agent" -c "$work/agent.yaml" >"$work/agent.log" 2>&1 &
agent=$!
code=$("$bin/kelp-server" sign-in-code -c "$work/server.yaml" | tail -1)
KELP_E2E_FOLLOWED=default/followed node "$here/console_e2e.mjs" "http://$address" "$code" ${2:+"$2"}
