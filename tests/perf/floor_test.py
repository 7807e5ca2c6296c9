"""Goal: every algorithm of the floor sums rightly, whatever the comparison would choose.
Method: jobs of the comparison, whose ranks check every element: each algorithm at sizes that end within
and between lines, chunks and shares, with both kinds of pages, in place and not, hot and cold.

    floor_test.py FOLDER_OF_COMPARE FOLDER_OF_PROGRAMS
"""

import itertools
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
PROGRAMS = sys.argv.pop(1)

from cases import PAGES, PLACES, Case  # noqa: E402
from jobs import Job, Request  # noqa: E402
from launches import Launch  # noqa: E402

SIZES = (4, 60, 4100, 300004, (2 << 20) + 68)
CASES = [Case("all_reduce", "hot", pages, place) for pages in PAGES for place in PLACES]
CASES.append(Case("all_reduce", "cold", "registered", "apart"))
CALLS = 3  # more than any algorithm has buffers by turns


class Floor(unittest.TestCase):
    def check(self, rank_count, sizes=SIZES):
        job = Job(Launch("floor", "shm", "compare_floor", None), rank_count, PROGRAMS)
        try:
            fit = set()
            for size, case in itertools.product(sizes, CASES):
                for seed, algorithm in enumerate(job.algorithms):
                    request = Request(case=case, size=size, pairs=1 if case.mode == "hot" else 2,
                                      warm_ups=1, iterations=CALLS, seed=seed, algorithm=algorithm)
                    if job.measure(request) is not None:  # raises where a sum is wrong
                        fit.add(algorithm)
            return fit, set(job.algorithms)
        finally:
            job.end()

    def test_two_ranks_use_all_algorithms(self):
        fit, offered = self.check(2)
        self.assertEqual(fit, offered)

    def test_four_ranks_use_all_algorithms(self):
        fit, offered = self.check(4)
        self.assertEqual(fit, offered)

    def test_without_a_power_of_two_all_but_one_work(self):
        fit, offered = self.check(3, (4, 4100, (2 << 20) + 68))
        self.assertEqual(offered - fit, {"swap"})

    def test_many_ranks(self):
        for rank_count in (8, 16):
            fit, _ = self.check(rank_count, (60, 40004))
            self.assertIn("swap", fit)
            self.assertIn("push", fit)

    def test_other_operations_are_not_done(self):
        job = Job(Launch("floor", "shm", "compare_floor", None), 2, PROGRAMS)
        try:
            for operation in ("all_gather", "reduce_scatter", "broadcast", "alltoall"):
                case = Case(operation, "hot", "ordinary", "apart")
                self.assertIsNone(job.measure(Request(
                    case=case, size=4096, pairs=1, warm_ups=1, iterations=1, seed=1,
                    algorithm="flagged")))
        finally:
            job.end()

    def test_a_rank_that_dies_while_starting_leaves_no_shared_memory_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            page = os.path.join(folder, "page")
            with open(page, "wb") as file:
                file.write(bytes(4096))

            def start(rank):
                return subprocess.run(
                    [os.path.join(PROGRAMS, "compare_floor"), os.path.join(folder, "nobody"), page,
                     str(rank), "2", folder], capture_output=True, text=True, check=False)
            first = start(0)
            self.assertEqual(first.returncode, 1)
            self.assertIn("does not answer", first.stderr)  # its memory was there by then
            self.assertEqual([name for name in os.listdir("/dev/shm") if "floor" in name], [])
            second = start(1)
            self.assertEqual(second.returncode, 1)
            self.assertIn("the segment of rank 0 cannot be opened", second.stderr)


if __name__ == "__main__":
    unittest.main()
