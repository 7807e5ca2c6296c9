"""Goal: a long run keeps what it has when a contestant hangs or dies, when it is cut off, and when
time or memory is short.
Method: jobs that are made up here and fail where they are told to; the rest is what a run does.

    long_run_test.py FOLDER_OF_COMPARE
"""

import contextlib
import io
import itertools
import json
import os
import sys
import tempfile
import types
import unittest

sys.path.insert(0, sys.argv.pop(1))

import cases  # noqa: E402
import comparison as measuring  # noqa: E402
import jobs  # noqa: E402
import plan  # noqa: E402
from comparison import Comparison, best_settings  # noqa: E402
from journal import Journal  # noqa: E402
from launches import Launch  # noqa: E402
from rows import LEAST_ROUNDS, rows_of  # noqa: E402

HOT = cases.Case("all_reduce", "hot", "ordinary", "apart")
SIZES = (8, 64, 256)
# Three contestants take 6 requests to try them and 9 for the least rounds.
_CELL_SECONDS = 15
_SECONDS = 3 * _CELL_SECONDS


class Clock:
    """Tells a time that only measuring takes: a second for each request."""

    seconds = 0.0

    @classmethod
    def monotonic(cls):
        return cls.seconds


class MadeUpJob:
    """Takes as many nanoseconds as it has bytes, times `slow`; `fails` says where it does not."""

    started = []
    slow = {}  # contestant -> how many times as long it takes
    fails = {}  # contestant -> a set of sizes, or of "start"

    def __init__(self, launch, rank_count, _):
        self.launch, self.rank_count, self.description = launch, rank_count, "made up"
        self.algorithms = ["default"]
        self.has_ended = False
        self.started.append(launch.contestant)
        if "start" in self.fails.get(launch.contestant, ()):
            raise jobs.JobFailed(f"{launch.contestant} does not start")

    def measure(self, request):
        Clock.seconds += 1
        if request.size in self.fails.get(self.launch.contestant, ()):
            raise jobs.JobFailed(f"{self.launch.contestant} hangs at {request.size}")
        calls = [(0, request.size * self.slow.get(self.launch.contestant, 1))] * request.iterations
        return jobs.Measured([calls] * self.rank_count, 0, 0)

    def end(self, at_once=False):
        self.has_ended = True


