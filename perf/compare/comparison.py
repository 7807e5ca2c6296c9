"""The measuring itself: jobs side by side, in rounds, each result checked."""

import itertools
import statistics
import sys
import time

import cases
import report
from jobs import Job, JobFailed, Request
from journal import Journal
from plan import LARGE_BYTES
from race import RESERVE, contestant_of, has_rival, needs_more, out_of_reach, without
from ratios import after_last_arrival, percentile, slowest_ranks
from rows import LEAST_ROUNDS
from team import Team

_BLOCK_SECONDS = 0.05
_LEAST_BLOCK_SECONDS = 0.001
_BLOCKS_IN_SHARE = 12  # of each job, at least, in the time of one cell, its trial included
_MOST_ROUNDS = 200
# An algorithm that took so many times as long as the best one is not tried at the next large size.
_HOPELESS = 3
_OVERTIME = 0.25  # of the whole time, and
_OVERTIME_SECONDS = 60  # more: what has not begun by then is left out


class Comparison:
    """Measures, and keeps what it has seen: here, and in its journal."""

    def __init__(self, folder, launches_of, control, machine, journal, wires=None, start=Job):
        self.folder = folder
        self.launches_of = launches_of  # (on two hosts) -> launches
        self.control = control
        self.machine = machine  # cache_bytes, cold_bytes, and fits(bytes): is there memory for them
        self.journal = journal
        self.start = start  # of a job
        self.wires = wires or (lambda: [])  # bytes that each of two hosts has sent so far
        self.blocks = []
        self.controls = []
        self.failures = []
        self.settings = {}
        self.lost = []  # {library, transport, ranks, bytes and the words of a case}
        self.left_out = []  # cells that were not measured, and why
        self._seeds = itertools.count(1)
        self._block_seconds = _BLOCK_SECONDS
        self._reserve = 0.0  # seconds for rounds beyond a cell's share
        self._hopeful = {}  # (job's name, case, ranks) -> algorithms to try at the next large size
        self._team = None
        self._team_kind = None

    def run(self, parts, seconds):
        cells = [(self.journal.key(part, *cell), part, *cell, weight) for part in parts
                 for cell, weight in zip(part.cells(), part.weights(), strict=True)]
        known = [cell for cell in cells if cell[0] in self.journal.cells]
        for key, *_ in known:
            self._take_over(self.journal.cells[key])
        cells = [cell for cell in cells if cell not in known]
        weight_left = sum(part.share for part in parts)
        seconds *= sum(cell[-1] for cell in cells) / weight_left
        self._reserve = RESERVE * seconds
        weight_left = sum(cell[-1] for cell in cells)
        begun = time.monotonic()
        try:
            for place, (key, part, case, size, weight) in enumerate(cells):
                passed = time.monotonic() - begun
                print(f"{len(known) + place + 1} of {len(known) + len(cells)}, {passed:.0f} of "
                      f"{seconds:.0f} s: {key}", file=sys.stderr, flush=True)
                self._reserve = min(self._reserve, RESERVE * max(0, seconds - passed))
                share = max(0, seconds - self._reserve - passed) * weight / weight_left
                is_late = passed > (1 + _OVERTIME) * seconds + _OVERTIME_SECONDS
                if self._can_measure(part, case, size, key, is_late):
                    self._measure(part, case, size, key, share)
                weight_left -= weight
        finally:
            self._change_team(None)

    def _take_over(self, cell):
        before = len(self.controls)
        self.blocks += [{**block, "before": block["before"] + before,
                         "after": block["after"] + before} for block in cell["blocks"]]
        self.controls += [tuple(control) for control in cell["controls"]]
        self.lost += cell["lost"]
        for setting, ranks in cell["settings"].items():
            known = self.settings.setdefault(setting, [])
            known += [count for count in ranks if count not in known]

    def _can_measure(self, part, case, size, key, is_late):
        needed = cases.memory(case, size, part.ranks, self.machine.cold_bytes)
        why = ("the time was up" if is_late else
               "its buffers need more memory than there is" if not self.machine.fits(needed) else "")
        if why:
            self.left_out.append(f"{key}: {why}")
        return not why

    def _measure(self, part, case, size, key, seconds):
        start = time.monotonic()
        kind = (part.two_hosts, part.ranks)
        if kind != self._team_kind:
            self._change_team(kind)
        self._team.refill()
        blocks, controls, lost = self._measure_cell(case, size, start, seconds)
        self.journal.keep(key, blocks, controls, lost, self.settings)
        self._take_over(self.journal.cells[key])

    def _change_team(self, kind):
        if self._team is not None:
            self._team.end()
        self._team, self._team_kind = None, kind
        if kind is None:
            return
        two_hosts, ranks = kind
        self._team = Team(self.launches_of(two_hosts), ranks, self.folder, self.failures.append,
                          self.start)
        for launch in self._team.left_out:
            self._note_setting(f"{launch.name()}: left out, since its waiting ranks do not yield",
                               ranks)
        for job in self._team.jobs:
            self._note_setting(f"{job.launch.name()}: {job.description}, "
                               f"{job.launch.settings(ranks)}", ranks)

    def _note_setting(self, setting, ranks):
        known = self.settings.setdefault(setting, [])
        if ranks not in known:
            known.append(ranks)

    def _measure_cell(self, case, size, start, seconds):
        """Its blocks, its controls, and who was lost."""
        team = self._team
        self._block_seconds = max(_LEAST_BLOCK_SECONDS, min(
            _BLOCK_SECONDS, seconds / max(1, len(team.jobs) * _BLOCKS_IN_SHARE)))
        lost = []
        plans = {}
        for job in list(team.jobs):
            plan = self._unless_lost(job, lost, case, size, lambda: self._try(job, case, size))
            if plan is not None:
                plans[job] = plan
        if size >= LARGE_BYTES:
            plans = best_settings(plans)
        has_choice = any(job.launch.setting for job in plans) and size < LARGE_BYTES
        least_rounds = 2 * LEAST_ROUNDS if has_choice else LEAST_ROUNDS
        blocks = []
        controls = [self.control.measure()]
        retired = set()
        for number in range(_MOST_ROUNDS if plans else 0):
            passed = time.monotonic() - start
            is_extra = number >= least_rounds and passed > seconds
            if is_extra and not (passed < 2 * seconds and self._reserve > 0
                                 and needs_more(controls, self.controls, has_choice)):
                break
            if number == least_rounds:
                retired = out_of_reach(without(lost, blocks))
            seed = next(self._seeds)  # the same arrivals for all contestants of the round
            for job in [job for job in team.jobs if job in plans
                        and contestant_of(cell_words(job, case, size)) not in retired]:
                block = self._unless_lost(job, lost, case, size, lambda: self._measure_block(
                    job, case, size, number, seed, *plans[job][1:]))
                if block is not None:
                    blocks.append({**block, "before": number, "after": number + 1})
            controls.append(self.control.measure())
            if is_extra:
                self._reserve -= time.monotonic() - start - passed
        # What one lost half-way would leave the others no rounds to be compared in. If those are
        # lost that went on, who was retired is the best that is left.
        left = without(lost, blocks)
        if not has_rival(block for block in left if contestant_of(block) not in retired):
            retired = set()
        return ([{**block, "retired": contestant_of(block) in retired} for block in left],
                controls, lost)

    def _unless_lost(self, job, lost, case, size, measure):
        """A job that fails is left out of this cell; the others go on."""
        try:
            return measure()
        except JobFailed as failure:
            lost.append(cell_words(job, case, size))
            self._team.lose(job, failure)
            return None

    def _request(self, job, case, size, iterations, seed, algorithm):
        pairs = cases.pairs(case, size, job.rank_count, iterations, self.machine)
        return Request(case, size, pairs, cases.warm_ups(case, pairs, iterations), iterations, seed,
                       algorithm)

    def _try(self, job, case, size):
        """(time, the fastest algorithm of the job at this size, how many iterations fill a block).
        None where the library does not do this."""
        is_large = size >= LARGE_BYTES
        hopeful = self._hopeful.get((job.launch.name(), case, job.rank_count))
        algorithms = hopeful if is_large and hopeful else job.algorithms
        found = {}  # algorithm -> (time, how many fill a block)
        for _ in range(1 if is_large or len(algorithms) == 1 else 2):
            for algorithm in algorithms:
                measured = self._try_algorithm(job, case, size, algorithm, is_large)
                if measured is not None:
                    found[algorithm] = min(measured, found.get(algorithm, measured))
        if not found:
            return None
        algorithm = min(found, key=found.get)
        typical, count = found[algorithm]
        self._hopeful[job.launch.name(), case, job.rank_count] = [
            name for name, (taken, _) in found.items() if taken <= _HOPELESS * typical]
        return typical, algorithm, count

    def _try_algorithm(self, job, case, size, algorithm, is_large):
        count = 1 if is_large else 5
        for is_last in (is_large, True):
            request = self._request(job, case, size, count, 0, algorithm)
            start = time.monotonic()
            measured = job.measure(request)
            if measured is None:
                return None
            each = (time.monotonic() - start) / (request.iterations + request.warm_ups)
            typical = statistics.median(times_of(case, measured))
            count = cases.iterations_for(case, typical, each, self._block_seconds)
            if is_last:
                break
        return typical, count

    def _measure_block(self, job, case, size, number, seed, algorithm, iterations):
        request = self._request(job, case, size, iterations, seed, algorithm)
        before = self.wires() if job.launch.transport == "hosts" else []
        measured = job.measure(request)
        sent = [after - then for then, after in zip(before, self.wires() if before else [])]
        if measured is None:
            raise JobFailed(f"{job.launch.name()}, {job.rank_count} ranks: did {case.title()} of "
                            f"{size} bytes, and does it no more")
        times = times_of(case, measured)
        return {**cell_words(job, case, size), "round": number, "algorithm": algorithm,
                "pairs": request.pairs, "iterations": iterations, "warm_ups": request.warm_ups,
                "wire_bytes": sent, "min_us": min(times) / 1e3,
                "median_us": statistics.median(times) / 1e3,
                "p99_us": percentile(times, 0.99) / 1e3, "switches": measured.switches,
                "processor_ns": measured.processor_ns}


def cell_words(job, case, size):
    return {"operation": case.operation, "mode": case.mode, "pages": case.pages,
            "place": case.place, "library": job.launch.contestant, "setting": job.launch.setting,
            "transport": job.launch.transport, "ranks": job.rank_count, "bytes": size}


def best_settings(plans):
    """Of each library and transport the job whose trial was shortest. plans: job -> (time, ...)."""
    best = {}
    for job, plan in plans.items():
        key = (job.launch.contestant, job.launch.transport)
        if key not in best or plan[0] < plans[best[key]][0]:
            best[key] = job
    return {job: plans[job] for job in best.values()}


def times_of(case, measured):
    """The time of each iteration, in nanoseconds."""
    if case.mode == "cold":
        return after_last_arrival(measured.calls_by_rank)
    return slowest_ranks(measured.calls_by_rank)
