#!/usr/bin/env bash
# Runs the bulkhead of the checkout that this file lies in, which it installs and builds first where that is not done.
set -euo pipefail
own=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -e "$own/dist/cli/main.js" ] || [ ! -d "$own/node_modules" ]; then
  npm ci --prefix "$own" --no-audit --no-fund >&2 || exit 3
fi
exec node "$own/dist/cli/main.js" "$@"