class LongRun(unittest.TestCase):
    def setUp(self):
        MadeUpJob.started, MadeUpJob.fails, MadeUpJob.slow = [], {}, {}
        Clock.seconds = 0.0
        self.addCleanup(setattr, measuring, "time", measuring.time)
        measuring.time = Clock
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.control = types.SimpleNamespace(measure=lambda: (10.0, 10.0))
        self.machine = types.SimpleNamespace(cache_bytes=1 << 20, cold_bytes=1 << 20,
                                             fits=lambda needed: True)
        self.parts = [plan.Part("part", 1, 2, (HOT,), SIZES)]

    def run_it(self, resumes=False, seconds=_SECONDS, journal="journal"):
        launches = [Launch(name, "shm", "program", None) for name in ("xccl", "MPI", "Gloo")]
        journal = Journal(os.path.join(self.folder.name, journal), {"commit": "c"}, resumes)
        self.addCleanup(journal.end, True)
        comparison = Comparison("", lambda two_hosts: launches, self.control, self.machine, journal,
                                start=MadeUpJob)
        with contextlib.redirect_stderr(io.StringIO()) as self.said:
            comparison.run(self.parts, seconds)
        return comparison

    def measured(self, comparison):
        return {(block["library"], block["bytes"]) for block in comparison.blocks}

    def test_one_that_fails_is_lost_there_and_comes_back(self):
        MadeUpJob.fails = {"MPI": {64}}
        comparison = self.run_it()
        everything = {(name, size) for name in ("xccl", "MPI", "Gloo") for size in SIZES}
        self.assertEqual(self.measured(comparison), everything - {("MPI", 64)})
        self.assertEqual(MadeUpJob.started, ["xccl", "MPI", "Gloo", "MPI"])
        rows = rows_of(comparison.blocks, comparison.controls, comparison.lost)
        self.assertEqual([row["lost"] for row in rows], [[], ["MPI"], []])
        self.assertEqual(comparison.failures, ["MPI hangs at 64"])

    def test_one_that_fails_half_way_leaves_the_others_their_rounds(self):
        calls = []
        measure = MadeUpJob.measure

        def sometimes(job, request):
            calls.append(job.launch.contestant)
            if job.launch.contestant == "Gloo" and calls.count("Gloo") == 4:  # its second block
                raise jobs.JobFailed("Gloo dies")
            return measure(job, request)
        MadeUpJob.measure = sometimes
        self.addCleanup(setattr, MadeUpJob, "measure", measure)
        self.parts = [plan.Part("part", 1, 2, (HOT,), SIZES[:1])]
        comparison = self.run_it()
        row, = rows_of(comparison.blocks, comparison.controls, comparison.lost)
        self.assertEqual((row["lost"], row["best_rival"]), (["Gloo"], "MPI"))
        self.assertGreater(row["rounds"], LEAST_ROUNDS)

    def test_one_that_fails_again_and_again_is_not_started_for_ever(self):
        self.parts = [plan.Part("part", 1, 2, (HOT,), (8, 64, 256, 1024, 4096, 16384))]
        MadeUpJob.fails = {"MPI": {8, 64, 256, 1024, 4096}}
        comparison = self.run_it()
        self.assertEqual(MadeUpJob.started.count("MPI"), 3)
        self.assertNotIn("MPI", {name for name, _ in self.measured(comparison)})

    def test_one_that_does_not_start_is_told_once(self):
        MadeUpJob.fails = {"Gloo": {"start"}}
        comparison = self.run_it()
        self.assertEqual(MadeUpJob.started.count("Gloo"), 1)
        self.assertEqual(comparison.failures, ["Gloo does not start"])

    def test_what_was_measured_is_on_disk_at_once_and_not_measured_again(self):
        self.control.measure = self.cut_off_after(6)
        with self.assertRaises(KeyboardInterrupt):
            self.run_it()
        with open(os.path.join(self.folder.name, "journal"), "a", encoding="utf-8") as file:
            file.write('{"key": "cut o')  # as a machine that goes down leaves it
        self.control.measure = lambda: (20.0, 20.0)
        comparison = self.run_it(resumes=True)
        self.assertEqual(len(self.measured(comparison)), 9)
        self.assertIn((10.0, 10.0), comparison.controls)
        self.assertIn("3 of 3", self.said.getvalue())
        self.assertNotIn("1 of 3", self.said.getvalue())
        for block in comparison.blocks:  # and each knows its own controls
            expected = (10.0, 10.0) if block["bytes"] == 8 else (20.0, 20.0)
            self.assertEqual(comparison.controls[block["before"]], expected)
        self.assertEqual(comparison.settings,
                         {f"{name} shm: made up, its processes started one by one": [2]
                          for name in ("xccl", "MPI", "Gloo")})

    @staticmethod
    def cut_off_after(count):
        left = [count]

        def measure():
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return 10.0, 10.0
        return measure

    def test_a_journal_of_something_else_is_refused(self):
        path = os.path.join(self.folder.name, "other")
        Journal(path, {"commit": "a"}, False).end(True)
        with self.assertRaisesRegex(ValueError, "leave out --resume"):
            Journal(path, {"commit": "b"}, True)
        with self.assertRaisesRegex(ValueError, "nothing to go on with"):
            Journal(path + "?", {"commit": "b"}, True)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(json.loads(file.read()), {"about": {"commit": "a"}})

    def test_what_memory_is_too_small_for_is_left_out_and_told(self):
        self.machine.fits = lambda needed: needed <= 2 * 2 * 2 * 4096
        self.parts = [plan.Part("part", 1, 2, (HOT,), (8, 8192))]
        comparison = self.run_it()
        self.assertEqual({size for _, size in self.measured(comparison)}, {8})
        self.assertEqual(comparison.left_out, [
            "2 ranks, all_reduce, hot, out of place, ordinary pages, 8192 B: its buffers need more "
            "memory than there is"])

    def test_a_share_that_is_too_short_still_has_the_least_rounds(self):
        comparison = self.run_it(seconds=_SECONDS - 5)
        rounds = {size: len({block["round"] for block in comparison.blocks
                             if block["bytes"] == size}) for size in SIZES}
        self.assertEqual(rounds, dict.fromkeys(SIZES, LEAST_ROUNDS))

    def test_time_that_is_left_goes_to_the_cells_after_it(self):
        comparison = self.run_it(seconds=4 * _SECONDS)
        rounds = [len({block["round"] for block in comparison.blocks if block["bytes"] == size})
                  for size in SIZES]
        self.assertTrue(all(count > 3 * LEAST_ROUNDS for count in rounds), rounds)
        self.assertLess(Clock.seconds, 4 * _SECONDS + _CELL_SECONDS)

    def rounds_of(self, comparison, library, size):
        return len({block["round"] for block in comparison.blocks
                    if (block["library"], block["bytes"]) == (library, size)})

    def test_who_is_out_of_reach_is_measured_in_the_least_rounds_alone(self):
        MadeUpJob.slow = {"Gloo": 3}
        comparison = self.run_it(seconds=4 * _SECONDS)
        for size in SIZES:
            self.assertEqual(self.rounds_of(comparison, "Gloo", size), LEAST_ROUNDS)
            self.assertGreater(self.rounds_of(comparison, "MPI", size), 3 * LEAST_ROUNDS)
        for row in rows_of(comparison.blocks, comparison.controls):
            self.assertEqual(row["best_rival"], "MPI")
            self.assertEqual(row["medians_us"]["Gloo"], 3 * row["medians_us"]["MPI"])

    def test_the_best_rival_that_is_lost_leaves_the_others_their_race(self):
        for lost_at in (2 + 1, 2 + LEAST_ROUNDS + 2):  # before it is known who is out of reach; after
            calls = []
            measure = MadeUpJob.measure

            def sometimes(job, request, calls=calls, lost_at=lost_at, measure=measure):
                calls.append(job.launch.contestant)
                if calls[-1] == "MPI" and calls.count("MPI") == lost_at:
                    raise jobs.JobFailed("MPI dies")
                return measure(job, request)
            MadeUpJob.measure, MadeUpJob.slow = sometimes, {"Gloo": 3}
            self.addCleanup(setattr, MadeUpJob, "measure", measure)
            self.parts = [plan.Part("part", 1, 2, (HOT,), SIZES[:1])]
            comparison = self.run_it(seconds=2 * _SECONDS)
            MadeUpJob.measure = measure
            row, = rows_of(comparison.blocks, comparison.controls, comparison.lost)
            self.assertEqual((row["lost"], row["best_rival"]), (["MPI"], "Gloo"))
            self.assertGreaterEqual(row["compared"], LEAST_ROUNDS)
            self.assertAlmostEqual(row["ratio"], 1 / 3)

    def test_a_cell_whose_rounds_were_disturbed_has_more(self):
        def rounds(disturbed):
            controls = itertools.count()
            # What is off is within the second of three cells.
            self.control.measure = lambda: ((30.0, 10.0) if next(controls) in disturbed
                                            else (10.0, 10.0))
            Clock.seconds = 0.0
            comparison = self.run_it(seconds=_SECONDS)
            self.assertLess(Clock.seconds, 1.5 * _SECONDS)
            return [self.rounds_of(comparison, "xccl", size) for size in SIZES]
        calm = rounds(())
        self.assertGreater(rounds((5, 7))[1], calm[1])

    def test_what_has_not_begun_when_the_time_is_long_over_is_left_out(self):
        self.parts = [plan.Part("part", 1, 2, (HOT,), (4, 8, 16, 32, 64, 128, 256))]
        comparison = self.run_it(seconds=5)  # and a quarter of them, and 60: the fifth ends at 75
        self.assertEqual({size for _, size in self.measured(comparison)}, {4, 8, 16, 32, 64})
        self.assertEqual([text.rsplit(", ", 1)[1] for text in comparison.left_out],
                         ["128 B: the time was up", "256 B: the time was up"])


