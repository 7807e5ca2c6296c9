"""The report of a comparison: Markdown tables, pictures, JSON lines, and the figures of a README."""

import collections
import itertools
import json
import os

import picture
from cases import Case
from rows import FLOOR, LEAST_ROUNDS, MOST_SPREAD, NOT_SLOWER, OURS, verdict

TRANSPORTS = {"shm": "shared memory", "tcp": "TCP on loopback"}
LEGEND = (
    "Medians over rounds, in microseconds. The ratio is the median of the rounds' ratios with its "
    f"95 % interval; below 1 xccl is faster. \"holds\": xccl is not slower, since the interval ends "
    f"at {NOT_SLOWER} at most. \"disturbed\": fewer than {LEAST_ROUNDS} rounds were calm; \"void\": "
    f"the machine's own limit varied by more than {100 * MOST_SPREAD:.0f} % between rounds "
    "(distance of the quartiles over the median): such rows prove nothing. Gloo has no shared "
    "memory: it uses TCP in both parts.")
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


def table(rows):
    """Who takes how long: the rows of one case. Times in microseconds."""
    found = {library for row in rows for library in row["medians_us"]}
    columns = [*sorted(found - {OURS, FLOOR}, reverse=True), *[FLOOR] * (FLOOR in found), OURS]
    lines = [[*_place(row), *(_time(row["medians_us"].get(library)) for library in columns),
              _ratio(row), verdict(row)] for row in rows]
    return _markdown(["over"], ["ranks", "size", *(f"{library}, µs" for library in columns),
                                "xccl / best rival", "not slower"], lines)


def details(rows):
    """Tails, the machine's limit, and what the calls cost: the rows of one case."""
    def of(row, word, library, form):
        value = row[word].get(library) if library else None
        return "-" if value is None else form(value)

    def line(row):
        rival = row.get("best_rival")
        pair = (OURS, rival)
        limit = f"{row['of_limit']:.2f}" if "of_limit" in row else "-"
        spread = f"{100 * row['floor_spread']:.0f} %" if "floor_spread" in row else "-"
        gigabytes = (of(row, "gb_per_core_second", library, "{:.2f}".format) for library in pair)
        return [*_place(row), rival or "-",
                *(of(row, "p99_us", library, _time) for library in pair), limit, spread,
                *(gigabytes if row["transport"] == "tcp" else ("-", "-")),
                *(of(row, "switches", library, "{:.0f}".format) for library in pair)]
    return _markdown(["over"], ["ranks", "size", "best rival", "p99 xccl, µs", "p99 rival, µs",
                                "xccl / limit", "limit's spread", "GB per core-second xccl",
                                "of rival", "switches xccl", "of rival"],
                     [line(row) for row in rows])


def by_case(rows):
    """Case -> its rows."""
    def case(row):
        return Case(row["operation"], row["mode"], row["pages"], row["place"])
    return {key: list(of) for key, of in itertools.groupby(rows, case)}


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
            if max(map(len, points.values()), default=0) < 2:
                continue  # a point is no line
            title = f"{case.title()}: {TRANSPORTS[transport]}, {ranks} ranks"
            name = "-".join([case.operation, case.mode, case.place, case.pages, transport,
                             str(ranks)]) + ".svg"
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


def page(rows, facts, pictures):
    """The whole report as Markdown. `facts`: title, machine, and lists of lines."""
    parts = [f"# {facts['title']}", facts["machine"], f"**{count_verdicts(rows)}.**", LEGEND]
    for case, of in by_case(rows).items():
        parts += [f"## {case.title()}", table(of), details(of)]
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


def write_lines(path, facts, blocks, rows, controls):
    with open(path, "w", encoding="utf-8") as file:
        print(json.dumps({"kind": "run", **facts}), file=file)
        for place, (copy, flag) in enumerate(controls):
            print(json.dumps({"kind": "control", "place": place, "copy_ns": copy, "flag_ns": flag}),
                  file=file)
        for kind, lines in (("block", blocks), ("row", rows)):
            for line in lines:
                print(json.dumps({"kind": kind, **line}), file=file)


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
