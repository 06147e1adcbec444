#!/usr/bin/env bash
# What the composite action runs: lint to SARIF, expectations, and the difference to a base revision as Markdown.
# Reads BULKHEAD, MANIFESTS, DIALECT, FAIL_ON and BASE; writes bulkhead.sarif, bulkhead.xml and bulkhead.md beside it.
# Without BULKHEAD it runs the checkout that it lies in.
set -uo pipefail
if [ -n "${BULKHEAD:-}" ]; then
  read -r -a run <<<"$BULKHEAD"
else
  run=(bash "$(dirname "${BASH_SOURCE[0]}")/own.sh")
fi
reading=(-R)
if [ -n "${DIALECT:-}" ]; then reading+=(--dialect "$DIALECT"); fi
manifests=${MANIFESTS:-.}
status=0
worst() { if [ "$1" -gt "$status" ]; then status=$1; fi; }

"${run[@]}" lint "$manifests" "${reading[@]}" --fail-on "${FAIL_ON:-error}" -o sarif >bulkhead.sarif
worst $?
echo "sarif=bulkhead.sarif" >>"${GITHUB_OUTPUT:-/dev/null}"

if [ -n "$(find "$manifests" \( -name 'expect.yaml' -o -name '*.expect.yaml' -o -name 'segregation.yaml' \) -not -path '*/node_modules/*' -print -quit)" ]; then
  "${run[@]}" verify "$manifests" ${DIALECT:+--dialect "$DIALECT"} -o junit >bulkhead.xml
  worst $?
fi

if [ -n "${BASE:-}" ]; then
  "${run[@]}" diff "git:$BASE:$manifests" "$manifests" "${reading[@]}" --quiet -o md >bulkhead.md
  worst $?
  cat bulkhead.md >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
  echo "comment=bulkhead.md" >>"${GITHUB_OUTPUT:-/dev/null}"
fi
exit "$status"
