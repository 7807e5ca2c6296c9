"""Reads the output of a *_perf program as scripts for nccl-tests do: lines that do not start with #
are rows of 13 fields, and the footer is found by regular expressions."""

import re
from dataclasses import dataclass, field

@dataclass
class Row:
    size: int
    count: int
    type: str
    op: str
    root: int
    fields: list

    @property
    def busbw(self):
        return float(self.fields[7])  # awk's $8

    @property
    def in_place_busbw(self):
        return float(self.fields[11])  # awk's $12

    @property
    def wrong(self):
        """Elements, None where they were not checked; in either placement."""
        return [None if text == "N/A" else int(text)
                for text in (self.fields[8], self.fields[12])]


@dataclass
class Output:
    rows: list = field(default_factory=list)
    out_of_bounds: int = None
    verdict: str = None
    average: float = None
    average_verdict: str = None
    last_line: str = None


def parse(text, fields=13):
    output = Output()
    lines = text.split("\n")
    output.last_line = lines[-2] if len(lines) > 1 else ""
    for line in lines:
        if not line or line.startswith("#"):
            continue
        words = line.split()
        if len(words) != fields:
            raise ValueError(f"{len(words)} fields, not {fields}: {line!r}")
        output.rows.append(Row(int(words[0]), int(words[1]), words[2], words[3], int(words[4]),
                               words))
    bounds = re.search(r"# Out of bounds values\s*:\s*(\d+)\s+(OK|FAILED)", text)
    if bounds:
        output.out_of_bounds, output.verdict = int(bounds.group(1)), bounds.group(2)
    average = re.search(r"Avg bus bandwidth\s*:\s*([\d.e+-]+) ?(OK|FAILED)?", text)
    if average:
        output.average, output.average_verdict = float(average.group(1)), average.group(2)
    return output
