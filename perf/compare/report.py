"""The report of a comparison: Markdown tables, pictures, JSON lines, and the figures of a README."""

import collections
import itertools
import os
import statistics

import bounds
import picture
from cases import Case
from plan import SHORT_SIZES
from race import OUT_OF_REACH
from rows import (FLOOR, LEAST_RANKS_OF_TAIL, LEAST_ROUNDS, LONGEST_TAIL, MOST_SPREAD, NOT_SLOWER,
                  OURS, longest_tail_of_rivals, tail_verdict, verdict)

TRANSPORTS = {"shm": "shared memory", "tcp": "TCP on loopback",
              "hosts": "TCP between two hosts"}
LEGEND = (
    "Medians over rounds, in microseconds. The ratio is the median of the rounds' ratios with its "
    f"95 % interval; below 1 xccl is faster. \"holds\": xccl is not slower, since the interval ends "
    f"at {NOT_SLOWER} at most. \"disturbed\": fewer than {LEAST_ROUNDS} rounds were calm; \"void\": "
    f"the machine's own limit varied by more than {100 * MOST_SPREAD:.0f} % between rounds "
    "(distance of the quartiles over the median): such rows prove nothing. \"lost\": it died or "
    f"hung there, see Failures. Who took more than {OUT_OF_REACH} times as long as the best rival in "
    "the first rounds was measured in those alone. Gloo and PyTorch have no shared memory: they use TCP in both parts.")
_FIRST_LINE = "<!-- figures -->"
_LAST_LINE = "<!-- /figures -->"


def size_name(size):
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} B"


def _time(microseconds):
    if microseconds is None:
        return "-"
    digits = 2 if microseconds < 10 else 1 if microseconds < 100 else 0
    return f"{microseconds:,.{digits}f}"


def _markdown(left, right, lines):
    """A table whose first columns, `left`, are words."""
    head = "| " + " | ".join([*left, *right]) + " |"
    rule = "|" + "---|" * len(left) + "--:|" * len(right)
    return "\n".join([head, rule, *("| " + " | ".join(line) + " |" for line in lines)])


def _place(row):
    return [TRANSPORTS[row["transport"]], str(row["ranks"]), size_name(row["bytes"])]


def _ratio(row):
    if "ratio" not in row:
        return "-"
    return f"{row['ratio']:.2f} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f})"


def _libraries(rows):
    """Rivals, then the floor, then ours."""
    found = {library for row in rows for library in [*row["medians_us"], *row["lost"]]}
    return [*sorted(found - {OURS, FLOOR}, reverse=True), *[FLOOR] * (FLOOR in found), OURS]


def _time_of(row, word, library):
    if library in row["lost"]:
        return "lost"
    return _time(row[word].get(library))


def table(rows):
    """Who takes how long: the rows of one case. Times in microseconds."""
    columns = _libraries(rows)
    lines = [[*_place(row), *(_time_of(row, "medians_us", library) for library in columns),
              _ratio(row), verdict(row)] for row in rows]
    return _markdown(["over"], ["ranks", "size", *(f"{library}, µs" for library in columns),
                                "xccl / best rival", "not slower"], lines)


def tails(rows):
    """The p99 of all: the rows of one case."""
    columns = _libraries(rows)
    lines = [[*_place(row), *(_time_of(row, "p99_us", library) for library in columns),
              tail_verdict(row) or "-"] for row in rows]
    return _markdown(["over"], ["ranks", "size", *(f"{library}, p99 in µs" for library in columns),
                                f"xccl's p99 within {LONGEST_TAIL} medians"], lines)


