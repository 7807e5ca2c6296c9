#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) over C++ files.
#
#   scripts/tidy.sh                 files that differ from the last commit
#   scripts/tidy.sh --since REF     files that differ from REF
#   scripts/tidy.sh --all           every source of the library, the tools, perf and the trainer
#   scripts/tidy.sh FILE...         these
#
# Configures a build of its own for compile_commands.json, in build/tidy. All files take about a
# minute of processor time each ten files.
# The quick checks of style (layers, lengths, names, layout) are tests: ctest -R tidy/
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/tidy

command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed (package clang-tidy)" >&2; exit 3; }
cmake --preset release -B "$build" -DXCCL_UNITY=OFF >/dev/null  # one entry for each file

case ${1:-} in
  --all) files=$(git ls-files 'src/*.cc' 'tools/*.cc' 'perf/*.cc' 'trainer/*.cc') ;;
  --since) files=$(git diff --name-only --diff-filter=d "${2:?a revision}" -- '*.cc') ;;
  '') files=$(git diff --name-only --diff-filter=d HEAD -- '*.cc') ;;
  -*) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
  *) files=$(printf '%s\n' "$@") ;;
esac
[[ -n $files ]] || { echo "nothing to check"; exit 0; }
xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$build" <<<"$files"
