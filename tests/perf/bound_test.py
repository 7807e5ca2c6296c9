"""Goal: the loops that are counted are those that run, and who lacks a tool is told which.
Method: small disassemblies with known loops; tools that are missing, too old or no tools; and, where
llvm-mca is installed, the built program with each of its loops.

    bound_test.py FOLDER_OF_BOUND FOLDER_OF_PROGRAMS
"""

import os
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
PROGRAMS = sys.argv.pop(1)

import bound  # noqa: E402
import loops  # noqa: E402

# Around all: a loop of two vectors a pass, with a rare way behind the return, and one of one vector.
LISTING = """
0000000000001000 <void sum<Small>(char*)>:
    1000:\tmov    %rdi,%rax
    1003:\tvmovdqu64 (%rsi,%rax,1),%zmm0
    1008:\tvmovdqu64 0x40(%rsi,%rax,1),%zmm1
    1010:\tjne    1061 <void sum<Small>(char*)+0x61>
    1012:\tvmovdqu64 %zmm0,(%rdi,%rax,1)
    1018:\tvmovdqu64 %zmm1,0x40(%rdi,%rax,1)        # 20000 <table>
    1020:\tjae    1003 <void sum<Small>(char*)+0x3>
    1022:\tvmovdqu64 (%rsi,%rax,1),%zmm0
    1028:\tvmovdqu64 %zmm0,(%rdi,%rax,1)
    1030:\tjae    1022 <void sum<Small>(char*)+0x22>
    1032:\tjne    1000 <void sum<Small>(char*)+0x0>
    1050:\tvmovdqu64 %zmm0,(%rdx)
    1058:\tvmovdqu64 %zmm1,(%rdx)
    1060:\tret
    1061:\tvblendmps %zmm0,%zmm2,%zmm0{%k1}
    1068:\tjmp    1018 <void sum<Small>(char*)+0x18>

0000000000002000 <void sum<Plain>(char*)>:
    2000:\tadd    %rax,%rbx
    2003:\tjne    2000 <void sum<Plain>(char*)+0x0>
    2005:\tret
"""
FUNCTIONS = loops.functions_of(LISTING)


def text_of(exit_of):
    return str(exit_of.exception.code)


class Loops(unittest.TestCase):
    def test_the_loop_that_stores_most_is_found_without_what_is_around_it(self):
        name, loop = loops.main_loop(FUNCTIONS, "sum<Small>")
        self.assertEqual(name, "void sum<Small>(char*)")
        self.assertEqual(len(loop), 6)
        self.assertEqual(loops.stores_in(loop), 2)
        self.assertTrue(loop[-1].startswith("jae"))

    def test_loops_around_others_are_not_counted(self):
        self.assertEqual([len(loop) for loop in loops.loops_of(FUNCTIONS[0][1])], [6, 3])

    def test_jumps_go_to_the_start_or_out(self):
        source = loops.as_source(loops.main_loop(FUNCTIONS, "sum<Small>")[1]).splitlines()
        self.assertEqual(source[0], "again:")
        self.assertIn("jne leave", source)
        self.assertEqual(source[-2:], ["jae again", "leave:"])
        self.assertNotIn("#", "".join(source))

    def test_what_is_not_there_is_said(self):
        with self.assertRaises(SystemExit) as missing:
            loops.main_loop(FUNCTIONS, "sum<Other>")
        self.assertIn("no function has 'sum<Other>'", text_of(missing))
        with self.assertRaises(SystemExit) as scalar:
            loops.main_loop(FUNCTIONS, "sum<Plain>")
        self.assertIn("no loop of 'sum<Plain>' stores vectors", text_of(scalar))

    def test_a_program_that_cannot_be_read_is_named(self):
        with self.assertRaises(SystemExit) as missing:
            loops.disassembly("/nowhere/program")
        self.assertIn("cannot read /nowhere/program", text_of(missing))


class Tools(unittest.TestCase):
    def refused(self, output):
        with tempfile.TemporaryDirectory() as folder:
            tool = os.path.join(folder, "tool")
            with open(tool, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\necho '{output}'\n")
            os.chmod(tool, stat.S_IRWXU)
            with self.assertRaises(SystemExit) as refused:
                loops.find_llvm_mca(tool)
            return text_of(refused)

    def test_a_missing_tool_is_named_with_what_installs_it(self):
        path = os.environ["PATH"]
        os.environ["PATH"] = "/nowhere"
        try:
            with self.assertRaises(SystemExit) as missing:
                loops.find_llvm_mca()
        finally:
            os.environ["PATH"] = path
        self.assertIn("llvm-mca is missing", text_of(missing))
        self.assertIn("apt-get install llvm-19", text_of(missing))

    def test_a_tool_without_the_model_is_refused(self):
        self.assertIn("is of LLVM 14, which has no model", self.refused("Debian LLVM version 14.0.6"))

    def test_what_is_no_llvm_mca_is_refused(self):
        self.assertIn("is no llvm-mca", self.refused("hello"))


class Program(unittest.TestCase):
    def test_every_loop_is_counted(self):
        try:
            llvm_mca, _ = loops.find_llvm_mca()
        except SystemExit as missing:
            self.skipTest(str(missing.code))
        counts = bound.count_all(PROGRAMS, llvm_mca, "sapphirerapids")
        self.assertEqual(list(counts), list(bound.LOOPS))
        for name, count in counts.items():
            # Two loads and a store are a cycle; each instruction is at least a uop of one port.
            self.assertGreaterEqual(count["cycles"], 1, name)
            self.assertGreaterEqual(sum(count["ports"].values()) + 1, count["instructions"], name)
        self.assertLess(counts["float32"]["cycles"], counts["float8_e4m3"]["cycles"])


class Tables(unittest.TestCase):
    def test_a_bound_above_what_float32_reaches_is_that(self):
        counts = {"float32": {"cycles": 1.5}, "bfloat16": {"cycles": 8.0}}
        rates = {("L1", "float32"): 200.0, ("L2", "float32"): 80.0,
                 ("L1", "bfloat16"): 45.0, ("L2", "bfloat16"): 40.0}
        rows = bound.bounds_table(counts, 2.0, rates).splitlines()
        self.assertEqual(rows[-2], "| float32 | 256.0 | 200.0 | 0.78 | 1.00 | 80.0 | 1.00 | 1.00 |")
        self.assertEqual(rows[-1], "| bfloat16 | 48.0 | 45.0 | 0.94 | 0.60 | 40.0 | 0.50 | 0.83 |")


if __name__ == "__main__":
    unittest.main()
