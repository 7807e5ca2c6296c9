"""Question: how long does an all-reduce of float32 take with xccl, and how long with its rivals?

Method: for each number of ranks all libraries' jobs live at the same time, and sleep but for the
one that is measured. For each size, rounds follow each other, in each of which every job is
measured once (A B C, A B C, ...), after an untimed round that finds out how many iterations fill a
block and, where a library leaves the choice to its caller, which algorithm is fastest. The time of
an iteration is that of its slowest rank; of a block, the median of its iterations; of a library,
the median over rounds. Where a library has settings to choose from, the best one of each size is
chosen in odd rounds, and all are compared in even ones. Ratios are taken within rounds, and their
median has a bootstrap interval.
Between rounds a copy and the round trip of a flag are timed: rounds beside a disturbed one are
discarded for all alike. Every block's result is checked.
"""

import argparse
import contextlib
import datetime
import os
import statistics
import sys
import time

import report
from jobs import Control, Job, JobFailed, launches
from machine import CpuTimes, commit, description
from ratios import CONTROL_TOLERANCE, is_calm, percentile, slowest_ranks, typical_controls

_SHORT_SECONDS = 165
_LONG_SECONDS = 1500
_BLOCK_SECONDS = 0.05
_MOST_ITERATIONS = 1000
_MOST_ROUNDS = 200
_LARGE_BYTES = 16 << 20  # from here on a size has twice the share of time, and shorter trials


