#!/usr/bin/env bash
# Deploys the two stacks of app.js, each with the credentials of its account, side by side; with --check says what would change.
# Exit status of --check: 0 nothing, 1 something.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
node "$CDK" synth --quiet --app "node $here/app.js" --output "$out/app"
if [[ ${1:-} == --check ]]; then
  command=(diff --fail --method=template)
else
  command=(deploy --require-approval never --progress events)
fi
each() { node "$CDK" "${command[@]}" --app "$out/app" --output "$out/$1" --profile "$1" "gates-$1"; }
each dev &
dev=$!
status=0
each tools || status=1
wait "$dev" || status=1
exit "$status"
