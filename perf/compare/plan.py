"""What a run measures, part by part, and how its time is shared out."""

import dataclasses

from cases import MODES, PAGES, PLACES, Case

KIBI, MEBI = 1 << 10, 1 << 20
SHORT_SIZES = (8, 4 * KIBI, 64 * KIBI, MEBI, 64 * MEBI)
LARGE_BYTES = 16 * MEBI  # from here on a call takes so long that blocks have but a few of them
_HUGE_BYTES = 64 * MEBI
_EVERY_SIZE = (8, *(4**power for power in range(2, 15)))  # 8 B, and powers of four to 256 MiB
_FEW_SIZES = (8, 4 * KIBI, 64 * KIBI, MEBI, 16 * MEBI)
_OTHERS = ("all_gather", "reduce_scatter", "broadcast", "alltoall")


@dataclasses.dataclass(frozen=True)
class Part:
    """Cases and sizes for one number of ranks; `share` of the run's time, in relation to others."""

    title: str
    share: float
    ranks: int
    cases: tuple
    sizes: tuple
    two_hosts: bool = False

    def cells(self):
        """(case, size), small sizes first: what they show of algorithms spares the large ones."""
        return [(case, size) for size in self.sizes for case in self.cases
                if case.suits(size, self.ranks)]

    def weights(self):
        """The share of each cell in the whole run."""
        own = [_weight(size) for _, size in self.cells()]
        return [self.share * weight / sum(own) for weight in own]


def _weight(size):
    """Of a cell's time, where one of a small size has 1."""
    return 8 if size > _HUGE_BYTES else 4 if size >= _HUGE_BYTES else 2 if size >= MEBI else 1


def _all_reduces(modes, pages=PAGES[:1], places=PLACES[:1]):
    return tuple(Case("all_reduce", mode, page, place) for mode in modes for page in pages
                 for place in places)


_OTHER_CASES = tuple(Case(operation, "hot", "ordinary", "apart") for operation in _OTHERS)
# 64 B, since one of 8 would be no whole block for each rank but of a broadcast.
_OTHER_SIZES = (8, 64, 4 * KIBI, 256 * KIBI, 16 * MEBI)
# Parts with the same ranks follow each other, since their jobs are started once for all.
LONG = (
    Part("all-reduce, hot", 24, 2, _all_reduces(MODES[:1], PAGES, PLACES), _EVERY_SIZE),
    Part("all-reduce, cold", 33, 2, _all_reduces(MODES[1:], PAGES, PLACES), _EVERY_SIZE),
    Part("the other operations", 6, 2, _OTHER_CASES, _OTHER_SIZES),
    Part("all-reduce, hot, all kinds of buffers", 9, 4, _all_reduces(MODES[:1], PAGES, PLACES),
         (*_FEW_SIZES, 64 * MEBI)),
    Part("all-reduce, cold", 4, 4, _all_reduces(MODES[1:]), _FEW_SIZES),
    Part("the other operations", 7, 4, _OTHER_CASES, _OTHER_SIZES),
    Part("all-reduce, hot", 6, 8, _all_reduces(MODES[:1]), _FEW_SIZES),
    Part("all-reduce, hot", 6, 16, _all_reduces(MODES[:1]), _FEW_SIZES[:-1]),
    Part("all-reduce, hot", 5, 4, _all_reduces(MODES[:1]), (*_FEW_SIZES, 64 * MEBI), True),
)


def narrowed(parts, ranks, sizes, operations, modes, pages):
    """What is left of the parts where only these are wanted; None wants all."""
    def wanted(value, values):
        return values is None or value in values
    left = []
    for part in parts:
        if not wanted(part.ranks, ranks):
            continue
        part = dataclasses.replace(
            part, sizes=tuple(size for size in part.sizes if wanted(size, sizes)),
            cases=tuple(case for case in part.cases if wanted(case.operation, operations)
                        and wanted(case.mode, modes) and wanted(case.pages, pages)))
        if part.cells():
            left.append(part)
    return left


def _sizes_text(sizes):
    def name(size):
        return (f"{size // MEBI} MiB" if size >= MEBI else f"{size // KIBI} KiB" if size >= KIBI
                else f"{size} B")
    if len(sizes) > 8:
        return f"{len(sizes)} sizes, {name(sizes[0])} to {name(sizes[-1])}"
    return ", ".join(map(name, sizes))


def table(parts, seconds):
    """The plan as a Markdown table, with the time of each part."""
    whole = sum(part.share for part in parts)
    lines = ["| part | hosts | ranks | cases | sizes | cells | time, s |",
             "|---|--:|--:|--:|---|--:|--:|"]
    for part in parts:
        lines.append(f"| {part.title} | {2 if part.two_hosts else 1} | {part.ranks} "
                     f"| {len(part.cases)} | {_sizes_text(part.sizes)} | {len(part.cells())} "
                     f"| {seconds * part.share / whole:.0f} |")
    return "\n".join(lines)
