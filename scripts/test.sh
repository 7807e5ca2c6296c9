#!/usr/bin/env bash
# Installs what is missing, builds everything, runs the tests where threads matter most under the
# thread sanitizer, and then the whole test suite.
#
#   scripts/test.sh                            all of that
#   scripts/test.sh CTEST ARGUMENTS...         a part of the suite, e.g. scripts/test.sh -R schedule
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test
cmake --preset release >/dev/null
cmake --build --preset release
[[ $# -gt 0 ]] || scripts/sanitize.sh --fast
ctest --preset release --output-on-failure -j "$(nproc)" "$@"
