"""What a run has measured so far, on disk: a run that is cut off loses the cell that it was at."""

import json
import os


class Journal:
    """A line for each cell, written as soon as it is measured. Read again, it is where a run goes
    on. `about` tells what was measured: a journal of something else is an error."""

    def __init__(self, path, about, resumes):
        self.cells = {}  # key -> what keep() was given
        self.path = path
        if resumes:
            self._read(about)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self._file = open(path, "a" if resumes else "w", encoding="utf-8")
        if self._file.tell() == 0:
            self._write({"about": about})

    @staticmethod
    def key(part, case, size):
        return f"{'two hosts, ' if part.two_hosts else ''}{part.ranks} ranks, {case.title()}, {size} B"

    def _read(self, about):
        if not os.path.exists(self.path):
            raise ValueError(f"{self.path} is not there: nothing to go on with; leave out --resume")
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        whole = "\n".join(lines[:-1])
        with open(self.path, "w", encoding="utf-8") as file:  # less a line that was cut off
            file.write(whole + "\n" if whole else "")
        lines = [json.loads(line) for line in lines[:-1]]
        if lines and lines[0]["about"] != about:
            raise ValueError(f"{self.path} is of {lines[0]['about']}, and this run of {about}: "
                             "leave out --resume")
        self.cells = {line["key"]: line for line in lines[1:]}

    def keep(self, key, blocks, controls, lost, settings):
        """Controls are this cell's alone, and blocks name them by place."""
        line = {"key": key, "blocks": blocks, "controls": controls, "lost": lost,
                "settings": settings}
        self.cells[key] = line
        self._write(line)

    def _write(self, line):
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def end(self, keeps):
        self._file.close()
        if not keeps:
            os.unlink(self.path)
