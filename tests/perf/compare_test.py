"""Goal: a comparison's numbers say what its blocks say, and a disturbed or broken run is not hidden.
Method: hand-made blocks and controls with known answers.

    compare_test.py FOLDER_OF_COMPARE
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, sys.argv.pop(1))

import bounds  # noqa: E402
import cases  # noqa: E402
import compare  # noqa: E402
import jobs  # noqa: E402
import lines  # noqa: E402
import machine  # noqa: E402
import picture  # noqa: E402
import race  # noqa: E402
import ratios  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402

HOT = cases.Case("all_reduce", "hot", "ordinary", "apart")
COLD = cases.Case("all_reduce", "cold", "ordinary", "apart")


def machine_with(cache_bytes):
    memory = machine.Memory()
    memory.cache_bytes, memory.cold_bytes = cache_bytes, 1 << 30
    return memory


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
        self.assertIn("| MPI | - | - | 2.00 | - | 1 | 1 |", report.details([row]))
        self.assertIn("| MPI, p99 in µs | xccl, p99 in µs |", report.tails([row]))
        self.assertIn("| 1 MiB | 8.00 | 8.00 | - |", report.tails([row]))

    def test_a_tail_is_held_against_ten_medians_where_ranks_outnumber_cores(self):
        for ranks, p99, expected in ((4, 10, "holds"), (4, 10.5, "does not hold"), (2, 50, "")):
            blocks = [{**block(library, number, 1, ranks=ranks), "p99_us": tail}
                      for number in range(3) for library, tail in (("xccl", p99), ("MPI", 30))]
            row, = rows.rows_of(blocks, [(10, 10)] * 4)
            self.assertEqual(rows.tail_verdict(row), expected)
            held = int(expected == "holds")
            if expected:
                self.assertIn(f"{held} of 1 rows; in 1 of them some rival's is not, and there xccl's "
                              f"is in {held}", report.count_tails([row]))
            else:
                self.assertEqual(report.count_tails([row]), "")

    def test_who_was_lost_is_told_in_that_row_alone(self):
        blocks = [block(library, number, 1, transport, size=size) for number in range(3)
                  for library, transport, size in (("xccl", "shm", 8), ("xccl", "shm", 64),
                                                   ("Gloo", "any", 64))]
        lost = {word: blocks[0][word] for word in ("operation", "mode", "pages", "place", "ranks",
                                                   "bytes")}
        small, large = rows.rows_of(blocks, [(10, 10)] * 4,
                                    [{**lost, "library": "Gloo", "transport": "any"}])[:2]
        self.assertEqual((small["lost"], large["lost"]), (["Gloo"], []))
        self.assertIn("| lost | 1.00 |", report.table([small]))
        # Another setting of the library did it: then there is a time.
        other, = rows.rows_of(blocks[:1], [(10, 10)] * 2,
                              [{**lost, "library": "xccl", "transport": "shm"}])
        self.assertEqual(other["lost"], [])


class Race(unittest.TestCase):
    def test_who_cannot_be_the_best_rival_is_out_of_reach(self):
        blocks = [block(library, number, time, setting=setting) for number in range(3)
                  for library, setting, time in (
                      ("xccl", "", 90), ("floor", "", 1), ("MPI", "cma", 10), ("MPI", "none", 21),
                      ("Intel", "", 20), ("oneCCL", "", 20.1))]
        self.assertEqual(race.out_of_reach(blocks), {("MPI", "none", "shm"), ("oneCCL", "", "shm")})

    def test_who_counts_in_two_transports_needs_to_be_near_in_one(self):
        def times(gloo, over_tcp):
            return [block(*of) for of in (("MPI", 0, 1, "shm"), ("MPI", 0, over_tcp, "tcp"),
                                          ("Gloo", 0, gloo, "any"))]
        self.assertEqual(race.out_of_reach(times(19, 10)), set())
        self.assertEqual(race.out_of_reach(times(21, 10)), {("Gloo", "", "any")})
        self.assertEqual(race.out_of_reach(times(1, 10)), {("MPI", "", "tcp")})

    def test_a_median_decides(self):
        blocks = [block(library, number, time) for number, slow in enumerate((1, 1, 9))
                  for library, time in (("MPI", 10), ("Gloo", 15 * slow))]
        self.assertEqual(race.out_of_reach(blocks), set())

    def test_disturbed_rounds_ask_for_more(self):
        calm, off = (10, 10), (20, 10)
        self.assertFalse(race.needs_more([calm] * 4, [], False))
        self.assertTrue(race.needs_more([calm] * 3, [], False))
        self.assertTrue(race.needs_more([calm, calm, off, calm, calm], [], False))
        self.assertFalse(race.needs_more([calm, calm, off, calm, calm, calm], [], False))
        # Where settings are chosen, only even rounds are compared.
        self.assertTrue(race.needs_more([calm] * 5, [], True))
        self.assertFalse(race.needs_more([calm] * 6, [], True))
        # What is usual is what the whole run has seen.
        self.assertTrue(race.needs_more([off] * 4, [calm] * 9, False))

    def test_who_is_retired_has_a_time_and_is_compared_with_nobody(self):
        blocks = [block(library, number, time) for number in range(6)
                  for library, time in (("xccl", 4), ("MPI", 5))]
        blocks += [block("Gloo", number, time, retired=True) for number, time in ((0, 1), (1, 3))]
        row, = rows.rows_of(blocks, [(10, 10)] * 7)
        self.assertEqual((row["compared"], row["best_rival"], row["ratio"]), (6, "MPI", 0.8))
        self.assertEqual(row["medians_us"], {"xccl": 4, "MPI": 5, "Gloo": 2})

    def test_a_row_of_retired_ones_alone_has_times_and_no_ratio(self):
        row, = rows.rows_of([block("MPI", 0, 1, retired=True)], [(10, 10)] * 2)
        self.assertNotIn("ratio", row)
        self.assertEqual((row["medians_us"], row["compared"]), ({"MPI": 1}, 0))

    def test_a_setting_that_is_retired_leaves_the_library_its_others(self):
        blocks = [block(library, number, time) for number in range(6)
                  for library, time in (("xccl", 4), ("MPI", 5))]
        blocks += [block("MPI", 0, 1, setting="lucky once", retired=True)]
        row, = rows.rows_of(blocks, [(10, 10)] * 7)
        self.assertEqual((row["compared"], row["settings"]["MPI"], row["ratio"]), (6, "", 0.8))


class Bounds(unittest.TestCase):
    def rows(self, floor=4.0, **more):
        blocks = [block(library, number, time, **more) for number in range(4)
                  for library, time in (("xccl", 5), ("floor", floor), ("MPI", 5))]
        return rows.rows_of(blocks, [(10, 10)] * 5)

    def kept(self, some):
        """title -> (hold, do not, prove nothing)"""
        return {kept.bound.title: (len(kept.holding), len(kept.broken), len(kept.unproved))
                for kept in bounds.kept(some)}

    def test_a_row_counts_for_each_promise_that_is_about_it(self):
        text = "all-reduce, 2 ranks, shared memory"
        self.assertEqual(self.kept(self.rows(size=4096)), {
            f"{text}: at most 1.03 of the best rival": (1, 0, 0),
            f"{text}, ordinary memory, from 2 KiB: at most 1.25 of the floor": (1, 0, 0)})
        self.assertEqual(self.kept(self.rows(size=4096, floor=3.9, pages="registered")), {
            f"{text}: at most 1.03 of the best rival": (1, 0, 0),
            f"{text}, registered memory, from 2 KiB: at most 1.25 of the floor": (0, 1, 0)})
        self.assertEqual(self.kept(self.rows(size=8, floor=3)), {
            f"{text}: at most 1.03 of the best rival": (1, 0, 0),
            f"{text}, below 2 KiB: at most 2.22 of the floor": (1, 0, 0)})
        self.assertEqual(self.kept(self.rows(ranks=4, operation="alltoall")), {
            "more than 2 ranks: p99 within 10 medians": (1, 0, 0),
            "other operations, more than 2 ranks: at most 1.03 of the best rival": (1, 0, 0)})

    def test_between_hosts_equal_is_not_faster_and_the_processors_time_counts(self):
        def hosts(time, spent):
            blocks = [block(library, number, of, "hosts", 4, 64 << 20, processor_ns=ns)
                      for number in range(3)
                      for library, of, ns in (("xccl", time, spent), ("MPI", 5, 150))]
            return self.kept(rows.rows_of(blocks, [(10, 10)] * 4))
        faster = "TCP between two hosts: faster than every rival"
        cheaper = ("TCP between two hosts, 64 MiB: bytes for the processors' time at least 1.5 of the "
                   "best rival's")
        self.assertEqual((hosts(5, 100)[faster], hosts(4.9, 100)[faster]), ((0, 1, 0), (1, 0, 0)))
        self.assertEqual((hosts(5, 101)[cheaper], hosts(5, 100)[cheaper]), ((0, 1, 0), (1, 0, 0)))

    def test_what_proves_nothing_is_told_apart_and_the_broken_ones_by_name(self):
        disturbed = [dict(self.rows(size=4096)[0], disturbed=True)]
        self.assertEqual(set(self.kept(disturbed).values()), {(0, 0, 1)})
        no_rival = [{word: of for word, of in disturbed[0].items() if word != "ratio"}]
        self.assertEqual(set(self.kept(no_rival).values()), {(0, 0, 1)})
        self.assertIn("| 0 | 0 | 1 (1) |", report.of_bounds(disturbed))
        self.assertNotIn("Those that do not", report.of_bounds(disturbed))
        text = report.of_bounds(self.rows(size=4096, floor=2) + self.rows(size=16384, floor=1))
        self.assertRegex(text, r"(?s)Those that do not:.*  - 5.00: .* 16 KiB\n  - 2.50: .* 4 KiB$")


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
        def pairs(case, size, iterations, cache_bytes):
            return cases.pairs(case, size, 2, iterations, machine_with(cache_bytes))
        self.assertEqual(pairs(HOT, 1 << 20, 300, 1 << 20), 1)
        self.assertEqual(pairs(COLD, 1 << 20, 300, 5 << 20), 10)
        self.assertEqual(pairs(COLD, 8, 300, 1 << 20), 300)  # not more than are used
        in_place = cases.Case("all_reduce", "cold", "ordinary", "in_place")
        self.assertEqual(pairs(in_place, 1 << 20, 300, 5 << 20), 20)

    def test_cold_memory_is_capped_for_all_ranks_together(self):
        large = machine_with(1 << 40)
        self.assertEqual(cases.pairs(COLD, 1 << 20, 8, 300, large), 64)
        self.assertEqual(cases.pairs(COLD, 1 << 30, 8, 300, large), 1)

    def test_buffers_need_so_much_memory(self):
        self.assertEqual(cases.memory(HOT, 1 << 20, 4, 1 << 30), 16 << 20)
        self.assertEqual(cases.memory(COLD, 1 << 20, 4, 1 << 30), (1 << 30) + (8 << 20))
        self.assertEqual(cases.memory(COLD, 1 << 30, 4, 1 << 30), 16 << 30)

    def test_half_of_the_memory_is_left_to_others(self):
        memory = machine.Memory()
        self.assertTrue(memory.fits(memory.least_available // 3))
        self.assertFalse(memory.fits(2 * memory.least_available))
        self.assertLessEqual(memory.cold_bytes, memory.least_available // 8 + 1)

    def test_a_block_is_as_long_as_what_is_done_around_its_calls_allows(self):
        self.assertEqual(cases.iterations_for(HOT, 1e6, 1e-3, 0.05), 50)
        self.assertEqual(cases.iterations_for(HOT, 1e6, 10e-3, 0.05), 10)
        self.assertEqual(cases.iterations_for(COLD, 1e6, 1e-3, 0.05), 25)
        self.assertEqual(cases.iterations_for(HOT, 1e9, 1, 0.05), 1)

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

    def cases(self, *words):
        return [case for part in self.options(*words).parts for case in part.cases]

    def test_the_short_form_is_hot_for_two_and_four_ranks(self):
        parts = self.options().parts
        self.assertEqual([part.ranks for part in parts], [2, 4])
        self.assertEqual([part.cases for part in parts], [(HOT,), (HOT,)])
        self.assertEqual(self.options("--ranks", "3", "--sizes", "8").parts[0].cells(), [(HOT, 8)])

    def test_the_long_form_is_a_plan_that_can_be_narrowed(self):
        self.assertIn(cases.Case("all_reduce", "cold", "registered", "in_place"),
                      self.cases("--long"))
        self.assertEqual(set(self.cases("--long", "--mode", "cold", "--pages", "ordinary",
                                        "--ranks", "4")), {COLD})
        self.assertEqual({part.ranks for part in self.options("--long", "--ranks", "16").parts},
                         {16})

    def test_what_nobody_knows_is_told_with_what_is_known(self):
        for words, expected in ((("--mode", "warm"), "'warm' is none of hot, cold"),
                                (("--operation", "sum"), "'sum' is none of all_reduce"),
                                (("--sizes", "6"), "multiples of 4"),
                                (("--ranks", "1"), "at least 2"),
                                (("--long", "--ranks", "3"), "nothing of these"),
                                (("--long", "--in-place"), "leave out --in-place"),
                                (("--operation", "alltoall", "--sizes", "8"), "would be empty")):
            with self.subTest(words), self.assertRaises(SystemExit), \
                    contextlib.redirect_stderr(io.StringIO()) as said:
                self.options(*words)
            self.assertIn(expected, said.getvalue())

    def test_the_command_is_told_as_it_was_given(self):
        self.assertEqual(compare.command_of(["--bin", "b", "--rivals", "r", "--resume", "--mode",
                                             "cold"]),
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


class Lines(unittest.TestCase):
    def test_they_have_what_the_tables_have_and_no_block(self):
        blocks = [block(library, number, time) for number in range(4)
                  for library, time in (("xccl", 1.23456), ("MPI", 2 + number))]
        found = rows.rows_of(blocks, [(10, 10)] * 5)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lines")
            lines.write(path, {"title": "T"}, found)
            with open(path, encoding="utf-8") as file:
                run, row = map(json.loads, file)
        self.assertEqual((run["kind"], run["title"]), ("run", "T"))
        self.assertEqual((row["best_rival"], row["compared"], row["verdict"]), ("MPI", 4, "holds"))
        mpi = dict(zip(run["library_words"], row["libraries"]["MPI"], strict=True))
        self.assertEqual((mpi["median_us"], mpi["quartiles_us"], mpi["p99_us"], mpi["iterations"]),
                         (3.5, [2.75, 4.25], 7, 40))
        self.assertEqual(row["libraries"]["xccl"][0], 1.235)

    def test_the_readme_shows_what_the_short_form_has(self):
        blocks = [block("xccl", 0, 1, size=size, **more) for size, more in (
            (8, {}), (16, {}), (4096, {"mode": "cold"}), (65536, {"place": "in_place"}))]
        shown = report.rows_of_readme(rows.rows_of(blocks, [(10, 10)] * 2))
        self.assertEqual([row["bytes"] for row in shown], [8])


class Wire(unittest.TestCase):
    def test_bytes_are_shared_among_all_calls_and_each_way_is_told(self):
        blocks = [{**block("xccl", number, 1, "hosts", size=1000), "iterations": 8, "warm_ups": 2,
                   "wire_bytes": [10000, 15000]} for number in range(3)]
        self.assertEqual(report.wire_lines(blocks), [
            "xccl, 2 ranks, 1000 B: 1.000 and 1.500 of the call's bytes on the wire, there and "
            "back, headers included"])

    def test_on_one_host_nothing_is_told_of_a_wire(self):
        self.assertEqual(report.wire_lines([{**block("xccl", 0, 1), "wire_bytes": []}]), [])


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
