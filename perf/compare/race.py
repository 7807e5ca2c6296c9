"""Who is measured how often within a cell: time goes to those who may be the best there."""

import statistics

from ratios import is_calm, typical_controls
from rows import FLOOR, LEAST_ROUNDS, ON_ONE_HOST, OURS

# A rival that has taken so many times as long as the best one in the least rounds is not measured on.
OUT_OF_REACH = 2
# So much of the whole time is kept for cells whose rounds were disturbed.
RESERVE = 0.25


def contestant_of(words):
    """What a job and its blocks have in common within a cell."""
    return words["library"], words["setting"], words["transport"]


def without(lost, blocks):
    """The blocks of those that were not lost."""
    gone = {contestant_of(one) for one in lost}
    return [block for block in blocks if contestant_of(block) not in gone]


def has_rival(blocks):
    return any(block["library"] not in (OURS, FLOOR) for block in blocks)


def out_of_reach(blocks):
    """Of the contestants those that cannot be the best rival of any transport that they count in."""
    times = {}
    for block in blocks:
        times.setdefault(contestant_of(block), []).append(block["median_us"])
    medians = {contestant: statistics.median(of) for contestant, of in times.items()
               if contestant[0] not in (OURS, FLOOR)}
    transports = {transport for *_, transport in times} - {"any"} or set(ON_ONE_HOST)

    def may_be_best(contestant):
        return any(medians[contestant] <= OUT_OF_REACH * min(
            time for (*_, other), time in medians.items() if other in (transport, "any"))
            for transport in transports if contestant[-1] in (transport, "any"))
    return {contestant for contestant in medians if not may_be_best(contestant)}


def calm_rounds(controls, controls_before, has_choice):
    """How many of the rounds between these controls will be compared, as far as can be told now."""
    typical = typical_controls([*controls_before, *controls])
    return sum(is_calm(before, typical) and is_calm(after, typical)
               for number, (before, after) in enumerate(zip(controls, controls[1:]))
               if number % 2 == 0 or not has_choice)


def needs_more(controls, controls_before, has_choice):
    return calm_rounds(controls, controls_before, has_choice) < LEAST_ROUNDS
