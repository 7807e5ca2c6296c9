#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs the whole test suite.
#
#   scripts/test.sh [CTEST ARGUMENTS...]       e.g. scripts/test.sh -R schedule
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release --output-on-failure -j "$(nproc)" "$@"
