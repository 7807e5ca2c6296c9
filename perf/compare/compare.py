"""Question: how long does a collective of float32 take with xccl, and how long with its rivals?

Method: for each number of ranks all libraries' jobs live at the same time, and sleep but for the
one that is measured. For each size, rounds follow each other, in each of which every job is
measured once (A B C, A B C, ...), after an untimed round that finds out how many iterations fill a
block and, where a library leaves the choice to its caller, which algorithm is fastest. The time of
a block is the median of its iterations; of a library, the median over rounds. Where a library has
settings to choose from, the best one of each size is chosen in odd rounds, and all are compared in
even ones. Ratios are taken within rounds, and their median has a bootstrap interval.

hot: the same buffers again and again, rewritten by their owner before each iteration, whose ranks
start together; its time is that of its slowest rank.
cold: iterations go round through buffers of four times the last-level cache, written a rotation
earlier and thrown out of the caches; ranks come at random within 20 us, and the time is from the
last arrival to the last completion.

Between rounds a copy and the round trip of a flag are timed: rounds beside a disturbed one are
discarded for all alike. Every block's result is checked.
"""

import argparse
import contextlib
import datetime
import os
import shlex
import sys

import cases
import namespaces
import report
from comparison import Comparison
from jobs import Control
from launches import launches, launches_between_hosts
from machine import CpuTimes, cache_bytes, commit, description
from ratios import CONTROL_TOLERANCE, is_calm, typical_controls
from rows import rows_of

_SHORT_SECONDS = 165
_LONG_SECONDS = 1500
_SKIPPED = 77


def options_of(arguments):
    def numbers(text):
        return sorted({int(word) for word in text.split(",")})

    def some_of(known):
        def words(text):
            given = text.split(",")
            for word in given:
                if word not in known:
                    raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(known)}")
            return [word for word in known if word in given]
        return words
    parser = argparse.ArgumentParser(prog="perf/compare/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rivals", default="", help=argparse.SUPPRESS)
    parser.add_argument("--long", action="store_true",
                        help="about 25 minutes in place of 3, hot and cold, on both kinds of pages")
    parser.add_argument("--seconds", type=float, help="about so long in place of either")
    parser.add_argument("--ranks", type=numbers, help="such as 2,4,8; 2,4, and with --long 2,4,8")
    parser.add_argument("--sizes", type=numbers, default=[8, 4 << 10, 64 << 10, 1 << 20, 64 << 20],
                        help="bytes, such as 8,4096: the larger of what a rank sends and receives")
    parser.add_argument("--operation", type=some_of(cases.OPERATIONS), default=["all_reduce"],
                        help=f"some of {','.join(cases.OPERATIONS)}; all_reduce")
    parser.add_argument("--mode", type=some_of(cases.MODES), help="hot,cold; hot")
    parser.add_argument("--pages", type=some_of(cases.PAGES),
                        help="ordinary,registered (the library's own allocator); ordinary")
    parser.add_argument("--in-place", action="store_true",
                        help="measure all_reduce in place, too")
    parser.add_argument("--two-hosts", action="store_true",
                        help="half of the ranks on each of two hosts, which are network "
                             "namespaces joined by a veth pair; needs root")
    parser.add_argument("--only", default="", help="names that are measured, such as xccl,Gloo")
    parser.add_argument("--out", default="perf/results", help="folder of the results")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args(arguments)
    options.ranks = options.ranks or ([2, 4, 8] if options.long else [2, 4])
    if options.ranks[0] < 2:
        parser.error("--ranks: a comparison needs at least 2 ranks")
    if any(size < 4 or size % 4 for size in options.sizes):
        parser.error("--sizes: multiples of 4 bytes, since elements are float32")
    if options.two_hosts and any(count % 2 for count in options.ranks):
        parser.error("--ranks: two hosts share an even number of ranks")
    options.mode = options.mode or list(cases.MODES if options.long else cases.MODES[:1])
    options.pages = options.pages or list(cases.PAGES if options.long else cases.PAGES[:1])
    options.cases = cases.cases_of(options.operation, options.mode, options.pages,
                                   options.in_place)
    if not any(case.suits(size, count) for case in options.cases for size in options.sizes
               for count in options.ranks):
        parser.error("--sizes: a rank's part of these operations would be empty; "
                     "16 bytes for each rank are the least")
    return options


def command_of(arguments):
    """As the user gave it: without what run.sh adds."""
    words = list(arguments)
    for hidden in ("--bin", "--rivals"):
        if hidden in words:
            place = words.index(hidden)
            del words[place:place + 2]
    return shlex.join(["perf/compare/run.sh", *words])


