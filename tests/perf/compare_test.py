"""Goal: a comparison's numbers say what its blocks say, and a disturbed or broken run is not hidden.
Method: hand-made blocks and controls with known answers.

    compare_test.py FOLDER_OF_COMPARE
"""

import contextlib
import io
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, sys.argv.pop(1))

import cases  # noqa: E402
import compare  # noqa: E402
import jobs  # noqa: E402
import picture  # noqa: E402
import ratios  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402

HOT = cases.Case("all_reduce", "hot", "ordinary", "apart")
COLD = cases.Case("all_reduce", "cold", "ordinary", "apart")


def block(library, number, microseconds, transport="shm", ranks=2, size=8, setting="", **more):
    return {"operation": "all_reduce", "mode": "hot", "pages": "ordinary", "place": "apart",
            "library": library, "setting": setting, "transport": transport, "ranks": ranks,
            "bytes": size, "round": number, "algorithm": "default", "median_us": microseconds,
            "p99_us": 2 * microseconds, "iterations": 10, "processor_ns": 0, "switches": number,
            "before": number, "after": number + 1, **more}


class Ratios(unittest.TestCase):
    def test_an_iteration_takes_as_long_as_its_slowest_rank(self):
        self.assertEqual(ratios.slowest_ranks([[(0, 1), (9, 5), (20, 3)],
                                               [(1, 4), (9, 2), (21, 3)]]), [4, 5, 3])

    def test_ranks_that_tell_different_numbers_of_iterations_are_an_error(self):
        with self.assertRaises(ValueError):
            ratios.slowest_ranks([[(0, 1), (0, 2)], [(0, 1)]])
        with self.assertRaises(ValueError):
            ratios.after_last_arrival([[(0, 1), (0, 2)], [(0, 1)]])

    def test_a_cold_iteration_is_from_the_last_arrival_to_the_last_completion(self):
        # Rank 0 comes first and leaves last; then rank 0 comes last and rank 1 leaves last.
        self.assertEqual(ratios.after_last_arrival([[(100, 50), (230, 5)], [(120, 10), (200, 40)]]),
                         [30, 10])

    def test_the_spread_is_that_of_the_quartiles_over_the_median(self):
        self.assertEqual(ratios.relative_spread([10, 9, 11, 8, 12]), 0.2)
        self.assertEqual(ratios.relative_spread([7]), 0)

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
        row, = rows.rows_of(blocks, controls)
        self.assertEqual((row["rounds"], row["kept"]), (5, 3))
        self.assertEqual(row["medians_us"], {"xccl": 1, "Gloo": 4})
        self.assertEqual(row["ratio"], 0.25)

    def test_the_best_rival_is_compared_and_one_without_transport_counts_in_both(self):
        blocks = [block(*of) for number in range(3) for of in (
            ("xccl", number, 3, "shm"), ("Open MPI", number, 2, "shm"),
            ("xccl", number, 8, "tcp"), ("Open MPI", number, 9, "tcp"), ("Gloo", number, 4, "any"))]
        shm, tcp = rows.rows_of(blocks, [(10, 10)] * 4)
        self.assertEqual((shm["best_rival"], shm["ratio"]), ("Open MPI", 1.5))
        self.assertEqual((tcp["best_rival"], tcp["ratio"]), ("Gloo", 2))

    def test_only_rounds_of_all_are_compared(self):
        blocks = [block("xccl", number, 1) for number in range(6)]
        blocks += [block("Gloo", number, 2) for number in range(4)]
        row, = rows.rows_of(blocks, [(10, 10)] * 7)
        self.assertEqual((row["rounds"], row["kept"], row["disturbed"]), (4, 4, False))

    def test_too_few_calm_rounds_are_told(self):
        blocks = [block(library, number, time) for number in range(4)
                  for library, time in (("xccl", 1), ("Gloo", 2))]
        row, = rows.rows_of(blocks, [(10, 10), (10, 10), (10, 10), (90, 10), (10, 10)])
        self.assertEqual((row["rounds"], row["kept"]), (4, 2))
        self.assertIn("0.50 (0.50-0.50) | disturbed", report.table([row]))

    def test_a_library_that_never_ran_in_the_others_rounds_leaves_no_ratio(self):
        row, = rows.rows_of([block("xccl", 0, 1), block("Gloo", 1, 2)], [(10, 10)] * 3)
        self.assertNotIn("ratio", row)
        self.assertIn("| - | - | - | no rival |", report.table([row]))

    def test_a_setting_is_chosen_in_odd_rounds_and_compared_in_even_ones(self):
        blocks = []
        for number in range(8):
            lucky = 1 if number % 2 else 9  # fast in odd rounds alone
            blocks += [block("xccl", number, 3), block("MPI", number, lucky, setting="lucky"),
                       block("MPI", number, 2, setting="steady")]
        row, = rows.rows_of(blocks, [(10, 10)] * 9)
        self.assertEqual(row["settings"], {"xccl": "", "MPI": "lucky"})
        self.assertEqual((row["medians_us"]["MPI"], row["ratio"]), (9, 3 / 9))
        self.assertIn("MPI: 2 ranks 8 B lucky", report.chosen_settings([row]))


    def test_cases_are_rows_of_their_own(self):
        blocks = [block(library, number, time, pages=pages) for number in range(3)
                  for library, pages, time in (("xccl", "ordinary", 4), ("MPI", "ordinary", 2),
                                               ("xccl", "registered", 1), ("MPI", "registered", 2))]
        ordinary, registered = rows.rows_of(blocks, [(10, 10)] * 4)
        self.assertEqual((ordinary["pages"], ordinary["ratio"]), ("ordinary", 2))
        self.assertEqual((registered["pages"], registered["ratio"]), ("registered", 0.5))
        self.assertEqual(len(report.by_case([ordinary, registered])), 2)

    def test_a_limit_is_no_rival(self):
        blocks = [block(library, number, time) for number in range(4)
                  for library, time in (("xccl", 6), ("floor", 4), ("MPI", 8))]
        row, = rows.rows_of(blocks, [(10, 10)] * 5)
        self.assertEqual((row["best_rival"], row["ratio"], row["of_limit"]), ("MPI", 0.75, 1.5))
        alone, = rows.rows_of([one for one in blocks if one["library"] != "MPI"], [(10, 10)] * 5)
        self.assertNotIn("ratio", alone)
        self.assertEqual((alone["of_limit"], rows.verdict(alone)), (1.5, "no rival"))

    def test_an_unsteady_limit_voids_the_row(self):
        for floor, expected in (((10, 10, 10, 10.9), "holds"), ((10, 12, 10, 12), "void")):
            blocks = [block(library, number, time) for number in range(4)
                      for library, time in (("xccl", 1), ("floor", floor[number]), ("MPI", 2))]
            row, = rows.rows_of(blocks, [(10, 10)] * 5)
            self.assertEqual(rows.verdict(row), expected)

    def test_not_slower_means_that_the_interval_ends_at_three_percent(self):
        for ours, expected in ((102.9, "holds"), (103.1, "does not hold")):
            blocks = [block(library, number, time) for number in range(4)
                      for library, time in (("xccl", ours), ("MPI", 100))]
            row, = rows.rows_of(blocks, [(10, 10)] * 5)
            self.assertEqual(rows.verdict(row), expected)
            self.assertIn(f"{int(expected == 'holds')} of 1 rows hold", report.count_verdicts([row]))

    def test_tails_and_costs_are_those_of_the_chosen_setting(self):
        blocks = [block(library, number, 4, "tcp", size=1 << 20, processor_ns=spent)
                  for number in range(3) for library, spent in (("xccl", 5 << 20), ("MPI", 0))]
        row, = rows.rows_of(blocks, [(10, 10)] * 4)
        self.assertEqual(row["p99_us"], {"xccl": 8, "MPI": 8})
        self.assertEqual(row["switches"], {"xccl": 1, "MPI": 1})
        self.assertEqual(row["gb_per_core_second"], {"xccl": 2, "MPI": None})
        self.assertIn("| MPI | 8.00 | 8.00 | - | - | 2.00 | - | 1 | 1 |", report.details([row]))


