#!/usr/bin/env bash
# Measures every reduction of the host device as a share of the copy bandwidth of this machine, from
# each level of its memory, and writes the table into perf/results/.
#
#   perf/micro/device/run.sh [--long] [--instructions avx2] [--filter REGEX]     about a minute
set -euo pipefail
cd "$(dirname "$0")/../../.."
scripts/setup.sh test
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset release -DXCCL_BUILD_TESTS=OFF -DXCCL_BUILD_TRAINER=OFF -B build/compare &&
       cmake --build build/compare --target device_reduce_benchmark; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
python3 -B perf/micro/device/report.py --program build/compare/bin/device_reduce_benchmark \
        --out perf/results "$@"
