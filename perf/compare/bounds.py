"""What xccl promises of its speed, and what the rows of a comparison say of each promise."""

import dataclasses
from collections.abc import Callable

from rows import FLOOR, LONGEST_TAIL, NOT_SLOWER, OURS, tail_verdict

# Beside the floor, all-reduce of 2 ranks in shared memory: one flag and one call take 0.2 us where
# the flag alone takes 0.09, and larger calls at most a quarter more than the machine.
_MOST_OF_FLOOR_SMALL = 0.20 / 0.09
_MOST_OF_FLOOR = 1.25
_SMALL_BYTES = 2 << 10
_LEAST_OF_RIVALS_BYTES_PER_TIME = 1.5
_BYTES_OF_CORE_SECONDS = 64 << 20


@dataclasses.dataclass(frozen=True)
class Bound:
    """A promise: which rows it is of, and whether a row keeps it; `figure` is what a reader compares,
    at most or at least something."""

    title: str
    concerns: Callable
    holds: Callable
    figure: Callable
    is_at_least: bool = False

    def worst_first(self, row):
        """By that rows are sorted."""
        return self.figure(row) if self.is_at_least else -self.figure(row)


def _is_all_reduce_of_two(row):
    return (row["operation"], row["transport"], row["ranks"]) == ("all_reduce", "shm", 2)


def _not_slower(title, concerns):
    return Bound(f"{title}: at most {NOT_SLOWER} of the best rival",
                 lambda row: "ratio" in row and concerns(row),
                 lambda row: row["ratio_high"] <= NOT_SLOWER, lambda row: row["ratio"])


def _of_floor(title, most, concerns):
    return Bound(f"all-reduce, 2 ranks, shared memory, {title}: at most {most:.2f} of the floor",
                 lambda row: "of_limit" in row and _is_all_reduce_of_two(row) and concerns(row),
                 lambda row: row["of_limit"] <= most, lambda row: row["of_limit"])


def bytes_for_time(row):
    """GB per core-second of ours over the best rival's; None where either was not measured."""
    ours = row["gb_per_core_second"].get(OURS)
    rivals = [of for library, of in row["gb_per_core_second"].items()
              if of and library not in (OURS, FLOOR)]
    return ours / max(rivals) if ours and rivals else None


BOUNDS = (
    _not_slower("all-reduce, 2 ranks, shared memory", _is_all_reduce_of_two),
    _of_floor("below 2 KiB", _MOST_OF_FLOOR_SMALL, lambda row: row["bytes"] < _SMALL_BYTES),
    _of_floor("ordinary memory, from 2 KiB", _MOST_OF_FLOOR,
              lambda row: row["bytes"] >= _SMALL_BYTES and row["pages"] == "ordinary"),
    _of_floor("registered memory, from 2 KiB", _MOST_OF_FLOOR,
              lambda row: row["bytes"] >= _SMALL_BYTES and row["pages"] == "registered"),
    _not_slower("all-reduce, more than 2 ranks, shared memory",
                lambda row: (row["operation"], row["transport"]) == ("all_reduce", "shm")
                and row["ranks"] > 2),
    Bound(f"more than 2 ranks: p99 within {LONGEST_TAIL} medians",
          lambda row: tail_verdict(row) != "", lambda row: tail_verdict(row) == "holds",
          lambda row: row["p99_us"][OURS] / row["medians_us"][OURS]),
    _not_slower("other operations, 2 ranks", lambda row: row["operation"] != "all_reduce"
                and row["ranks"] == 2),
    _not_slower("other operations, more than 2 ranks",
                lambda row: row["operation"] != "all_reduce" and row["ranks"] > 2),
    _not_slower("all-reduce, TCP on loopback",
                lambda row: (row["operation"], row["transport"]) == ("all_reduce", "tcp")),
    Bound("TCP between two hosts: faster than every rival",
          lambda row: row["transport"] == "hosts" and "ratio" in row,
          lambda row: row["ratio_high"] < 1, lambda row: row["ratio"]),
    Bound("TCP between two hosts, 64 MiB: bytes for the processors' time at least "
          f"{_LEAST_OF_RIVALS_BYTES_PER_TIME} of the best rival's",
          lambda row: row["transport"] == "hosts" and row["bytes"] == _BYTES_OF_CORE_SECONDS
          and bytes_for_time(row) is not None,
          lambda row: bytes_for_time(row) >= _LEAST_OF_RIVALS_BYTES_PER_TIME, bytes_for_time,
          is_at_least=True),
)


@dataclasses.dataclass(frozen=True)
class Kept:
    """Rows of a bound: those that keep it, those that break it, and those that prove nothing."""

    bound: Bound
    holding: list
    broken: list
    unproved: list


def kept(rows):
    """What the rows say of each bound that concerns any of them."""
    found = []
    for bound in BOUNDS:
        asked = [row for row in rows if bound.concerns(row)]
        if not asked:
            continue
        unproved = [row for row in asked if row["disturbed"] or row["void"]]
        proved = [row for row in asked if row not in unproved]
        found.append(Kept(bound, [row for row in proved if bound.holds(row)],
                          [row for row in proved if not bound.holds(row)], unproved))
    return found
