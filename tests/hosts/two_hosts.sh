#!/usr/bin/env bash
# Two network namespaces joined by a veth pair play two hosts; each has four ranks.
# Arguments: the program host_rank, what to check (wire, wire_ipv6, sweep, death). 77: not possible here.
set -euo pipefail
program=$1 what=$2
((EUID == 0)) && command -v ip >/dev/null || { echo "needs root and iproute2"; exit 77; }
a=xccl-a-$$ b=xccl-b-$$
ip netns add "$a" 2>/dev/null || { echo "network namespaces cannot be made here"; exit 77; }
work=$(mktemp -d)
declare -a pids=()
end() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
ip netns add "$b"
ip link add vethx netns "$a" type veth peer name vethx netns "$b"
number=1
for host in "$a" "$b"; do
  ip -n "$host" addr add 10.77.0.$number/24 dev vethx
  ip -n "$host" addr add fd77::$number/64 dev vethx nodad
  ip -n "$host" link set lo up
  ip -n "$host" link set vethx up
  number=$((number + 1))
done

export XCCL_SIZE=8 XCCL_SECRET=a-secret-of-this-test-only XCCL_INIT_TIMEOUT_MS=20000 XCCL_ROOT=10.77.0.1:7077
if [[ $what == wire_ipv6 ]]; then
  for host in "$a" "$b"; do ip -n "$host" addr del "$(ip -n "$host" -4 -o addr show vethx | awk '{print $4}')" dev vethx; done
  XCCL_ROOT='[fd77::1]:7077'
fi
mode=$what
[[ $what != wire_ipv6 ]] || mode=wire
[[ $what != death ]] || mode=forever
sent() { ip -n "$1" -s -j link show vethx | grep -oE '"tx":\{"bytes":[0-9]+' | grep -oE '[0-9]+$'; }
before=$(($(sent "$a") + $(sent "$b")))
for rank in {0..7}; do
  host=$a; ((rank < 4)) || host=$b
  XCCL_RANK=$rank ip netns exec "$host" "$program" "$mode" >"$work/$rank" 2>"$work/$rank.err" &
  pids+=($!)
done

if [[ $what == death ]]; then
  victim=5
  # Once they are going any instant is good.
  until grep -q going "$work/$victim" || ! kill -0 "${pids[victim]}" 2>/dev/null; do sleep 0.1; done
  sleep 0.5
  kill -KILL "${pids[victim]}"
fi
failed=0
for rank in {0..7}; do
  status=0
  wait "${pids[rank]}" || status=$?
  if [[ $what != death ]]; then
    ((status == 0)) || { echo "rank $rank ended with $status"; failed=1; }
  elif ((rank != victim)); then
    ((status == 6)) || { echo "rank $rank ended with $status, not with 6, the remote error"; failed=1; }
    grep -q "rank $victim on .*all_reduce" "$work/$rank" || { echo "rank $rank does not name the dead"; failed=1; }
  fi
done
pids=()
cat "$work"/?
((failed == 0)) || { cat "$work"/*.err; exit 1; }
if [[ $mode == wire ]]; then
  carried=$(grep -oE 'carried [0-9]+' "$work/0" | grep -oE '[0-9]+')
  crossed=$(($(sent "$a") + $(sent "$b") - before))
  echo "$carried bytes of payload, $crossed bytes crossed the wire"
  # Headers of frames, TCP and Ethernet, acknowledgements, and what setting up and checking sends.
  ((crossed >= carried && crossed < carried + carried / 10 + 200000))
fi
