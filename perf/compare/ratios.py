"""What blocks of a comparison say together: kept rounds, medians, ratios and how sure they are."""

import random
import statistics

CONTROL_TOLERANCE = 0.15  # of the run's median; a round beside a control further off is discarded
_RESAMPLES = 2000


def typical_controls(controls):
    """The median of each control row over the run."""
    return tuple(statistics.median(row) for row in zip(*controls))


def is_calm(control, typical):
    return all(abs(value - usual) <= CONTROL_TOLERANCE * usual
               for value, usual in zip(control, typical))


def best(times_by_library):
    """The library with the lowest median; times_by_library: name -> its time in each round."""
    return min(times_by_library, key=lambda name: statistics.median(times_by_library[name]))


def split_rounds(times, rounds):
    """The rounds in which settings are chosen, and those that are compared: odd and even ones, and
    where nobody has a choice all of them. times: library -> setting -> round -> time."""
    if all(len(settings) == 1 for settings in times.values()):
        return rounds, rounds
    return ([number for number in rounds if number % 2 == 1],
            [number for number in rounds if number % 2 == 0])


def best_in_rounds(times_by_setting, rounds):
    """The setting with the lowest median in these rounds; without rounds, the first."""
    if not rounds:
        return min(times_by_setting)
    return best({setting: [of[number] for number in rounds]
                 for setting, of in times_by_setting.items()})


def best_of_all_rounds(times_by_setting):
    """The setting with the lowest median, each over its own rounds."""
    return best({setting: list(of.values()) for setting, of in times_by_setting.items()})


def ratio_of_rounds(ours, theirs):
    """Median of the ratios of each round, and its 95 % bootstrap interval."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    draw = random.Random(1)  # the same data give the same interval
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios)))
                     for _ in range(_RESAMPLES))
    return (statistics.median(ratios), medians[round(0.025 * (_RESAMPLES - 1))],
            medians[round(0.975 * (_RESAMPLES - 1))])


def slowest_ranks(calls_by_rank):
    """The time of each iteration whose ranks start together: that of the rank that took longest.
    calls_by_rank: rank -> (start, time) of each iteration, on one clock."""
    return [max(passed for _, passed in iteration)
            for iteration in zip(*calls_by_rank, strict=True)]


def after_last_arrival(calls_by_rank):
    """The time of each iteration whose ranks come when they come: from the last arrival to the last
    completion."""
    return [max(start + passed for start, passed in iteration) - max(start for start, _ in iteration)
            for iteration in zip(*calls_by_rank, strict=True)]


def quartiles(values):
    """The lower and the upper one; of a single value, itself; of none, none."""
    if len(values) < 2:
        return (values[0], values[0]) if values else None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def relative_spread(values):
    """The distance of the quartiles over the median."""
    low, high = quartiles(values)
    return (high - low) / statistics.median(values)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