def details(rows):
    """The machine's limit, and what the calls cost: the rows of one case."""
    def of(row, word, library, form):
        value = row[word].get(library) if library else None
        return "-" if value is None else form(value)

    def line(row):
        rival = row.get("best_rival")
        pair = (OURS, rival)
        limit = f"{row['of_limit']:.2f}" if "of_limit" in row else "-"
        spread = f"{100 * row['floor_spread']:.0f} %" if "floor_spread" in row else "-"
        gigabytes = (of(row, "gb_per_core_second", library, "{:.2f}".format) for library in pair)
        return [*_place(row), rival or "-", limit, spread,
                *(gigabytes if row["transport"] != "shm" else ("-", "-")),
                *(of(row, "switches", library, "{:.0f}".format) for library in pair)]
    return _markdown(["over"], ["ranks", "size", "best rival", "xccl / limit", "limit's spread", "GB per core-second xccl",
                                "of rival", "switches xccl", "of rival"],
                     [line(row) for row in rows])


def _case(row):
    return Case(row["operation"], row["mode"], row["pages"], row["place"])


def by_case(rows):
    """Case -> its rows."""
    return {key: list(of) for key, of in itertools.groupby(rows, _case)}


def main_tables(rows):
    """A heading and a table for each case; no heading where there is but one."""
    parts = by_case(rows)
    if len(parts) == 1:
        return [table(rows)]
    return [text for case, of in parts.items() for text in (f"**{case.title()}**", table(of))]


def count_verdicts(rows):
    """A line: how many rows hold, how many do not, and how many say nothing."""
    count = collections.Counter(verdict(row) for row in rows)
    return (f"{count['holds']} of {len(rows)} rows hold (xccl not slower than the best rival), "
            f"{count['does not hold']} do not; {count['void']} are void, {count['disturbed']} "
            f"disturbed, {count['no rival']} without a rival")


def count_tails(rows):
    """As count_verdicts(), of tails; empty where no row has enough ranks."""
    asked = [row for row in rows if tail_verdict(row)]
    if not asked:
        return ""
    held = sum(tail_verdict(row) == "holds" for row in asked)
    longer = [row for row in asked if (longest_tail_of_rivals(row) or 0) > LONGEST_TAIL]
    held_there = sum(tail_verdict(row) == "holds" for row in longer)
    return (f"With {LEAST_RANKS_OF_TAIL} ranks or more, xccl's p99 is within {LONGEST_TAIL} times its "
            f"median in {held} of {len(asked)} rows; in {len(longer)} of them some rival's is not, and "
            f"there xccl's is in {held_there}")


def of_bounds(rows):
    """What was promised, and how many rows keep it; below, those that break it, the worst first."""
    def name(row):
        return (f"{_case(row).title()}, {TRANSPORTS[row['transport']]}, {row['ranks']} ranks, "
                f"{size_name(row['bytes'])}")

    found = bounds.kept(rows)
    counts = [[kept.bound.title, str(len(kept.holding)), str(len(kept.broken)),
               f"{len(kept.unproved)} ({sum(map(kept.bound.holds, kept.unproved))})"]
              for kept in found]
    broken = [f"- {kept.bound.title}\n" + "\n".join(
        f"  - {kept.bound.figure(row):.2f}: {name(row)}"
        for row in sorted(kept.broken, key=kept.bound.worst_first)) for kept in found if kept.broken]
    return "\n\n".join([
        _markdown(["bound"], ["rows that hold", "that do not",
                              "disturbed or void (seem to hold)"], counts),
        *(["Those that do not:", *broken] if broken else [])])


def _is_drawn(case, transport):
    """Not what looks like another: a long run would have some 40 pictures."""
    is_first = case.place == "apart" and case.operation == "all_reduce"
    return is_first and (transport != "tcp" or (case.mode, case.pages) == ("hot", "ordinary"))


