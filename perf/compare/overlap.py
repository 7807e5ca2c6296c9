"""Question: how much of an all-reduce hides behind computing on the same cores?

Method: overlap_benchmark (perf/micro/api) with two ranks, each on a core of its own: over shared
memory, over TCP on loopback, and between two hosts that are namespaces, whose wire takes 5 ms each
way (delayed_wire, perf/micro/wire; needs root, and is left out without). Prints each row, and fails
where one breaks a bound: together at most 1.1 of one after the other, and at least 80 % of the
waiting hidden where the wire makes it wait.
"""

import argparse
import json
import os
import subprocess
import sys

from machine import commit, description
from namespaces import TwoHosts, why_not, xccl_environment

MOST_OF_ONE_BY_ONE = 1.1
LEAST_HIDDEN = 0.8
_DELAY_MS = 5
_SECONDS = 110


def _on_one_host(options, transport):
    run = subprocess.run(
        [os.path.join(options.bin, "xccl-run"), "-n", "2",
         os.path.join(options.bin, "overlap_benchmark"), "--rounds", str(options.rounds)],
        env={**os.environ, "XCCL_TRANSPORT": transport}, stdout=subprocess.PIPE, text=True,
        timeout=_SECONDS, check=True)
    return run.stdout


def _over_wire(options):
    program = os.path.abspath(os.path.join(options.bin, "overlap_benchmark"))
    with TwoHosts(os.path.abspath(os.path.join(options.bin, "delayed_wire")), _DELAY_MS) as hosts:
        ranks = [subprocess.Popen(
            [*hosts.enter(rank), program, "--rounds", str(options.slow_rounds)],
            env={**os.environ, **xccl_environment(rank, 2, 1)}, stdout=subprocess.PIPE, text=True)
            for rank in range(2)]
        try:
            texts = [rank.communicate(timeout=_SECONDS)[0] for rank in ranks]
        finally:
            for rank in ranks:
                rank.kill()
        if any(rank.returncode != 0 for rank in ranks):
            raise RuntimeError("a rank failed")
        print(f"wire with {_DELAY_MS} ms: {hosts.wire_cpu_seconds():.2f} s of CPU time",
              file=sys.stderr)
    return texts[0]


def _show(way, text):
    """Prints the rows; the number of those that break a bound."""
    broken = 0
    for line in text.splitlines():
        row = {"over": way, **json.loads(line)}
        broken += row["together_of_one_by_one"][0] > MOST_OF_ONE_BY_ONE
        broken += row["hidden"] is not None and row["hidden"][0] < LEAST_HIDDEN
        print(json.dumps(row), flush=True)
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--slow-rounds", type=int, default=15, help="over the wire with latency")
    parser.add_argument("--only", choices=("shm", "tcp", "wire"), help="instead of all three")
    options = parser.parse_args()
    print(f"{description()}, commit {commit()}", file=sys.stderr)
    broken = 0
    for transport in ("shm", "tcp"):
        if options.only in (None, transport):
            broken += _show(transport, _on_one_host(options, transport))
    if options.only in (None, "wire"):
        reason = why_not()
        if reason:
            print(f"overlap: without the wire with latency: {reason}", file=sys.stderr)
        else:
            broken += _show(f"tcp, {_DELAY_MS} ms away", _over_wire(options))
    if broken:
        print(f"overlap: {broken} bounds are broken", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
