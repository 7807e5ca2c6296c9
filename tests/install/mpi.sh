#!/usr/bin/env bash
# The MPI program under Open MPI and MPICH. Arguments: prefix, work folder, sanitizers. 77: no MPI.
set -euo pipefail
prefix=$1 work=$2 sanitize=$3 here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"
lib=$(dirname "$(find "$prefix" -name 'libxccl.so.?')")
include=$(dirname "$(find "$prefix" -name xccl.h)")
ran=0
export ASAN_OPTIONS=detect_leaks=0  # the MPI libraries keep memory to their end
for kind in openmpi mpich; do
  command -v mpicc.$kind >/dev/null && command -v mpirun.$kind >/dev/null || continue
  # Its MPI_Init() ends with a segmentation fault under the thread sanitizer, without us too.
  [[ $kind == mpich && $sanitize == thread ]] && continue
  OMPI_CC=cc MPICH_CC=cc mpicc.$kind -std=c99 ${sanitize:+-fsanitize=$sanitize} -I"$include" "$here/mpi_program.c" \
    -o "$work/mpi_program.$kind" -L"$lib" -lxccl -Wl,-rpath,"$lib"
  options=()
  [[ $kind == openmpi ]] && options=(--oversubscribe --allow-run-as-root)
  mpirun.$kind "${options[@]}" -np 3 "$work/mpi_program.$kind"
  ran=1
done
((ran)) || { echo "no MPI here: skipped"; exit 77; }
