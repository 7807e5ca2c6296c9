#!/usr/bin/env bash
# From nothing to a trained language model: installs what is missing, builds xccl, measures an
# all-reduce between two ranks, and trains a small GPT on the King James Bible with two ranks that
# talk only through libxccl.so. Ends with a sample of what it writes and a report to look at.
#
#   scripts/demo.sh [--minutes M]      default: 3 minutes of training
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=3
while (($#)); do
  case $1 in
    --minutes) minutes=${2:?--minutes needs a number}; shift 2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
[[ $minutes =~ ^[0-9]+([.][0-9]+)?$ ]] || { echo "demo: --minutes $minutes is not a number, such as 3" >&2; exit 2; }

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1/4 Packages"
scripts/setup.sh demo
echo "all there"

say "2/4 Build"
cmake --preset release -DXCCL_BUILD_TESTS=OFF -B build/demo >build-demo.log 2>&1 || { cat build-demo.log >&2; exit 1; }
rm -f build-demo.log
cmake --build build/demo --target xccl xccl-run all_reduce_perf xccl-train

bin=build/demo/bin
say "3/4 All-reduce between two ranks"
"$bin/xccl-run" -n 2 "$bin/all_reduce_perf" -b 8 -e 16M -f 8 -n 50

say "4/4 Training"
text=build/demo/kjv.txt
[[ -s $text ]] || { bible -f gen1:1-rev22:21 >"$text.part" && mv "$text.part" "$text"; }
seconds=$(awk -v m="$minutes" 'BEGIN { print m * 60 }')
"$bin/xccl-run" -n 2 "$bin/xccl-train" --text "$text" --max-time "$seconds" --threads 1 \
  --metrics build/demo/metrics.jsonl --report "$PWD/build/demo/report.html"
