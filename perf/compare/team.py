"""The jobs of all contestants for one number of ranks: who is there, who was lost, who comes back."""

import sys

from jobs import JobFailed

_MOST_LOSSES = 3  # of one contestant: then it is left out until the number of ranks changes


class Team:
    """Starts every launch that suits this many ranks. A job that fails is ended at once, and started
    anew before the next cell. Use end() when all is done."""

    def __init__(self, launches, rank_count, folder, note_failure, start):
        self.rank_count = rank_count
        self.left_out = [launch for launch in launches if not launch.suits(rank_count)]
        self.jobs = []
        self._order = [launch for launch in launches if launch.suits(rank_count)]
        self._folder = folder
        self._note_failure = note_failure
        self._start = start
        self._losses = dict.fromkeys(self._order, 0)
        self.refill()

    def refill(self):
        """Starts what is not there, unless it was lost too often."""
        there = {job.launch for job in self.jobs}
        for launch in self._order:
            if launch in there or self._losses[launch] >= _MOST_LOSSES:
                continue
            try:
                self.jobs.append(self._start(launch, self.rank_count, self._folder))
            except JobFailed as failure:
                self._losses[launch] = _MOST_LOSSES  # what cannot start now, will not later
                self._tell(failure)
        self.jobs.sort(key=lambda job: self._order.index(job.launch))

    def lose(self, job, failure):
        self.jobs.remove(job)
        self._losses[job.launch] += 1
        self._tell(failure)
        job.end(at_once=True)

    def _tell(self, failure):
        print(failure, file=sys.stderr, flush=True)
        self._note_failure(str(failure))

    def end(self):
        for job in self.jobs:
            job.end()
        self.jobs = []
