"""Runs device_reduce_benchmark and writes its table: each reduction as a share of the copy."""

import argparse
import collections
import datetime
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "compare"))

from machine import commit, description  # noqa: E402

LEVELS = ("L1", "L2", "L3", "DRAM")
COPY = "copy"


def measure(program, repetitions, seconds, more):
    command = [program, "--benchmark_enable_random_interleaving=true", "--benchmark_format=json",
               f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={seconds}", *more]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout)


def rates_of(report):
    """{(level, case): [bytes per second of each repetition]}, in the order of the program."""
    rates = collections.defaultdict(list)
    for run in sorted(report["benchmarks"], key=lambda run: run["family_index"]):
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}; see that device_test passes")
        if run["run_type"] == "iteration":
            level, case = run["name"].replace("/real_time", "").split("/", 1)
            rates[level, case].append(run["bytes_per_second"])
    return rates


def spread(values):
    """Half of the distance between the quartiles, as a share of the median, in percent."""
    low, middle, high = statistics.quantiles(values, n=4)
    return 50 * (high - low) / middle


def table_of(rates):
    cases = list(dict.fromkeys(case for _, case in rates if case != COPY))
    lines = ["| case | " + " | ".join(f"{level}, GB/s | of copy" for level in LEVELS) + " |",
             "|---|" + "--:|--:|" * len(LEVELS)]
    for case in [COPY, *cases]:
        cells = [case]
        for level in LEVELS:
            if (level, case) not in rates:
                cells += ["-", "-"]
                continue
            rate = statistics.median(rates[level, case])
            cells += [f"{rate / 1e9:.1f}", f"{rate / statistics.median(rates[level, COPY]):.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page_of(report, rates, options):
    shown = " ".join(["perf/micro/device/run.sh", *options])
    noise = {level: max(spread(of) for (where, _), of in rates.items() if where == level)
             for level in LEVELS if (level, COPY) in rates}
    return f"""# Reductions on the host, as shares of the copy

{description()}. {datetime.date.today()}, commit {commit()}, {report["context"]["instructions"]}, `{shown}`.

{table_of(rates)}

Bytes read and written by the algorithm per second, of one thread or of all `threads`; "of copy": that, over what copy_bytes()
moves in the same run at the same level. `sum/float32/2:1` is the sum of two sources to one destination;
`copied` one source as it is, `widen` and `narrow` between the datatype and float32. Medians of
repetitions in shuffled order; half the distance of the quartiles is at most
{", ".join(f"{noise[level]:.0f} % at {level}" for level in noise)}. What a level is: `perf/micro/device/levels.cc`.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="device_reduce_benchmark")
    parser.add_argument("--long", action="store_true", help="five times as many repetitions")
    parser.add_argument("--out", help="folder for the table and the measured repetitions")
    parser.add_argument("--filter", help="regular expression of the cases (with copy among them)")
    parser.add_argument("--instructions", help="avx512, avx2 or generic")
    options = parser.parse_args()
    more = [f"--benchmark_filter={options.filter}"] if options.filter else []
    if options.instructions:
        more.append(f"--instructions={options.instructions}")
    report = measure(options.program, 35 if options.long else 7, 0.01, more)
    rates = rates_of(report)
    if not any(case == COPY for _, case in rates):
        sys.exit("no copy was measured: let --filter choose it, too, as in 'copy|sum/float32'")
    words = [word for word in sys.argv[1:] if not word.startswith(("--program", "--out"))
             and word not in (options.program, options.out)]
    page = page_of(report, rates, words)
    print(page)
    if options.out:
        name = (f"{datetime.date.today()}-{commit()}-device_reduce-"
                f"{report['context']['instructions']}")
        with open(os.path.join(options.out, name + ".md"), "w", encoding="utf-8") as file:
            file.write(page)
        with open(os.path.join(options.out, name + ".jsonl"), "w", encoding="utf-8") as file:
            for (level, case), of in rates.items():
                file.write(json.dumps({"level": level, "case": case,
                                       "gigabytes_per_second": [round(rate / 1e9, 3)
                                                                for rate in of]}) + "\n")


if __name__ == "__main__":
    main()
