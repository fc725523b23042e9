#!/usr/bin/env bash
# Remake requirements.lock (core) and requirements-dev.lock (core and dev) from pyproject.toml.
# Needs uv on the PATH (or in UV). Pins that still fit are kept; `scripts/lock.sh --upgrade` moves them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv="${UV:-uv}"
command -v "$uv" >/dev/null || { echo "error: uv not found. Install it, or name it in UV." >&2; exit 2; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Left out of both locks; the header below says why.
echo "dbt-core-experimental-parser; sys_platform == 'never'" >"$work/overrides.txt"
# The package itself is installed without build isolation, so its build requirement is pinned too.
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml >"$work/build.in"
[ -s "$work/build.in" ] || { echo "error: pyproject.toml names no build requirement." >&2; exit 2; }

compile() {
    local lock="$1" title="$2"
    shift 2
    echo "resolving $lock"
    if [ -f "$lock" ]; then cp "$lock" "$work/lock"; else : >"$work/lock"; fi
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --override "$work/overrides.txt" --no-emit-package dbt-core-experimental-parser --output-file "$work/lock" \
        "$@" pyproject.toml "$work/build.in" >/dev/null
    {
        cat <<HEADER
# $title. Made by scripts/lock.sh from pyproject.toml; do not edit.
# For Python 3.11 and newer on every platform. Install it with
#     pip install --no-deps --require-hashes -r $lock
# --no-deps because one requirement is left out on purpose: every dbt-core 1.12 asks for
# dbt-core-experimental-parser, which downloads a binary while it is built. It serves an opt-in
# parser that this project does not use, and dbt runs without it.
HEADER
        # uv notes the temporary file the build requirement came from.
        sed -e "s|-r $work/build.in|plumbline (build)|" \
            -e '/^    #   -c requirements-dev.lock$/d' -e '/^# The following packages were excluded/,$d' \
            "$work/lock"
    } >"$lock"
}

# Dev first: core is a part of it and takes its pins, so the two never disagree.
compile requirements-dev.lock "Core and dev: what the tests need as well" --extra dev "$@"
compile requirements.lock "Core: what the warehouse needs to build" \
    --constraint requirements-dev.lock "$@"
grep -c '==' requirements.lock requirements-dev.lock
