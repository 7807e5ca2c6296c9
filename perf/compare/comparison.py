"""The measuring itself: jobs side by side, in rounds, each result checked."""

import contextlib
import itertools
import statistics
import sys
import time

import cases
import report
from jobs import Job, JobFailed, Request
from ratios import after_last_arrival, percentile, slowest_ranks
from rows import LEAST_ROUNDS

_BLOCK_SECONDS = 0.05
_LEAST_BLOCK_SECONDS = 0.001
_BLOCKS_IN_SHARE = 10  # of each job, at least, in the time of one size
_MOST_ROUNDS = 200
_LARGE_BYTES = 16 << 20  # from here on a size has twice the share of time, and shorter trials


class Comparison:
    """Measures, and keeps what it has seen."""

    def __init__(self, folder, chosen, control, cache_bytes):
        self.folder = folder
        self.chosen = chosen
        self.control = control
        self.cache_bytes = cache_bytes
        self.blocks = []
        self.controls = []
        self.failures = []
        self.settings = {}
        self._seeds = itertools.count(1)
        self._block_seconds = _BLOCK_SECONDS

    def run(self, rank_count, sizes, chosen_cases, seconds):
        start = time.monotonic()
        with contextlib.ExitStack() as stack:
            jobs = self._open_jobs(rank_count, stack)
            cells = [(case, size) for size in sizes for case in chosen_cases
                     if case.suits(size, rank_count)]
            self._block_seconds = max(_LEAST_BLOCK_SECONDS, min(
                _BLOCK_SECONDS, seconds / max(1, len(cells) * len(jobs) * _BLOCKS_IN_SHARE)))
            weights = [2 if size >= _LARGE_BYTES else 1 for _, size in cells]
            for place, (case, size) in enumerate(cells):
                left = seconds - (time.monotonic() - start)
                share = left * weights[place] / sum(weights[place:])
                self._measure_cell(jobs, case, size, time.monotonic() + share)

    def _open_jobs(self, rank_count, stack):
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
                setting = f"{launch.name()}: {job.description}, {launch.settings(rank_count)}"
                self.settings.setdefault(setting, []).append(rank_count)
        return jobs

    def _measure_cell(self, jobs, case, size, deadline):
        print(f"{jobs[0].rank_count if jobs else 0} ranks, {case.title()}, "
              f"{report.size_name(size)} ...", file=sys.stderr, flush=True)
        plans = {}
        for job in list(jobs):
            with self._noting_failure(jobs, job):
                plan = self._try(job, case, size)
                if plan is not None:
                    plans[job] = plan
        self.controls.append(self.control.measure())
        has_choice = any(job.launch.setting for job in plans)
        least_rounds = 2 * LEAST_ROUNDS if has_choice else LEAST_ROUNDS
        for number in range(_MOST_ROUNDS if plans else 0):
            if number >= least_rounds and time.monotonic() > deadline:
                break
            before = len(self.controls) - 1
            seed = next(self._seeds)  # the same arrivals for all contestants of the round
            measured = []
            for job in [job for job in jobs if job in plans]:
                with self._noting_failure(jobs, job):
                    measured.append(self._measure_block(job, case, size, number, seed, *plans[job]))
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

    def _request(self, job, case, size, iterations, seed, algorithm):
        pairs = cases.pairs(case, size, job.rank_count, iterations, self.cache_bytes)
        return Request(case, size, pairs, cases.warm_ups(case, pairs, iterations), iterations, seed,
                       algorithm)

    def _try(self, job, case, size):
        """The fastest algorithm of the job at this size, and how many iterations fill a block. None
        where the library does not do this."""
        is_large = size >= _LARGE_BYTES
        passes = 1 if is_large or len(job.algorithms) == 1 else 2
        found = {}
        for _ in range(passes):
            for algorithm in job.algorithms:
                measured = job.measure(self._request(job, case, size, 1 if is_large else 5, 0,
                                                     algorithm))
                if measured is None:
                    continue
                typical = statistics.median(times_of(case, measured))
                if not is_large:
                    count = cases.iterations_for(case, typical, self._block_seconds)
                    measured = job.measure(self._request(job, case, size, count, 0, algorithm))
                    typical = statistics.median(times_of(case, measured))
                found[algorithm] = min(typical, found.get(algorithm, typical))
        if not found:
            return None
        algorithm = min(found, key=found.get)
        return algorithm, cases.iterations_for(case, found[algorithm], self._block_seconds)

    def _measure_block(self, job, case, size, number, seed, algorithm, iterations):
        request = self._request(job, case, size, iterations, seed, algorithm)
        measured = job.measure(request)
        if measured is None:
            raise JobFailed(f"{job.launch.name()}, {job.rank_count} ranks: did {case.title()} of "
                            f"{size} bytes, and does it no more")
        times = times_of(case, measured)
        return {"operation": case.operation, "mode": case.mode, "pages": case.pages,
                "place": case.place, "library": job.launch.contestant,
                "setting": job.launch.setting, "transport": job.launch.transport,
                "ranks": job.rank_count, "bytes": size, "round": number, "algorithm": algorithm,
                "pairs": request.pairs, "iterations": iterations, "min_us": min(times) / 1e3,
                "median_us": statistics.median(times) / 1e3,
                "p99_us": percentile(times, 0.99) / 1e3, "switches": measured.switches,
                "processor_ns": measured.processor_ns}


def times_of(case, measured):
    """The time of each iteration, in nanoseconds."""
    if case.mode == "cold":
        return after_last_arrival(measured.calls_by_rank)
    return slowest_ranks(measured.calls_by_rank)
