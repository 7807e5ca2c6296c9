"""Goal: every program gives right results by every launcher, for 1 to 4 ranks, every datatype and
operator, small and odd sizes; and prints what scripts for nccl-tests read. Method: runs them, parses
the output as such scripts do, and computes the size and count columns anew.

    launched.py BIN LAUNCHER        launchers are named in launch.py
"""

import sys
import unittest

import launch
import nccl_tests_output

BIN, LAUNCHER = sys.argv[1], sys.argv.pop(2)
TYPES = {"int8": 1, "uint8": 1, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8, "half": 2,
         "float": 4, "double": 8, "bfloat16": 2, "f8e4m3": 1, "f8e5m2": 1}
OPS = ["sum", "prod", "max", "min", "avg", "mulsum"]
PER_RANK = ["all_gather", "reduce_scatter", "alltoall", "gather", "scatter"]
WHOLE = ["all_reduce", "broadcast", "reduce", "sendrecv"]
SHOWS_OP = ["all_reduce", "reduce", "reduce_scatter", "sendrecv"]
ROOTED = ["broadcast", "reduce", "gather", "scatter"]
NOT_IN_PLACE = ["sendrecv", "alltoall", "alltoallv"]
SIZES = [97, 776, 6208]  # no multiple of anything; 8 times as much each
SWEEP = ["-b", "97", "-e", "6208", "-f", "8", "-n", "2", "-w", "1"]


def columns(name, size, ranks, type_bytes):
    """The size and count columns, as nccl-tests' documentation defines them."""
    if name in PER_RANK:
        count = size // type_bytes // ranks * type_bytes // 16 * 16 // type_bytes
        return count * ranks * type_bytes, count
    return size // type_bytes * type_bytes, size // type_bytes


def ranks_of_launcher():
    """MPI's launchers take most of a second to start."""
    return (1, 2, 3, 4) if LAUNCHER in ("threads", "xccl-run") else (3,)


class Launched(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.launcher = launch.launchers(BIN)[LAUNCHER]

    def run_program(self, name, ranks, options):
        run = self.launcher.run(f"{BIN}/{name}_perf", ranks, options)
        said = f"{name} {ranks} {options}\n{run.out[-3000:]}\n{run.err[-3000:]}"
        self.assertEqual(run.code, 0, said)
        output = nccl_tests_output.parse(run.out)
        self.assertEqual((output.out_of_bounds, output.verdict), (0, "OK"), said)
        self.assertEqual(output.last_line, "", said)
        # A launcher may warn on standard error of what is its own business.
        self.assertNotIn("wrong result", run.err)
        return output

    def expect_rows(self, name, ranks, rows, types):
        ops = OPS if name in SHOWS_OP else ["none"]
        roots = range(ranks) if name in ROOTED else [-1]
        wanted = [(*columns(name, size, ranks, TYPES[type]), type, op, root)
                  for type in types for op in ops for root in roots for size in SIZES]
        got = [(row.size, row.count, row.type, row.op, row.root) for row in rows]
        self.assertEqual(got, wanted)
        for row in rows:
            self.assertEqual(row.wrong, [0, None if name in NOT_IN_PLACE else 0])

    def all_types(self, name, ranks):
        options = SWEEP + ["-d", "all", "-o", "all", "-r", "-1"]
        output = self.run_program(name, ranks, options)
        self.expect_rows(name, ranks, output.rows, list(TYPES))
        if ranks == 1 and name not in ("broadcast", "reduce", "sendrecv"):
            self.assertEqual(output.average, 0)

    def test_alltoallv(self):
        for ranks in ranks_of_launcher():
            output = self.run_program("alltoallv", ranks, SWEEP + ["-d", "all"])
            self.assertEqual(len(output.rows), len(SIZES) * len(TYPES))
            for row in output.rows:
                self.assertEqual((row.wrong, row.root, row.op), ([0, None], -1, "none"))
                self.assertLessEqual(row.size, ranks * row.count * TYPES[row.type])


def add_tests():
    # How Slurm starts processes is tested elsewhere; here, that the programs can be started so.
    for name in ["all_reduce"] if LAUNCHER.startswith("srun") else PER_RANK + WHOLE:
        for ranks in ranks_of_launcher():
            setattr(Launched, f"test_{name}_{ranks}",
                    lambda self, name=name, ranks=ranks: self.all_types(name, ranks))


if __name__ == "__main__":
    reason = launch.launchers(BIN)[LAUNCHER].missing()
    if reason:
        print(reason)
        sys.exit(77)
    add_tests()
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
