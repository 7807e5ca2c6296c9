"""The results of a comparison as JSON lines, for programs: what a reader needs, and no block.

    {"kind": "run", ...}     title, machine, settings, what happened
    {"kind": "row", ...}     of each case, transport, number of ranks and size: who was best, the ratio
                             and its interval, the verdicts, the machine's own limit, and of each
                             library what LIBRARY_WORDS names, in that order
"""

import json

from rows import tail_verdict, verdict

LIBRARY_WORDS = ("median_us", "quartiles_us", "p99_us", "iterations", "switches",
                 "gb_per_core_second", "choice")
_ROW_WORDS = ("operation", "mode", "pages", "place", "transport", "ranks", "bytes", "rounds", "kept",
              "compared", "lost", "best_rival", "ratio", "ratio_low", "ratio_high", "of_limit",
              "floor_spread")
_DIGITS = 4


def write(path, facts, rows):
    with open(path, "w", encoding="utf-8") as file:
        print(_line({"kind": "run", **facts, "library_words": LIBRARY_WORDS}), file=file)
        for row in rows:
            print(_line(_row(row)), file=file)


def _row(row):
    return {"kind": "row", **{word: row[word] for word in _ROW_WORDS if row.get(word) not in (None, [])},
            "verdict": verdict(row), **({"tail": tail_verdict(row)} if tail_verdict(row) else {}),
            "libraries": {library: _library(row, library) for library in row["medians_us"]}}


def _library(row, library):
    choice = row["settings"][library] or row["algorithms"].get(library)
    return [row["medians_us"][library], row["quartiles_us"][library], row["p99_us"][library],
            row["iterations"][library], row["switches"][library],
            row["gb_per_core_second"][library], choice]


def _rounded(value):
    """Numbers with as many digits as they mean something with."""
    if isinstance(value, float):
        short = float(f"{value:.{_DIGITS}g}")
        return int(short) if short.is_integer() else short
    if isinstance(value, dict):
        return {key: _rounded(of) for key, of in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(of) for of in value]
    return value


def _line(value):
    return json.dumps(_rounded(value), ensure_ascii=False, separators=(",", ":"))
