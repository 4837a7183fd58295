#!/usr/bin/env bash
# Lint the scripts of the book and its explorers, where Node is. Readers and `make book` never need it.
set -euo pipefail
cd "$(dirname "$0")/../.."
given=tools/javascript
there=_build/javascript # what npm installs lies here, and `make clean` removes it
scripts=(sepbook/widgets book/_ext tests/widgets/unit "$given")

leave() {
    printf 'JavaScript is not linted: %s\n' "$*" >&2
    exit 0
}

command -v node >/dev/null && command -v npm >/dev/null || leave "there is no Node here. It is for developers only."
node -e 'process.exit(parseInt(process.versions.node, 10) < 20 ? 1 : 0)' || leave "Node is too old. It takes 20 or newer."

mkdir -p "$there"
cp "$given"/*.js* "$there"
if ! cmp -s "$given/package-lock.json" "$there/installed.json"; then
    (cd "$there" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
        leave "npm could not install what tools/javascript/package-lock.json lists. Is there a network?"
    cp "$given/package-lock.json" "$there/installed.json"
fi
exec "$there/node_modules/.bin/eslint" --config "$there/eslint.config.js" --max-warnings 0 "${scripts[@]}"
