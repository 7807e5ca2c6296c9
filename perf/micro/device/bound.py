"""What the instructions of a sum of two allow at most, beside what is measured.

For each type: the loop that makes most of a result, counted in the disassembly of
device_reduce_benchmark; the cycles that llvm-mca's model of the core needs for it, with all data in
the first-level cache; that at the clock that core_clock sees; as a share of what float32 is measured
to reach in the second-level cache, which is the limit that the data's way sets; and what the type
itself reaches there.

    bound.py --bin build/release/bin [--count-only] [--out perf/results]
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "compare"))

from loops import VECTOR_BYTES, disassembly, find_llvm_mca, main_loop, modelled  # noqa: E402
from machine import commit, description  # noqa: E402

# As the benchmark names the type, and what its function has in its name.
LOOPS = {"float32": "::fold<(xccl::ReduceKind)0, 2ul, float>(",
         "float16": "::sum_two<xccl::(anonymous namespace)::Float16Sum>(",
         "bfloat16": "::sum_two<xccl::(anonymous namespace)::PartedSum<"
                     "xccl::(anonymous namespace)::Bfloat16Parts> >(",
         "float8_e5m2": "::sum_two<xccl::(anonymous namespace)::PartedSum<"
                        "xccl::(anonymous namespace)::E5m2Parts> >(",
         "float8_e4m3": "::sum_two<xccl::(anonymous namespace)::E4m3Sum>("}
NEEDED = "avx512_fp16"
TRAFFIC = 3 * VECTOR_BYTES  # two sources are read and a result is written
ROUNDS = 5


def count_all(folder, llvm_mca, core):
    functions = disassembly(os.path.join(folder, "device_reduce_benchmark"))
    counts = {}
    for type_name, part_of_name in LOOPS.items():
        name, loop = main_loop(functions, part_of_name)
        counts[type_name] = modelled(loop, llvm_mca, core) | {"symbol": name.split(">(")[0] + ">"}
    return counts


def output_of(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{command[0]} failed ({error}); build the targets device_reduce_benchmark and "
                 "core_clock")


def measure(folder):
    """(GHz, {(level, type): GB/s}): medians of rounds in which the clock is looked at, too."""
    clocks, rates = [], {}
    wanted = "|".join(LOOPS)
    for _ in range(ROUNDS):
        clocks.append(float(output_of([os.path.join(folder, "core_clock")])))
        report = json.loads(output_of(
            [os.path.join(folder, "device_reduce_benchmark"), "--benchmark_format=json",
             f"--benchmark_filter=^(L1|L2)/sum/({wanted})/2:1/real_time$",
             "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5",
             "--benchmark_min_time=0.02"]))
        if report["context"]["instructions"] != NEEDED:
            sys.exit(f"this processor runs other loops ({report['context']['instructions']}, not "
                     f"{NEEDED}); give --count-only to count these all the same")
        for run in report["benchmarks"]:
            if run.get("error_occurred"):
                sys.exit(f"{run['name']}: {run['error_message']}; see that device_test passes")
            if run["run_type"] == "iteration":
                level, _, type_name = run["name"].split("/")[:3]
                rates.setdefault((level, type_name), []).append(run["bytes_per_second"] / 1e9)
    return statistics.median(clocks), {key: statistics.median(of) for key, of in rates.items()}


def counts_table(counts):
    lines = ["| type | instructions | uops | on port 0 | on port 5 | cycles |",
             "|---|--:|--:|--:|--:|--:|"]
    for type_name, count in counts.items():
        ports = [next((used for name, used in count["ports"].items() if name.endswith(port)), 0)
                 for port in ("Port00", "Port05")]
        lines.append(f"| {type_name} | {count['instructions']:.1f} | {count['uops']:.1f} | "
                     f"{ports[0]:.1f} | {ports[1]:.1f} | {count['cycles']:.1f} |")
    return "\n".join(lines)


def bounds_table(counts, clock, rates):
    limit = rates["L2", "float32"]
    lines = ["| type | bound, GB/s | L1, GB/s | of the bound | bound, of float32 in L2 | L2, GB/s | "
             "of float32 | of what the bound allows |", "|---|" + "--:|" * 7]
    for type_name, count in counts.items():
        bound = TRAFFIC / count["cycles"] * clock
        allowed = min(1.0, bound / limit)
        first, second = rates["L1", type_name], rates["L2", type_name]
        lines.append(f"| {type_name} | {bound:.1f} | {first:.1f} | {first / bound:.2f} | "
                     f"{allowed:.2f} | {second:.1f} | {second / limit:.2f} | "
                     f"{second / limit / allowed:.2f} |")
    return "\n".join(lines)


def page_of(counts, clock, rates, version, core, options):
    symbols = "\n".join(f"- {name}: `{count['symbol']}`" for name, count in counts.items())
    return f"""# What the instructions of sums of two allow

{description()}. {datetime.date.today()}, commit {commit()}, `perf/micro/device/bound.py {options}`.

For 64 bytes of result, two sources, one destination ({NEEDED}; llvm-mca {version}, {core}):

{counts_table(counts)}

Vectors of 64 bytes are executed by the ports 0 and 5 alone, one each per cycle. A load that an
instruction does itself is a uop here. At {clock:.2f} GHz, as measured beside the rates:

{bounds_table(counts, clock, rates)}

Bytes read and written per second of one thread: medians of {ROUNDS} rounds of 5 repetitions in shuffled
order. "bound": the cycles above at that clock, with all data in the first-level cache; "of float32 in
L2": that, over what float32 reaches in L2, or 1 where the data's way is what limits.

The loops are the main ones of these functions:

{symbols}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True,
                        help="folder of device_reduce_benchmark and core_clock")
    parser.add_argument("--llvm-mca", help="the program (newest that is found)")
    parser.add_argument("--core", default="sapphirerapids", help="llvm-mca's name of the processor")
    parser.add_argument("--count-only", action="store_true", help="measure nothing")
    parser.add_argument("--out", help="folder for the page")
    options = parser.parse_args()
    llvm_mca, version = find_llvm_mca(options.llvm_mca)
    counts = count_all(options.bin, llvm_mca, options.core)
    if options.count_only:
        print(counts_table(counts))
        return
    clock, rates = measure(options.bin)
    page = page_of(counts, clock, rates, version, options.core, " ".join(sys.argv[1:]))
    print(page)
    if options.out:
        name = f"{datetime.date.today()}-{commit()}-device_reduce-bound.md"
        with open(os.path.join(options.out, name), "w", encoding="utf-8") as file:
            file.write(page)


if __name__ == "__main__":
    main()