def write_pictures(stem, rows):
    """SVG files in a folder beside the report; case -> their (title, place)."""
    os.makedirs(stem, exist_ok=True)
    written = collections.defaultdict(list)
    for case, of in by_case(rows).items():
        for (transport, ranks), some in itertools.groupby(
                of, lambda row: (row["transport"], row["ranks"])):
            points = {}
            for row in some:
                for library, time in row["medians_us"].items():
                    if time is not None:
                        points.setdefault(library, []).append((row["bytes"], time))
            if (max(map(len, points.values()), default=0) < 2  # a point is no line
                    or not _is_drawn(case, transport)):
                continue
            title = f"{case.title()}: {TRANSPORTS[transport]}, {ranks} ranks"
            name = "-".join([case.operation, case.mode, case.place, case.pages, transport,
                             f"{ranks}_ranks"]) + ".svg"
            with open(os.path.join(stem, name), "w", encoding="utf-8") as file:
                file.write(picture.draw(title, points))
            written[case].append((title, f"{os.path.basename(stem)}/{name}"))
    return written


def chosen_settings(rows):
    """What a library that leaves the choice to its caller was given, as lines."""
    chosen = {}
    for row in rows:
        for library, algorithm in row["algorithms"].items():
            choice = row["settings"][library] or algorithm
            if choice != "default":
                chosen.setdefault(library, {})[(row["ranks"], row["bytes"])] = choice
    return [f"{library}: " + ", ".join(f"{ranks} ranks {size_name(size)} {name}"
                                       for (ranks, size), name in sorted(of.items()))
            for library, of in chosen.items()]


def wire_lines(blocks):
    """What a call puts on the wire each way, in times of its bytes, where that was counted."""
    shares = collections.defaultdict(list)
    for block in blocks:
        if block.get("wire_bytes"):
            calls = block["iterations"] + block["warm_ups"]
            shares[(block["ranks"], block["bytes"], block["library"])].append(
                [sent / calls / block["bytes"] for sent in block["wire_bytes"]])
    return [f"{library}, {ranks} ranks, {size_name(size)}: "
            + " and ".join(f"{statistics.median(way):.3f}" for way in zip(*of))
            + " of the call's bytes on the wire, there and back, headers included"
            for (ranks, size, library), of in sorted(shares.items())]


def page(rows, facts, pictures):
    """The whole report as Markdown. `facts`: title, machine, and lists of lines."""
    parts = [f"# {facts['title']}", facts["machine"], f"**{count_verdicts(rows)}.**",
             f"**{count_tails(rows)}.**" if count_tails(rows) else "", LEGEND]
    if facts.get("plan"):
        parts += ["## The plan", facts["plan"]]
    parts += ["## The bounds", of_bounds(rows)]
    for case, of in by_case(rows).items():
        parts += [f"## {case.title()}", table(of), tails(of), details(of)]
        parts += [f"![{title}]({name})" for title, name in pictures.get(case, [])]
        parts += ["\n".join(f"- {line}" for line in chosen_settings(of))]
    parts += ["## Columns",
              "p99: of the slowest iterations of a block, median over rounds. xccl / limit: "
              "against the best that the machine was seen to do, where that was measured. GB per "
              "core-second: bytes of the call over the processors' time that all ranks spend "
              "within it. switches: how often the ranks of a block lost a processor, together; where ranks "
              "outnumber cores, those that yield while they wait count, too.",
              "## Settings", "\n".join(f"- {line}" for line in facts["settings"]),
              "## The run", "\n".join(f"- {line}" for line in facts["run"])]
    if facts["failures"]:
        parts += ["## Failures", "\n".join("```\n" + text + "\n```" for text in facts["failures"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def rows_of_readme(rows):
    """Those that the short form has, too."""
    return [row for row in rows if row["bytes"] in SHORT_SIZES
            and _case(row) == Case("all_reduce", "hot", "ordinary", "apart")]


def replace_figures(readme, text):
    """Puts `text` between the two marks of the file; says what is wrong if they are not there."""
    with open(readme, encoding="utf-8") as file:
        before, first, rest = file.read().partition(_FIRST_LINE)
    _, last, after = rest.partition(_LAST_LINE)
    if not first or not last:
        raise ValueError(f"{readme} has no lines {_FIRST_LINE} and {_LAST_LINE} for the figures")
    part = readme + ".part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(f"{before}{first}\n{text}\n{last}{after}")
    os.replace(part, readme)
