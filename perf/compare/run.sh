#!/usr/bin/env bash
# Compares collectives of float32 with other libraries, in one interleaved run on this machine: xccl,
# Open MPI, MPICH, Intel MPI, oneCCL, Gloo and PyTorch's gloo, over shared memory and over TCP on
# loopback, with 2 and 4 ranks.
#
#   perf/compare/run.sh [--long] [--readme] [OPTIONS]     about 3 minutes; --long: about 28
#
# The short form is an all-reduce with the same buffers again and again, and takes all options. The long
# one is a plan: --long --plan shows it. It also measures cold buffers, calls in place, those of the
# libraries' own allocators, the other collectives, up to 16 ranks, and two hosts (network namespaces;
# as root). A contestant that hangs or dies is lost for one row; a run that is cut off writes what it
# has, and goes on with --resume.
#
# Installs what is missing (packages of the distribution; newer rivals into build/rivals), builds,
# measures, prints tables, and writes them, pictures and JSON lines into perf/results/. --readme puts a
# table into README.md, too. --help tells the other options.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup.sh compare
perf/compare/rivals.sh build/rivals
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset release -DXCCL_BUILD_TESTS=OFF -DXCCL_BUILD_TRAINER=OFF -B build/compare &&
       cmake --build build/compare --target compare; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
python3 -B perf/compare/compare.py --bin build/compare/bin --rivals build/rivals "$@"
