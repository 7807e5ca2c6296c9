#!/usr/bin/env bash
# Runs the tests under the sanitizers: addresses and undefined behaviour, then threads.
#
#   scripts/sanitize.sh              the whole suite under both
#   scripts/sanitize.sh --fast       threads alone, in the C API, the engine and the transports; a part
#                                    of scripts/test.sh
#   scripts/sanitize.sh tsan         under one of them (asan-ubsan, tsan)
set -euo pipefail
cd "$(dirname "$0")/.."
fast=
presets=()
for argument in "$@"; do
  case $argument in
    --fast) fast=yes ;;
    asan-ubsan | tsan) presets+=("$argument") ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
targets=() selection=()
if [[ -n $fast ]]; then
  presets=(tsan)
  targets=(--target api_test executor_test transport_test transport_rank)
  # The others kill processes hundreds of times, or start many: minutes under instrumentation.
  selection=(-R '^(api|executor|transport)/' -E 'Kill|Limits|Crowd')
fi
[[ ${#presets[@]} -gt 0 ]] || presets=(asan-ubsan tsan)
# Kernels that place memory at random in a large space leave older thread sanitizers no room.
steady=()
setarch "$(uname -m)" -R true 2>/dev/null && steady=(setarch "$(uname -m)" -R)
for preset in "${presets[@]}"; do
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" "${targets[@]}"
  "${steady[@]}" ctest --preset "$preset" --output-on-failure -j "$(nproc)" "${selection[@]}"
done
