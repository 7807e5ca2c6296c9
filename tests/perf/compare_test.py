"""Goal: a comparison's numbers say what its blocks say, and a disturbed or broken run is not hidden.
Method: hand-made blocks and controls with known answers.

    compare_test.py FOLDER_OF_COMPARE
"""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))

import ratios  # noqa: E402
import report  # noqa: E402


def block(library, number, microseconds, transport="shm", ranks=2, size=8, setting=""):
    return {"library": library, "setting": setting, "transport": transport, "ranks": ranks,
            "bytes": size, "round": number, "algorithm": "default", "median_us": microseconds,
            "before": number, "after": number + 1}


class Ratios(unittest.TestCase):
    def test_an_iteration_takes_as_long_as_its_slowest_rank(self):
        self.assertEqual(ratios.slowest_ranks([[1, 5, 3], [4, 2, 3]]), [4, 5, 3])

    def test_ranks_that_tell_different_numbers_of_iterations_are_an_error(self):
        with self.assertRaises(ValueError):
            ratios.slowest_ranks([[1, 2], [1]])

    def test_ratios_are_taken_within_rounds(self):
        # The machine halves its speed from round to round; the ratio stays 2 all the same.
        middle, low, high = ratios.ratio_of_rounds([2, 4, 8, 16, 32], [1, 2, 4, 8, 16])
        self.assertEqual((middle, low, high), (2, 2, 2))

    def test_the_interval_holds_the_median_and_is_the_same_again(self):
        ours, theirs = [1.0, 1.1, 0.9, 1.3, 1.05, 0.97], [1.0] * 6
        middle, low, high = ratios.ratio_of_rounds(ours, theirs)
        self.assertTrue(0.9 <= low < middle < high <= 1.3)
        self.assertEqual(ratios.ratio_of_rounds(ours, theirs), (middle, low, high))

    def test_either_control_can_disturb(self):
        self.assertTrue(ratios.is_calm((114, 86), (100, 100)))
        self.assertFalse(ratios.is_calm((116, 100), (100, 100)))
        self.assertFalse(ratios.is_calm((100, 84), (100, 100)))


class Rows(unittest.TestCase):
    def test_a_disturbed_round_counts_for_nobody(self):
        blocks = [block(library, number, time) for number in range(5)
                  for library, time in (("xccl", 1), ("Gloo", 4))]
        blocks[4]["median_us"] = 1000  # round 2, between controls 2 and 3
        controls = [(10, 10), (10, 10), (10, 10), (10, 90), (10, 10), (10, 10)]
        row, = report.rows_of(blocks, controls)
        self.assertEqual((row["rounds"], row["kept"]), (5, 3))
        self.assertEqual(row["medians_us"], {"xccl": 1, "Gloo": 4})
        self.assertEqual(row["ratio"], 0.25)

    def test_the_best_rival_is_compared_and_one_without_transport_counts_in_both(self):
        blocks = [block(*of) for number in range(3) for of in (
            ("xccl", number, 3, "shm"), ("Open MPI", number, 2, "shm"),
            ("xccl", number, 8, "tcp"), ("Open MPI", number, 9, "tcp"), ("Gloo", number, 4, "any"))]
        shm, tcp = report.rows_of(blocks, [(10, 10)] * 4)
        self.assertEqual((shm["best_rival"], shm["ratio"]), ("Open MPI", 1.5))
        self.assertEqual((tcp["best_rival"], tcp["ratio"]), ("Gloo", 2))

    def test_only_rounds_of_all_are_compared(self):
        blocks = [block("xccl", number, 1) for number in range(6)]
        blocks += [block("Gloo", number, 2) for number in range(4)]
        row, = report.rows_of(blocks, [(10, 10)] * 7)
        self.assertEqual((row["rounds"], row["kept"], row["disturbed"]), (4, 4, False))

    def test_too_few_calm_rounds_are_told(self):
        blocks = [block(library, number, time) for number in range(4)
                  for library, time in (("xccl", 1), ("Gloo", 2))]
        row, = report.rows_of(blocks, [(10, 10), (10, 10), (10, 10), (90, 10), (10, 10)])
        self.assertEqual((row["rounds"], row["kept"]), (4, 2))
        self.assertIn("0.50 (0.50-0.50) disturbed", report.table([row]))

    def test_a_library_that_never_ran_in_the_others_rounds_leaves_no_ratio(self):
        row, = report.rows_of([block("xccl", 0, 1), block("Gloo", 1, 2)], [(10, 10)] * 3)
        self.assertNotIn("ratio", row)
        self.assertIn("| - | - | - |", report.table([row]))


    def test_a_setting_is_chosen_in_odd_rounds_and_compared_in_even_ones(self):
        blocks = []
        for number in range(8):
            lucky = 1 if number % 2 else 9  # fast in odd rounds alone
            blocks += [block("xccl", number, 3), block("MPI", number, lucky, setting="lucky"),
                       block("MPI", number, 2, setting="steady")]
        row, = report.rows_of(blocks, [(10, 10)] * 9)
        self.assertEqual(row["settings"], {"xccl": "", "MPI": "lucky"})
        self.assertEqual((row["medians_us"]["MPI"], row["ratio"]), (9, 3 / 9))
        self.assertIn("MPI: 2 ranks 8 B lucky", report.chosen_settings([row]))


class Readme(unittest.TestCase):
    def replace(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "README.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            try:
                report.replace_figures(path, "new")
            finally:
                with open(path, encoding="utf-8") as file:
                    self.text = file.read()
                self.files = os.listdir(folder)

    def test_what_stands_between_the_marks_is_replaced(self):
        for _ in range(2):
            self.replace("a\n<!-- figures -->\nold\n<!-- /figures -->\nb\n")
            self.assertEqual(self.text, "a\n<!-- figures -->\nnew\n<!-- /figures -->\nb\n")
            self.assertEqual(self.files, ["README.md"])

    def test_a_file_without_marks_stays_as_it_is(self):
        for text in ("a\n", "<!-- figures -->\n", "<!-- /figures --><!-- figures -->"):
            with self.assertRaisesRegex(ValueError, "has no lines"):
                self.replace(text)
            self.assertEqual(self.text, text)


if __name__ == "__main__":
    unittest.main()
