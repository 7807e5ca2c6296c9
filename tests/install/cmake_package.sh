#!/usr/bin/env bash
# A CMake project that finds the installed copy. Arguments: prefix, work folder, sanitizers.
set -euo pipefail
prefix=$1 work=$2 sanitize=$3 here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"; mkdir -p "$work/source"
cp "$here/all_reduce.c" "$work/source/"
cat >"$work/source/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.22)
project(consumer C)
find_package(xccl 0.1 REQUIRED)
add_executable(all_reduce all_reduce.c)
target_link_libraries(all_reduce PRIVATE xccl::xccl)
C
cmake -G Ninja -S "$work/source" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="${sanitize:+-fsanitize=$sanitize}" >/dev/null
cmake --build "$work/build" >/dev/null
"$work/build/all_reduce"
