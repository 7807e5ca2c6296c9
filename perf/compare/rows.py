"""The rows of a comparison: which rounds count, who is compared with whom, and what that shows."""

import statistics

from ratios import (best, best_in_rounds, best_of_all_rounds, is_calm, quartiles, ratio_of_rounds,
                    relative_spread, split_rounds, typical_controls)

OURS = "xccl"
# What the machine can do, as a contestant: a limit, and never a rival.
FLOOR = "floor"
# With fewer calm rounds a row is of all its rounds, and marked: it shows what ran, and proves nothing.
LEAST_ROUNDS = 3
# A row whose floor itself is less steady than that says more of the machine than of a library.
MOST_SPREAD = 0.10
# Not slower: the interval of the ratio ends here at most.
NOT_SLOWER = 1.03
# Where ranks outnumber cores, a tail is who had to wait for a core: it should end here, in medians.
LONGEST_TAIL = 10
LEAST_RANKS_OF_TAIL = 4
ON_ONE_HOST = ("shm", "tcp")
_CASE = ("operation", "mode", "pages", "place")


def rows_of(blocks, controls, lost=()):
    """One row for each case, transport, rank count and size. `blocks` are dictionaries with
    operation, mode, pages, place, library, setting, transport ("any": counts for all), ranks,
    bytes, round, before and after (places in `controls`), median_us, p99_us, iterations,
    processor_ns and switches; marks each as calm or not. `lost`: of those that died or hung, with
    the words of the case, transport, ranks, bytes and library."""
    typical = typical_controls(controls)
    groups = {}
    for block in blocks:
        block["calm"] = all(is_calm(controls[block[side]], typical) for side in ("before", "after"))
        case = tuple(block[word] for word in _CASE)
        for transport in ON_ONE_HOST if block["transport"] == "any" else [block["transport"]]:
            key = (case, transport, block["ranks"], block["bytes"])
            groups.setdefault(key, []).append(block)
    order = {}
    for case, *_ in groups:
        order.setdefault(case, len(order))
    rows = []
    for key in sorted(groups, key=lambda key: (order[key[0]], *key[1:])):
        case, transport, ranks, size = key
        row = {**dict(zip(_CASE, case)), "transport": transport, "ranks": ranks, "bytes": size}
        row["lost"] = sorted({one["library"] for one in lost if _concerns(one, row)}
                             - {block["library"] for block in groups[key]})
        rows.append(row | _row(groups[key]))
    return rows


def _concerns(lost, row):
    return (lost["transport"] in (row["transport"], "any")
            and all(lost[word] == row[word] for word in (*_CASE, "ranks", "bytes")))


def tail(row, library):
    """The p99 of a library in medians; None where it was not measured."""
    median, p99 = row["medians_us"].get(library), row["p99_us"].get(library)
    return p99 / median if median and p99 else None


def tail_verdict(row):
    """Whether our p99 is within LONGEST_TAIL medians; empty where that is not asked."""
    ours = tail(row, OURS)
    if row["ranks"] < LEAST_RANKS_OF_TAIL or ours is None:
        return ""
    return "holds" if ours <= LONGEST_TAIL else "does not hold"


def longest_tail_of_rivals(row):
    """None without a rival."""
    return max((tail(row, library) for library in row["medians_us"]
                if library not in (OURS, FLOOR) and tail(row, library) is not None), default=None)


def verdict(row):
    """What a row says of "not slower than the best rival"."""
    if "ratio" not in row:
        return "no rival"
    if row["disturbed"]:
        return "disturbed"
    if row["void"]:
        return "void"
    return "holds" if row["ratio_high"] <= NOT_SLOWER else "does not hold"


def _by_setting(blocks):
    """library -> setting -> round -> block."""
    times = {}
    for block in blocks:
        of_library = times.setdefault(block["library"], {})
        of_library.setdefault(block["setting"], {})[block["round"]] = block
    return times


def _times_of(settings):
    return {setting: {number: block["median_us"] for number, block in of.items()}
            for setting, of in settings.items()}


def _row(blocks):
    times = _by_setting(block for block in blocks if not block.get("retired"))
    # Who was soon out of reach has a time, and is compared with nobody.
    retired = {library: settings for library, settings in _by_setting(blocks).items()
               if library not in times}
    # A library that failed half-way has no time in the later rounds: only full rounds are compared.
    runs = [set(of) for settings in times.values() for of in settings.values()]
    full = sorted(set.intersection(*runs)) if runs else []
    calm = {block["round"] for block in blocks if block["calm"]}
    kept = [number for number in full if number in calm]
    medians = {library: _times_of(settings) for library, settings in times.items()}
    trials, compared = split_rounds(medians, kept)
    disturbed = len(compared) < LEAST_ROUNDS
    if disturbed:
        trials, compared = split_rounds(medians, full)
    chosen = {library: best_in_rounds(of, trials) for library, of in medians.items()}
    of_libraries = {library: [times[library][setting][number] for number in compared]
                    for library, setting in chosen.items()}
    for library, settings in retired.items():
        chosen[library] = best_of_all_rounds(_times_of(settings))
        of_libraries[library] = list(settings[chosen[library]].values())
    row = {"rounds": len(full), "kept": len(kept), "compared": len(compared),
           "disturbed": disturbed, "settings": chosen}
    return row | _of_libraries(of_libraries, retired)


def _of_libraries(blocks, retired):
    """blocks: library -> its block of each compared round; of the retired ones, of their rounds."""
    def medians(word):
        return {library: statistics.median(block[word] for block in of) if of else None
                for library, of in blocks.items()}
    row = {"medians_us": medians("median_us"), "p99_us": medians("p99_us"),
           "quartiles_us": {library: quartiles([block["median_us"] for block in of])
                            for library, of in blocks.items()},
           "iterations": {library: sum(block["iterations"] for block in of)
                          for library, of in blocks.items()},
           "switches": medians("switches"),
           "algorithms": {library: of[-1]["algorithm"] for library, of in blocks.items() if of},
           "gb_per_core_second": {library: _gigabytes_per_core_second(of)
                                  for library, of in blocks.items()},
           "void": False}
    lists = {library: [block["median_us"] for block in of] for library, of in blocks.items()}
    floor = lists.pop(FLOOR, [])
    rivals = {library: of for library, of in lists.items()
              if library != OURS and library not in retired}
    if floor:
        row["floor_spread"] = relative_spread(floor)
        row["void"] = row["floor_spread"] > MOST_SPREAD
    ours = lists.get(OURS)
    if ours and floor:
        row["of_limit"], *_ = ratio_of_rounds(ours, floor)
    if ours and rivals:
        row["best_rival"] = best(rivals)
        row["ratio"], row["ratio_low"], row["ratio_high"] = ratio_of_rounds(
            ours, rivals[row["best_rival"]])
    return row


def _gigabytes_per_core_second(blocks):
    """None where the processors' time was not read."""
    spent = sum(block["processor_ns"] for block in blocks)
    if not spent:
        return None
    return sum(block["bytes"] * block["iterations"] for block in blocks) / spent
