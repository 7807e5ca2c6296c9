#!/usr/bin/env bash
# A C program built with the installed copy's pkg-config file. Arguments: prefix, work folder, sanitizers.
set -euo pipefail
prefix=$1 work=$2 sanitize=$3 here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"
pc=$(find "$prefix" -name xccl.pc)
# The file names the prefix of the configuration; a relocated copy overrides it.
flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" --cflags --libs xccl)
lib=$(dirname "$(find "$prefix" -name 'libxccl.so.?')")
# shellcheck disable=SC2086
cc -std=c99 -pedantic -Wall -Wextra -Werror ${sanitize:+-fsanitize=$sanitize} "$here/all_reduce.c" -o "$work/all_reduce" \
  $flags -Wl,-rpath,"$lib"
"$work/all_reduce"
