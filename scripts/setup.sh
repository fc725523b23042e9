#!/usr/bin/env bash
# Make .venv from a lock file, once. Usage: scripts/setup.sh core|dev
# A stamp in .venv holds the hash of what it was made from, so an unchanged lock costs nothing.
# PYTHON names the interpreter (3.11 or newer); without it the first suitable one is taken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

room="${1:-core}"
case "$room" in
    core) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "error: scripts/setup.sh takes core or dev, not $room." >&2; exit 2 ;;
esac

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if ! command -v "$PYTHON" >/dev/null; then
            echo "error: PYTHON=$PYTHON is not a command." >&2
            exit 2
        fi
        if ! is_new_enough "$PYTHON"; then
            echo "error: Plumbline needs Python 3.11 or newer; $PYTHON is $(version_of "$PYTHON" || echo no Python)." >&2
            exit 2
        fi
        echo "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "error: Plumbline needs Python 3.11 or newer and found none. Install it, or name it: make PYTHON=/path/to/python3.11" >&2
    exit 2
}

# The folder is part of the stamp: a moved checkout has a .venv whose scripts point elsewhere.
stamp_of() {
    { pwd; cat requirements.lock pyproject.toml; [ "$1" = core ] || cat requirements-dev.lock; } |
        cksum | tr ' ' '-'
}

made_from() {
    [ -x .venv/bin/python ] && [ "$(cat ".venv/stamp-$1" 2>/dev/null)" = "$(stamp_of "$1")" ]
}

if [ -n "${PYTHON:-}" ]; then
    python="$(find_python)"
    if [ -x .venv/bin/python ] && [ "$(version_of .venv/bin/python)" != "$(version_of "$python")" ]; then
        rm -rf .venv
    fi
fi
# What dev needs includes what core needs.
if made_from dev || { [ "$room" = core ] && made_from core; }; then
    exit 0
fi

if ! .venv/bin/python -c 'import pip' 2>/dev/null || ! is_new_enough .venv/bin/python; then
    python="${python:-$(find_python)}"
    echo "setup: making .venv with Python $(version_of "$python")"
    rm -rf .venv
    "$python" -m venv .venv
fi
rm -f .venv/stamp-*

mkdir -p state/logs
log=state/logs/setup.log
install() {
    if ! .venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet --no-deps "$@" \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "error: installing from $lock failed; the lines above say why, $log has the whole." >&2
        exit 2
    fi
}
echo "setup: installing $(grep -c '==' "$lock") pinned packages from $lock (once; a minute or two)"
install --require-hashes -r "$lock"
# Without isolation: the build backend comes from the lock, not from an index.
install --no-build-isolation --editable .
stamp_of "$room" >".venv/stamp-$room"
echo "setup: .venv is ready"
