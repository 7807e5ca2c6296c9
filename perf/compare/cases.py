"""What is measured: operations, modes, pages and placement, and how cold calls go through memory."""

import dataclasses

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "alltoall")
MODES = ("hot", "cold")
PAGES = ("ordinary", "registered")
PLACES = ("apart", "in_place")
_PAGE_BYTES = 4096
_BLOCK_UNIT = 16  # bytes, that one rank's part is rounded down to
_MOST_HOT = 1000
_MOST_COLD = 300
_HOT_WARM_UPS = 20


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of call. Its sizes and numbers of ranks are swept."""

    operation: str
    mode: str
    pages: str
    place: str

    def title(self):
        place = {"apart": "out of place", "in_place": "in place"}[self.place]
        if self.operation == "broadcast":
            place = "in place"  # there is no other form that all have
        return f"{self.operation}, {self.mode}, {place}, {self.pages} pages"

    def suits(self, size, rank_count):
        """False where a rank's part would be empty."""
        if self.operation in ("all_reduce", "broadcast"):
            return True
        return size >= rank_count * _BLOCK_UNIT


def cases_of(operations, modes, pages, in_place):
    """Every combination; in place only where the harness has it."""
    return [Case(operation, mode, page, place) for operation in operations for page in pages
            for mode in modes for place in PLACES
            if place == "apart" or (in_place and operation == "all_reduce")]


def _bytes_of_pair(case, size):
    buffers = 1 if case.place == "in_place" or case.operation == "broadcast" else 2
    return buffers * -(-size // _PAGE_BYTES) * _PAGE_BYTES


def pairs(case, size, rank_count, iterations, machine):
    """How many buffers cold calls go round through: four times the last-level cache for each rank,
    but no more than cold_bytes for all ranks together, nor than calls that would use them. Fewer
    are as cold: they are flushed from the caches after they were written (buffers.cc)."""
    if case.mode == "hot":
        return 1
    wanted = min(4 * machine.cache_bytes, machine.cold_bytes // rank_count)
    return max(1, min(iterations, -(-wanted // _bytes_of_pair(case, size))))


def memory(case, size, rank_count, cold_bytes):
    """Bytes of all ranks' buffers at most, with one copy of a call's within the library. Only one
    contestant has buffers at a time."""
    one = _bytes_of_pair(case, size) * rank_count
    return one + max(one, cold_bytes if case.mode == "cold" else 0)


def iterations_for(case, nanoseconds, wall_seconds, seconds):
    """As many as fill so much time, with the untimed ones before them. wall_seconds: what one takes
    with all that is done to its buffers, which may be most of it, and gets as much again."""
    most, share = (_MOST_HOT, 1) if case.mode == "hot" else (_MOST_COLD, 0.5)
    return max(1, min(most, int(share * seconds * 1e9 / nanoseconds),
                      int(2 * share * seconds / wall_seconds)))


def warm_ups(case, pair_count, iterations):
    """Untimed calls before a block. Cold ones use each buffer once, since a first use is another
    matter: pages are met by peers for the first time."""
    if case.mode == "cold":
        return pair_count
    return max(1, min(_HOT_WARM_UPS, iterations // 5))