class Comparison:
    """Measures, and keeps what it has seen."""

    def __init__(self, folder, chosen, control):
        self.folder = folder
        self.chosen = chosen
        self.control = control
        self.blocks = []
        self.controls = []
        self.failures = []
        self.settings = {}

    def run(self, rank_count, sizes, seconds):
        start = time.monotonic()
        with contextlib.ExitStack() as stack:
            jobs = []
            for launch in self.chosen:
                if not launch.suits(rank_count):
                    self.settings.setdefault(f"{launch.name()}: left out, since its waiting ranks "
                                             "do not yield", []).append(rank_count)
                    continue
                with self._noting_failure(jobs, None):
                    job = Job(launch, rank_count, self.folder)
                    stack.callback(job.end)
                    jobs.append(job)
                    setting = (f"{launch.name()}: {job.description}, "
                               f"{launch.settings(rank_count)}")
                    self.settings.setdefault(setting, []).append(rank_count)
            weights = {size: 2 if size >= _LARGE_BYTES else 1 for size in sizes}
            for size in sizes:
                left = seconds - (time.monotonic() - start)
                share = left * weights[size] / sum(weights[other] for other in sizes
                                                   if other >= size)
                self._measure_size(jobs, size, time.monotonic() + share)

    def _measure_size(self, jobs, size, deadline):
        print(f"{jobs[0].rank_count if jobs else 0} ranks, {report.size_name(size)} ...",
              file=sys.stderr, flush=True)
        plans = {}
        for job in list(jobs):
            with self._noting_failure(jobs, job):
                plans[job] = self._try(job, size)
        self.controls.append(self.control.measure())
        has_choice = any(job.launch.setting for job in jobs)
        least_rounds = 2 * report.LEAST_ROUNDS if has_choice else report.LEAST_ROUNDS
        for number in range(_MOST_ROUNDS):
            if number >= least_rounds and time.monotonic() > deadline:
                break
            before = len(self.controls) - 1
            measured = []
            for job in list(jobs):
                with self._noting_failure(jobs, job):
                    measured.append(self._measure_block(job, size, number, *plans[job]))
            self.controls.append(self.control.measure())
            self.blocks += [{**block, "before": before, "after": before + 1} for block in measured]

    @contextlib.contextmanager
    def _noting_failure(self, jobs, job):
        """A job that fails is left out from there on; the others go on."""
        try:
            yield
        except JobFailed as failure:
            print(failure, file=sys.stderr, flush=True)
            self.failures.append(str(failure))
            if job is not None:
                jobs.remove(job)

    def _try(self, job, size):
        """The fastest algorithm of the job at this size, and how many iterations fill a block."""
        passes = 1 if size >= _LARGE_BYTES or len(job.algorithms) == 1 else 2
        found = {}
        for _ in range(passes):
            for algorithm in job.algorithms:
                times = job.measure(size, 1, 1 if size >= _LARGE_BYTES else 5, algorithm)
                if times is None:
                    continue
                first = statistics.median(slowest_ranks(times))
                if size < _LARGE_BYTES:
                    count = _iterations_for(first)
                    times = job.measure(size, 2, count, algorithm)
                typical = statistics.median(slowest_ranks(times))
                found[algorithm] = min(typical, found.get(algorithm, typical))
        algorithm = min(found, key=found.get)
        return algorithm, _iterations_for(found[algorithm])

    @staticmethod
    def _measure_block(job, size, number, algorithm, iterations):
        warm_ups = max(1, min(20, iterations // 5))
        times = slowest_ranks(job.measure(size, warm_ups, iterations, algorithm))
        return {"library": job.launch.contestant, "setting": job.launch.setting,
                "transport": job.launch.transport,
                "ranks": job.rank_count, "bytes": size, "round": number, "algorithm": algorithm,
                "iterations": iterations, "min_us": min(times) / 1e3,
                "median_us": statistics.median(times) / 1e3,
                "p99_us": percentile(times, 0.99) / 1e3}


def _iterations_for(nanoseconds):
    return max(1, min(_MOST_ITERATIONS, int(_BLOCK_SECONDS * 1e9 / nanoseconds)))


def _options():
    def numbers(text):
        return sorted({int(word) for word in text.split(",")})
    parser = argparse.ArgumentParser(prog="perf/compare/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rivals", default="", help=argparse.SUPPRESS)
    parser.add_argument("--long", action="store_true", help="about 25 minutes in place of 3")
    parser.add_argument("--seconds", type=float, help="about so long in place of either")
    parser.add_argument("--ranks", type=numbers, default=[2, 4, 8], help="such as 2,4,8")
    parser.add_argument("--sizes", type=numbers, default=[8, 4 << 10, 64 << 10, 1 << 20, 64 << 20],
                        help="bytes, such as 8,4096")
    parser.add_argument("--only", default="", help="names that are measured, such as xccl,Gloo")
    parser.add_argument("--out", default="perf/results", help="folder of the results")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    if options.ranks[0] < 2:
        parser.error("--ranks: a comparison needs at least 2 ranks")
    if any(size < 4 or size % 4 for size in options.sizes):
        parser.error("--sizes: multiples of 4 bytes, since elements are float32")
    return options


def _facts(comparison, command, started, cpu):
    controls = comparison.controls
    typical = typical_controls(controls)
    disturbed = sum(not is_calm(control, typical) for control in controls)
    rounds = {(block["ranks"], block["bytes"], block["round"]): block["calm"]
              for block in comparison.blocks}
    return {
        "title": "All-reduce of float32, against other libraries",
        "machine": f"{description()}. {started:%Y-%m-%d}, commit {commit()}, `{command}`.",
        "legend": "Medians over rounds, of the slowest rank, out of place, in microseconds. The "
                  "last column is the median of the rounds' ratios with its 95 % interval; below 1 "
                  "xccl is faster; \"disturbed\": too few rounds were calm, it proves nothing. Gloo has no shared memory: it uses TCP in both parts.",
        "settings": [f"{setting} ({', '.join(map(str, ranks))} ranks)"
                     for setting, ranks in comparison.settings.items()]
        + ["all: float32 sum; page-aligned buffers, rewritten by their owner before each iteration;"
           " the calling threads pinned one to a core where there are enough, free elsewhere"],
        "run": [f"{(datetime.datetime.now() - started).total_seconds():.0f} s, "
                f"{len(comparison.blocks)} blocks, every result checked",
                f"{sum(not calm for calm in rounds.values())} of {len(rounds)} rounds discarded: "
                f"{disturbed} of {len(controls)} controls off by more than "
                f"{100 * CONTROL_TOLERANCE:.0f} %",
                f"controls: copy of 4 MiB {typical[0] / 1e3:.0f} µs, flag round trip "
                f"{typical[1]:.0f} ns",
                f"stolen by the host: {cpu.stolen_percent():.1f} % of the processors' time; load "
                f"at the end {cpu.load():.1f}"],
        "failures": comparison.failures,
    }


def _write(options, comparison, facts, rows, started):
    os.makedirs(options.out, exist_ok=True)
    stem = os.path.join(options.out, f"{started:%Y-%m-%d}-{commit()}-all_reduce")
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(report.page(rows, facts))
    report.write_lines(stem + ".jsonl", facts, comparison.blocks, rows, comparison.controls)
    print(report.page(rows, facts))
    print(f"Written: {stem}.md and .jsonl")
    if options.readme:
        report.replace_figures("README.md", "\n\n".join(
            ["", facts["machine"], report.table(rows),
             f"{facts['legend']} Settings, discards and every block: `{stem}.md`.", ""]))


def main():
    options = _options()
    started = datetime.datetime.now()
    cpu = CpuTimes()
    wanted = {name.lower().strip() for name in options.only.split(",") if name}
    chosen = [launch for launch in launches(options.bin, options.rivals)
              if not wanted or launch.contestant.lower() in wanted]
    if not chosen:
        print(f"compare: nothing of {options.only or 'all'} in {options.bin}", file=sys.stderr)
        return 2
    total = options.seconds or (_LONG_SECONDS if options.long else _SHORT_SECONDS)
    control = Control(options.bin)
    comparison = Comparison(options.bin, chosen, control)
    try:
        for rank_count in options.ranks:
            comparison.run(rank_count, options.sizes, total / len(options.ranks))
    finally:
        control.end()
    if not comparison.blocks:
        print("compare: no library could be measured", file=sys.stderr)
        return 1
    rows = report.rows_of(comparison.blocks, comparison.controls)
    command = "perf/compare/run.sh" + (" --long" if options.long else "")
    _write(options, comparison, _facts(comparison, command, started, cpu), rows, started)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
