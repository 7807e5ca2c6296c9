#!/usr/bin/env bash
# Compares collectives of float32 with other libraries, in one interleaved run on this machine: xccl,
# Open MPI, MPICH, Intel MPI, oneCCL and Gloo, over shared memory and over TCP on loopback, with 2 and 4
# ranks (--long: 8, too).
#
#   perf/compare/run.sh [--long] [--readme] [OPTIONS]     about 3 minutes; --long: about 25
#
# The short form is an all-reduce with the same buffers again and again; the long one also measures
# cold buffers, and those of the libraries' own allocators. --operation names other collectives.
# --two-hosts: between two hosts in place of one (network namespaces; needs root), with xccl, Open MPI
# and Gloo, and what each puts on the wire.
#
# Installs what is missing (packages of the distribution; newer rivals as Python packages, into
# build/rivals), builds, measures, prints tables, and writes them, pictures and every measured block
# into perf/results/. --readme puts the table into README.md, too. --help tells the other options.
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