class Plan(unittest.TestCase):
    def test_the_long_form_has_what_it_promises(self):
        all_reduces = {(case.mode, case.pages, case.place, size) for part in plan.LONG
                       for case, size in part.cells()
                       if case.operation == "all_reduce" and part.ranks == 2}
        sizes = {8, *(4**power for power in range(2, 15))}
        self.assertEqual(all_reduces, {(mode, pages, place, size) for mode in cases.MODES
                                       for pages in cases.PAGES for place in cases.PLACES
                                       for size in sizes})
        for ranks in (2, 4):
            others = {(case.operation, size) for part in plan.LONG for case, size in part.cells()
                      if case.operation != "all_reduce" and part.ranks == ranks}
            self.assertTrue({(operation, size) for operation in cases.OPERATIONS[1:]
                             for size in (4096, 256 << 10, 16 << 20)} <= others)
        self.assertEqual({part.ranks for part in plan.LONG}, {2, 4, 8, 16})
        self.assertEqual([part.ranks for part in plan.LONG if part.two_hosts], [4])

    def test_parts_with_the_same_jobs_follow_each_other(self):
        kinds = [(part.two_hosts, part.ranks) for part in plan.LONG]
        changes = sum(one != other for one, other in zip(kinds, kinds[1:]))
        self.assertEqual(changes + 1, len(set(kinds)))

    def test_all_of_the_time_is_shared_out(self):
        for part in plan.LONG:
            self.assertEqual(len(part.weights()), len(part.cells()))
            self.assertAlmostEqual(sum(part.weights()), part.share)

    def test_it_fits_a_machine_of_24_gib(self):
        most = max(cases.memory(case, size, part.ranks, 1 << 30) for part in plan.LONG
                   for case, size in part.cells())
        self.assertLessEqual(2 * most, 8 << 30)

    def test_the_table_tells_every_part_with_its_time(self):
        text = plan.table(plan.LONG, 1700)
        times = [int(line.split("|")[-2]) for line in text.split("\n")[2:]]
        self.assertEqual(len(times), len(plan.LONG))
        self.assertLess(abs(sum(times) - 1700), len(times))

    def test_at_large_sizes_a_trial_chooses_the_setting(self):
        def job(name, setting):
            return MadeUpJob(Launch(name, "shm", "", None, setting=setting), 2, "")
        mpi, other, gloo = job("MPI", "cma"), job("MPI", "none"), job("Gloo", "")
        chosen = best_settings({mpi: (9, "default", 1), other: (5, "default", 2),
                                gloo: (7, "ring", 3)})
        self.assertEqual(chosen, {other: (5, "default", 2), gloo: (7, "ring", 3)})


if __name__ == "__main__":
    unittest.main()
