"""The report of a comparison: rows, a Markdown table, JSON lines, and the figures of a README."""

import json
import os
import statistics

from ratios import (best, best_in_rounds, is_calm, ratio_of_rounds, split_rounds,
                    typical_controls)

# With fewer calm rounds a row is of all its rounds, and marked: it shows what ran, and proves nothing.
LEAST_ROUNDS = 3
TRANSPORTS = {"shm": "shared memory", "tcp": "TCP on loopback"}
_FIRST_LINE = "<!-- figures -->"
_LAST_LINE = "<!-- /figures -->"


def rows_of(blocks, controls):
    """One row for each transport, rank count and size. `blocks` are dictionaries with library,
    setting, transport ("any": counts for all), ranks, bytes, round, before and after (places in
    `controls`) and median_us; marks each as calm or not."""
    typical = typical_controls(controls)
    for block in blocks:
        block["calm"] = all(is_calm(controls[block[side]], typical) for side in ("before", "after"))
    keys = sorted({(block["ranks"], block["bytes"]) for block in blocks})
    rows = [_row(transport, ranks, size, [block for block in blocks
                                          if (block["ranks"], block["bytes"]) == (ranks, size)
                                          and block["transport"] in (transport, "any")])
            for transport in TRANSPORTS for ranks, size in keys]
    return [row for row in rows if row["medians_us"]]


def _row(transport, ranks, size, blocks):
    times = {}
    for block in blocks:
        of_library = times.setdefault(block["library"], {})
        of_library.setdefault(block["setting"], {})[block["round"]] = block["median_us"]
    calm = {block["round"] for block in blocks if block["calm"]}
    # A library that failed half-way has no time in the later rounds: only full rounds are compared.
    runs = [set(of) for settings in times.values() for of in settings.values()]
    full = sorted(set.intersection(*runs)) if runs else []
    kept = [number for number in full if number in calm]
    trials, compared = split_rounds(times, kept)
    disturbed = len(compared) < LEAST_ROUNDS
    if disturbed:
        trials, compared = split_rounds(times, full)
    row = {"transport": transport, "ranks": ranks, "bytes": size, "rounds": len(full),
           "kept": len(kept), "disturbed": disturbed}
    row["settings"] = {library: best_in_rounds(of, trials) for library, of in times.items()}
    lists = {library: [of[row["settings"][library]][number] for number in compared]
             for library, of in times.items()}
    row["medians_us"] = {library: statistics.median(of) if of else None
                         for library, of in lists.items()}
    row["algorithms"] = {block["library"]: block["algorithm"] for block in blocks
                         if block["setting"] == row["settings"][block["library"]]}
    rivals = {library: of for library, of in lists.items() if library != "xccl"}
    if compared and "xccl" in lists and rivals:
        row["best_rival"] = best(rivals)
        row["ratio"], row["ratio_low"], row["ratio_high"] = ratio_of_rounds(
            lists["xccl"], rivals[row["best_rival"]])
    return row


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


def table(rows):
    """Markdown. Times in microseconds."""
    rivals = sorted({library for row in rows for library in row["medians_us"]} - {"xccl"},
                    reverse=True)
    lines = ["| over | ranks | size | " + " | ".join(f"{rival}, µs" for rival in rivals)
             + " | xccl, µs | xccl / best rival |", "|---|--:|--:|" + "--:|" * (len(rivals) + 2)]
    for row in rows:
        times = [_time(row["medians_us"].get(library)) for library in [*rivals, "xccl"]]
        ratio = "-"
        if "ratio" in row:
            ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f})"
            if row["disturbed"]:
                ratio += " disturbed"
        lines.append(f"| {TRANSPORTS[row['transport']]} | {row['ranks']} | {size_name(row['bytes'])} "
                     f"| {' | '.join(times)} | {ratio} |")
    return "\n".join(lines)


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


def page(rows, facts):
    """The whole report as Markdown. `facts`: title, machine, and lists of lines."""
    parts = [f"# {facts['title']}", facts["machine"], table(rows), facts["legend"], "## Settings",
             "\n".join(f"- {line}" for line in facts["settings"] + chosen_settings(rows)),
             "## The run", "\n".join(f"- {line}" for line in facts["run"])]
    if facts["failures"]:
        parts += ["## Failures", "\n".join("```\n" + text + "\n```" for text in facts["failures"])]
    return "\n\n".join(parts) + "\n"


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