class Cases(unittest.TestCase):
    def test_only_an_all_reduce_is_measured_in_place(self):
        found = cases.cases_of(["all_reduce", "alltoall"], ["hot"], ["ordinary"], True)
        self.assertEqual([(case.operation, case.place) for case in found],
                         [("all_reduce", "apart"), ("all_reduce", "in_place"),
                          ("alltoall", "apart")])

    def test_a_part_that_would_be_empty_is_not_measured(self):
        gather = cases.Case("all_gather", "hot", "ordinary", "apart")
        self.assertTrue(gather.suits(48, 3))
        self.assertFalse(gather.suits(47, 3))
        self.assertTrue(HOT.suits(4, 3))

    def test_cold_calls_go_round_through_four_caches(self):
        self.assertEqual(cases.pairs(HOT, 1 << 20, 2, 300, 1 << 20), 1)
        self.assertEqual(cases.pairs(COLD, 1 << 20, 2, 300, 5 << 20), 10)
        self.assertEqual(cases.pairs(COLD, 8, 2, 300, 1 << 20), 300)  # not more than are used
        in_place = cases.Case("all_reduce", "cold", "ordinary", "in_place")
        self.assertEqual(cases.pairs(in_place, 1 << 20, 2, 300, 5 << 20), 20)

    def test_cold_memory_is_capped_for_all_ranks_together(self):
        self.assertEqual(cases.pairs(COLD, 1 << 20, 8, 300, 1 << 40), 64)
        self.assertEqual(cases.pairs(COLD, 1 << 30, 8, 300, 1 << 40), 1)

    def test_cold_buffers_are_used_once_untimed(self):
        self.assertEqual(cases.warm_ups(COLD, 64, 300), 64)
        self.assertEqual(cases.warm_ups(HOT, 1, 300), 20)
        self.assertEqual(cases.warm_ups(HOT, 1, 1), 1)

    def test_a_request_is_the_line_that_ranks_read(self):
        request = jobs.Request(COLD, 4096, 12, 12, 300, 7, "ring")
        self.assertEqual(request.line(),
                         "measure all_reduce 4096 ordinary apart cold 12 12 300 7 ring")


