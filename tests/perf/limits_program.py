"""Goal: machine_limits measures everything that it names, and says what is wrong with its arguments.
Method: the program itself, with so few batches that nothing is asserted on what it measures.

    limits_program.py MACHINE_LIMITS
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
GROUPS = ["clocks", "lines", "kernel", "tcp", "bandwidth"]


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=100)


class MachineLimits(unittest.TestCase):
    def test_every_figure_is_in_the_table_and_a_json_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "figures")
            ended = run("--quick", "--json", path)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            with open(path, encoding="utf-8") as file:
                figures = [json.loads(line) for line in file]
        names = [figure["name"] for figure in figures]
        self.assertEqual(len(names), len(set(names)))
        for expected in ("rdtsc", "flag_round_trip", "yield_handover", "read_L1_one_core",
                         "copy_past_caches_memory_two_cores"):
            self.assertIn(expected, names)
        for figure in figures:
            self.assertIn(figure["name"], ended.stdout)
            if "reason" not in figure:
                self.assertGreater(figure["value"], 0, figure)
                self.assertGreater(figure["batches"], 0, figure)
        for group in GROUPS:  # the progress
            self.assertIn(group, ended.stderr)

    def test_a_group_alone(self):
        ended = run("--quick", "--only", "clocks", "--json", "-")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        names = [json.loads(line)["name"] for line in ended.stdout.splitlines()]
        self.assertEqual(names, ["rdtsc", "rdtscp", "clock_gettime"])

    def test_one_core_alone_has_no_figures_of_two(self):
        core = min(os.sched_getaffinity(0))
        ended = subprocess.run([PROGRAM, "--quick", "--only", "lines,tcp", "--json", "-"],
                               capture_output=True, text=True, timeout=100,
                               preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for line in ended.stdout.splitlines():
            self.assertEqual(json.loads(line)["reason"], "needs two cores")

    def test_help_names_the_groups(self):
        ended = run("--help")
        self.assertEqual(ended.returncode, 0)
        for group in GROUPS:
            self.assertIn(group, ended.stdout)

    def test_wrong_arguments_are_told(self):
        for arguments, said in ((["--only", "nonsense"], 'no group "nonsense"'),
                                (["--only"], "--only needs a value"),
                                (["--fast"], 'what is "--fast"?')):
            ended = run(*arguments)
            self.assertEqual(ended.returncode, 2)
            self.assertIn(said, ended.stderr)
        ended = run("--quick", "--only", "clocks", "--json", "/no/such/folder/file")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("cannot be written", ended.stderr)


if __name__ == "__main__":
    unittest.main()
