"""Question: how long does a collective of float32 take with xccl, and how long with its rivals?

Method: for each number of ranks all libraries' jobs live at the same time, and sleep but for the
one that is measured. For each size, rounds follow each other, in each of which every job is
measured once (A B C, A B C, ...), after an untimed round that finds out how many iterations fill a
block and, where a library leaves the choice to its caller, which algorithm is fastest. The time of
a block is the median of its iterations; of a library, the median over rounds. Where a library has
settings to choose from, the best one of each size is chosen in odd rounds, and all are compared in
even ones. Ratios are taken within rounds, and their median has a bootstrap interval. After the least
rounds those go on alone that may be the best there, and where too few rounds were calm, a cell gets
more of them than its share of the time.

hot: the same buffers again and again, rewritten by their owner before each iteration, whose ranks
start together; its time is that of its slowest rank. Where ranks outnumber cores, a rank whose call
is over begins with what is not timed when those of all are over.
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
import signal
import sys

import cases
import lines
import namespaces
import plan
import report
from comparison import Comparison
from jobs import Control, JobFailed
from journal import Journal
from launches import launches, launches_between_hosts
from machine import CpuTimes, Memory, commit, description
from ratios import CONTROL_TOLERANCE, is_calm, typical_controls
from rows import rows_of

_SHORT_SECONDS = 165
_LONG_SECONDS = 1700
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
                        help="about 28 minutes in place of 3: all that --plan shows; the options "
                             "below then choose from it")
    parser.add_argument("--plan", action="store_true",
                        help="print what would be measured, and how long, and stop")
    parser.add_argument("--resume", action="store_true",
                        help="go on with a run of the same commit that was cut off: what its "
                             "journal in the folder of the results has is not measured again")
    parser.add_argument("--keep-journal", action="store_true",
                        help="leave the journal, which has every measured block")
    parser.add_argument("--seconds", type=float, help="about so long in place of either")
    parser.add_argument("--ranks", type=numbers, help="such as 2,4,8; 2,4")
    parser.add_argument("--sizes", type=numbers, help="bytes, such as 8,4096: the larger of what a rank sends and receives")
    parser.add_argument("--operation", type=some_of(cases.OPERATIONS),
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
    if any(count < 2 for count in options.ranks or []):
        parser.error("--ranks: a comparison needs at least 2 ranks")
    if any(size < 4 or size % 4 for size in options.sizes or []):
        parser.error("--sizes: multiples of 4 bytes, since elements are float32")
    if options.long and (options.in_place or options.two_hosts):
        parser.error("--long has its own calls in place and between two hosts: leave out "
                     "--in-place and --two-hosts")
    options.seconds = options.seconds or (_LONG_SECONDS if options.long else _SHORT_SECONDS)
    options.parts = (plan.narrowed(plan.LONG, options.ranks, options.sizes, options.operation,
                                   options.mode, options.pages)
                     if options.long else _parts_of(options, parser))
    if not options.parts:
        parser.error("the plan of the long form has nothing of these; --long --plan shows it"
                     if options.long else
                     "--sizes: a rank's part of these operations would be empty; "
                     "16 bytes for each rank are the least")
    return options


def _parts_of(options, parser):
    """Of all but the long form: a part for each number of ranks."""
    ranks = options.ranks or [2, 4]
    if options.two_hosts and any(count % 2 for count in ranks):
        parser.error("--ranks: two hosts share an even number of ranks")
    kinds = tuple(cases.cases_of(
        options.operation or ["all_reduce"], options.mode or cases.MODES[:1],
        options.pages or cases.PAGES[:1], options.in_place))
    parts = [plan.Part(", ".join(options.operation or ["all_reduce"]), 1, count, kinds,
                       tuple(options.sizes or plan.SHORT_SIZES), options.two_hosts)
             for count in ranks]
    return [part for part in parts if part.cells()]


def command_of(arguments):
    """As the user gave it: without what run.sh adds, and --resume, which goes on with the same."""
    words = [word for word in arguments if word != "--resume"]
    for hidden in ("--bin", "--rivals"):
        if hidden in words:
            place = words.index(hidden)
            del words[place:place + 2]
    return shlex.join(["perf/compare/run.sh", *words])


def _memory_lines(comparison):
    """What cold calls go through, and what memory that takes."""
    machine = comparison.machine
    cold = sorted({block["ranks"] for block in comparison.blocks if block["mode"] == "cold"})
    cut = [ranks for ranks in cold if machine.cold_bytes // ranks < 4 * machine.cache_bytes]
    if not cut:
        return []
    sizes = ", ".join(f"{report.size_name(machine.cold_bytes // ranks)} with {ranks} ranks"
                      for ranks in cut)
    return [f"cold: the last-level cache is said to have {report.size_name(machine.cache_bytes)}; "
            f"four times that for each rank was cut to {report.size_name(machine.cold_bytes)} for "
            f"all ranks together ({sizes}), and at least one pair of buffers; fewer where fewer "
            "calls fill a block. All buffers are flushed from the caches after they are written, so "
            "that they are cold all the same"]


def _facts(comparison, options, command, started, cpu):
    controls = comparison.controls
    typical = typical_controls(controls)
    disturbed = sum(not is_calm(control, typical) for control in controls)
    rounds = {(block["before"]): block["calm"] for block in comparison.blocks}
    title = ", ".join({block["operation"]: 0 for block in comparison.blocks}).replace("_", "-")
    return {
        "title": f"{title[0].upper()}{title[1:]} of float32, against other libraries",
        "machine": f"{description()}. {started:%Y-%m-%d}, commit {commit()}, `{command}`.",
        "settings": [f"{setting} ({', '.join(map(str, ranks))} ranks)"
                     for setting, ranks in comparison.settings.items()]
        + ["all: float32 sum; page-aligned buffers; hot: rewritten by their owner before each "
           "iteration; the calling threads pinned one to a core where there are enough, free "
           "elsewhere", *_memory_lines(comparison)],
        "run": [f"{(datetime.datetime.now() - started).total_seconds():.0f} s, "
                f"{len(comparison.blocks)} blocks, every result checked",
                f"{sum(not calm for calm in rounds.values())} of {len(rounds)} rounds discarded: "
                f"{disturbed} of {len(controls)} controls off by more than "
                f"{100 * CONTROL_TOLERANCE:.0f} %",
                f"controls: copy of 4 MiB {typical[0] / 1e3:.0f} µs, flag round trip "
                f"{typical[1]:.0f} ns",
                f"stolen by the host: {cpu.stolen_percent():.1f} % of the processors' time; load "
                f"at the end {cpu.load():.1f}",
                f"memory: only one contestant has buffers at a time; "
                f"{comparison.machine.least_available / 2**30:.1f} GiB were free at the least, "
                "between cells",
                *(f"left out: {text}" for text in comparison.left_out),
                *report.wire_lines(comparison.blocks)],
        "failures": comparison.failures,
        **({"plan": plan.table(options.parts, options.seconds)} if options.long else {}),
    }


def _stem(options, started):
    """Of the files that are written."""
    operations = {case.operation for part in options.parts for case in part.cases}
    what = ("long" if options.long else
            operations.pop() if len(operations) == 1 else "collectives")
    what += "-two_hosts" if options.two_hosts else ""
    return os.path.join(options.out, f"{started:%Y-%m-%d}-{commit()}-{what}")


def _write(options, comparison, facts, rows, stem):
    page = report.page(rows, facts, report.write_pictures(stem, rows))
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(page)
    lines.write(stem + ".jsonl", facts, rows)
    print(page)
    print(f"Written: {stem}.md and .jsonl")
    if options.readme:
        shown = report.rows_of_readme(rows)
        if not shown:
            raise ValueError("--readme: nothing was measured that the table of README.md shows")
        report.replace_figures("README.md", "\n\n".join(
            ["", facts["machine"], *report.main_tables(shown),
             f"{report.LEGEND} Settings, discards and more: `{stem}.md`.", ""]))


class _Hosts:
    """Two hosts, made when they are first needed."""

    def __init__(self, stack):
        self._stack = stack
        self.hosts = None

    def get(self):
        if self.hosts is None:
            self.hosts = self._stack.enter_context(namespaces.TwoHosts())
        return self.hosts

    def bytes_sent(self):
        return [self.hosts.bytes_sent(0), self.hosts.bytes_sent(1)] if self.hosts else []


def _launches_of(options, hosts):
    """(on two hosts) -> what is wanted and there."""
    wanted = {name.lower().strip() for name in options.only.split(",") if name}

    def chosen(two_hosts):
        known = (launches_between_hosts(options.bin, options.rivals, hosts.get()) if two_hosts
                 else launches(options.bin, options.rivals))
        return [launch for launch in known
                if not wanted or launch.contestant.lower() in wanted]
    return chosen


def _stop(*_):
    """Of SIGTERM: ends as Ctrl-C does, with a report of what there is."""
    raise KeyboardInterrupt


def _measure(comparison, parts, seconds):
    """A run that is cut off has a report, too."""
    try:
        comparison.run(parts, seconds)
    except KeyboardInterrupt:
        comparison.failures.append("The run was interrupted: --resume goes on with it")
    except JobFailed as failure:  # of the controls, without which nothing can be told
        comparison.failures.append(f"The run ended early: {failure}")


def main(arguments):
    options = options_of(arguments)
    if options.plan:
        print(plan.table(options.parts, options.seconds))
        return 0
    started = datetime.datetime.now()
    cpu = CpuTimes()
    signal.signal(signal.SIGTERM, _stop)
    stem = _stem(options, started)
    with contextlib.ExitStack() as stack:
        hosts = _Hosts(stack)
        launches_of = _launches_of(options, hosts)
        reason = any(part.two_hosts for part in options.parts) and namespaces.why_not()
        if reason:
            options.parts = [part for part in options.parts if not part.two_hosts]
            print(f"compare: without two hosts: {reason}", file=sys.stderr)
        if not options.parts:
            return _SKIPPED
        if not launches_of(options.parts[0].two_hosts):
            print(f"compare: nothing of {options.only or 'all'} in {options.bin}", file=sys.stderr)
            return 2
        control = Control(options.bin)
        stack.callback(control.end)
        journal = Journal(stem + ".journal", {"commit": commit(), "only": options.only},
                          options.resume)
        comparison = Comparison(options.bin, launches_of, control, Memory(), journal,
                                hosts.bytes_sent)
        if reason:
            comparison.left_out.append(f"two hosts: {reason}")
        _measure(comparison, options.parts, options.seconds)
    if not comparison.blocks:
        print("compare: no library could be measured", file=sys.stderr)
        return 1
    rows = rows_of(comparison.blocks, comparison.controls, comparison.lost)
    facts = _facts(comparison, options, command_of(arguments), started, cpu)
    _write(options, comparison, facts, rows, stem)
    was_cut_off = any(text.startswith("The run ") for text in comparison.failures)
    journal.end(keeps=options.keep_journal or was_cut_off)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        sys.exit(1)