class Options(unittest.TestCase):
    def options(self, *words):
        return compare.options_of(["--bin", "bin", *words])

    def test_the_short_form_is_hot_and_the_long_one_both(self):
        self.assertEqual(self.options().cases, [HOT])
        self.assertEqual(len(self.options("--long").cases), 4)
        self.assertEqual(self.options("--long", "--mode", "cold", "--pages", "ordinary").cases,
                         [COLD])

    def test_what_nobody_knows_is_told_with_what_is_known(self):
        for words, expected in ((("--mode", "warm"), "'warm' is none of hot, cold"),
                                (("--operation", "sum"), "'sum' is none of all_reduce"),
                                (("--sizes", "6"), "multiples of 4"),
                                (("--ranks", "1"), "at least 2"),
                                (("--operation", "alltoall", "--sizes", "8"), "would be empty")):
            with self.subTest(words), self.assertRaises(SystemExit), \
                    contextlib.redirect_stderr(io.StringIO()) as said:
                self.options(*words)
            self.assertIn(expected, said.getvalue())

    def test_the_command_is_told_as_it_was_given(self):
        self.assertEqual(compare.command_of(["--bin", "b", "--rivals", "r", "--mode", "cold"]),
                         "perf/compare/run.sh --mode cold")


class Picture(unittest.TestCase):
    def test_it_is_well_formed_and_names_every_library_once(self):
        text = picture.draw("a < b", {"xccl": [(8, 1.0), (1 << 20, 900.0)], "floor": [(8, 0.5)],
                                      "MPI & more": [(8, 2.0), (4096, 3.0)]})
        root = xml.etree.ElementTree.fromstring(text)
        words = [of.text for of in root.iter("{http://www.w3.org/2000/svg}text")]
        for name in ("xccl", "floor", "MPI & more", "a < b"):
            self.assertEqual(words.count(name), 1)

    def test_all_points_lie_within_and_a_slower_library_above(self):
        text = picture.draw("t", {"xccl": [(8, 1.0), (4096, 10.0)], "MPI": [(8, 2.0), (4096, 20.0)]})
        root = xml.etree.ElementTree.fromstring(text)
        lines = [[tuple(map(float, point.split(","))) for point in of.get("points").split()]
                 for of in root.iter("{http://www.w3.org/2000/svg}polyline")]
        width, height = float(root.get("width")), float(root.get("height"))
        for line in lines:
            for x, y in line:
                self.assertTrue(0 < x < width and 0 < y < height)
        theirs, ours = lines[:2]  # ours is drawn last; y grows downwards
        self.assertTrue(all(mine[1] > other[1] for mine, other in zip(ours, theirs)))

    def test_reports_name_the_pictures_that_are_there(self):
        blocks = [block(library, number, size, size=size) for number in range(3)
                  for library in ("xccl", "MPI") for size in (8, 64)]
        found = rows.rows_of(blocks, [(10, 10)] * 4)
        with tempfile.TemporaryDirectory() as folder:
            stem = os.path.join(folder, "run")
            pictures = report.write_pictures(stem, found)
            (_, name), = pictures[HOT]
            self.assertTrue(os.path.exists(os.path.join(folder, name)))
        facts = {"title": "T", "machine": "M", "settings": ["S"], "run": ["R"], "failures": []}
        self.assertIn(f"]({name})", report.page(found, facts, pictures))


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