def _cold_memory(comparison):
    wanted = 4 * comparison.cache_bytes
    most = {block["ranks"]: cases.COLD_BYTES // block["ranks"] for block in comparison.blocks
            if block["mode"] == "cold" and cases.COLD_BYTES // block["ranks"] < wanted}
    if not most:
        return []
    sizes = ", ".join(f"{report.size_name(size)} with {ranks} ranks"
                      for ranks, size in sorted(most.items()))
    return [f"cold: the last-level cache is said to have {report.size_name(comparison.cache_bytes)}"
            f"; four times that for each rank was cut to {report.size_name(cases.COLD_BYTES)} for "
            f"all ranks together ({sizes}), and at least one pair of buffers. All buffers are "
            "flushed from the caches after they are written, so that they are cold all the same"]


def _facts(comparison, options, command, started, cpu):
    controls = comparison.controls
    typical = typical_controls(controls)
    disturbed = sum(not is_calm(control, typical) for control in controls)
    rounds = {(block["before"]): block["calm"] for block in comparison.blocks}
    title = ", ".join(options.operation).replace("_", "-")
    return {
        "title": f"{title[0].upper()}{title[1:]} of float32, against other libraries",
        "machine": f"{description()}. {started:%Y-%m-%d}, commit {commit()}, `{command}`.",
        "settings": [f"{setting} ({', '.join(map(str, ranks))} ranks)"
                     for setting, ranks in comparison.settings.items()]
        + ["all: float32 sum; page-aligned buffers; hot: rewritten by their owner before each "
           "iteration; the calling threads pinned one to a core where there are enough, free "
           "elsewhere", *_cold_memory(comparison)],
        "run": [f"{(datetime.datetime.now() - started).total_seconds():.0f} s, "
                f"{len(comparison.blocks)} blocks, every result checked",
                f"{sum(not calm for calm in rounds.values())} of {len(rounds)} rounds discarded: "
                f"{disturbed} of {len(controls)} controls off by more than "
                f"{100 * CONTROL_TOLERANCE:.0f} %",
                f"controls: copy of 4 MiB {typical[0] / 1e3:.0f} µs, flag round trip "
                f"{typical[1]:.0f} ns",
                f"stolen by the host: {cpu.stolen_percent():.1f} % of the processors' time; load "
                f"at the end {cpu.load():.1f}",
                *report.wire_lines(comparison.blocks)],
        "failures": comparison.failures,
    }


def _write(options, comparison, facts, rows, started):
    os.makedirs(options.out, exist_ok=True)
    what = options.operation[0] if len(options.operation) == 1 else "collectives"
    what += "-two_hosts" if options.two_hosts else ""
    stem = os.path.join(options.out, f"{started:%Y-%m-%d}-{commit()}-{what}")
    page = report.page(rows, facts, report.write_pictures(stem, rows))
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(page)
    report.write_lines(stem + ".jsonl", facts, comparison.blocks, rows, comparison.controls)
    print(page)
    print(f"Written: {stem}.md and .jsonl")
    if options.readme:
        report.replace_figures("README.md", "\n\n".join(
            ["", facts["machine"], *report.main_tables(rows),
             f"{report.LEGEND} Settings, discards and every block: `{stem}.md`.", ""]))


def main(arguments):
    options = options_of(arguments)
    started = datetime.datetime.now()
    cpu = CpuTimes()
    wanted = {name.lower().strip() for name in options.only.split(",") if name}
    with contextlib.ExitStack() as stack:
        hosts = None
        if options.two_hosts:
            reason = namespaces.why_not()
            if reason:
                print(f"compare: skipped: {reason}", file=sys.stderr)
                return _SKIPPED
            hosts = stack.enter_context(namespaces.TwoHosts())
        chosen = [launch for launch in (launches_between_hosts(options.bin, hosts) if hosts
                                        else launches(options.bin, options.rivals))
                  if not wanted or launch.contestant.lower() in wanted]
        if not chosen:
            print(f"compare: nothing of {options.only or 'all'} in {options.bin}", file=sys.stderr)
            return 2
        total = options.seconds or (_LONG_SECONDS if options.long else _SHORT_SECONDS)
        control = Control(options.bin)
        stack.callback(control.end)
        comparison = Comparison(options.bin, chosen, control, cache_bytes(),
                                wire=hosts and (lambda: [hosts.bytes_sent(0), hosts.bytes_sent(1)]))
        for rank_count in options.ranks:
            comparison.run(rank_count, options.sizes, options.cases, total / len(options.ranks))
    if not comparison.blocks:
        print("compare: no library could be measured", file=sys.stderr)
        return 1
    rows = rows_of(comparison.blocks, comparison.controls)
    facts = _facts(comparison, options, command_of(arguments), started, cpu)
    _write(options, comparison, facts, rows, started)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
