"""The jobs of a comparison: one library's ranks as processes, asleep until told to measure."""

import dataclasses
import os
import selectors
import signal
import socket
import struct
import subprocess
import tempfile
import time

from cases import Case
from launches import Start

_OPEN_SECONDS = 90
_ANSWER_SECONDS = 30
_END_SECONDS = 10
_PAGE_BYTES = 4096
# For programs that are started by a launcher with PMI, and take the arguments of those that are not.
_TELL_RANK = 'exec "$@" "$PMI_RANK" "$PMI_SIZE" "$0"'


class JobFailed(Exception):
    """A job that died, hung or summed wrongly: what happened, and the last that it printed."""


@dataclasses.dataclass(frozen=True)
class Request:
    """See request.h."""

    case: Case
    size: int
    pairs: int
    warm_ups: int
    iterations: int
    seed: int
    algorithm: str

    def line(self):
        case = self.case
        return (f"measure {case.operation} {self.size} {case.pages} {case.place} {case.mode} "
                f"{self.pairs} {self.warm_ups} {self.iterations} {self.seed} {self.algorithm}")


@dataclasses.dataclass(frozen=True)
class Measured:
    """Of one request."""

    calls_by_rank: list  # of each rank (start, time) of each timed call, in nanoseconds
    switches: int  # involuntary ones of all ranks
    processor_ns: int  # of all ranks; 0 where it was not read


class Job:
    """All ranks of one launch. Use as a context: its processes end with it."""

    def __init__(self, launch, rank_count, folder):
        self.launch = launch
        self.rank_count = rank_count
        self.description = ""
        self.algorithms = []
        self._ranks = {}  # rank -> file of its connection
        self._processes = []
        self._pids = []  # of the ranks, which a launcher that is killed may leave behind
        self._place = tempfile.TemporaryDirectory(prefix="xccl-compare-")
        self._output = open(os.path.join(self._place.name, "output"), "w+", encoding="utf-8",
                            errors="replace")
        try:
            self._open(os.path.join(folder, launch.program))
        except BaseException:
            self.end(at_once=True)
            raise

    def _open(self, program):
        path = os.path.join(self._place.name, "socket")
        page = os.path.join(self._place.name, "page")
        with open(page, "wb") as file:
            file.write(bytes(_PAGE_BYTES))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(self.rank_count)
            listener.settimeout(1)
            self._start([os.path.abspath(program), path, page])
            deadline = time.monotonic() + _OPEN_SECONDS
            while len(self._ranks) < self.rank_count:
                try:
                    self._welcome(listener.accept()[0])
                except TimeoutError:
                    self._check_alive()
                    if time.monotonic() > deadline:
                        raise self._failure(f"only {len(self._ranks)} ranks came within "
                                            f"{_OPEN_SECONDS} s") from None

    def _start(self, command):
        if self.launch.tells_rank:
            command = ["sh", "-c", _TELL_RANK, self._place.name, *command]
        if self.launch.launcher is not None:
            starts = [Start(before=self.launch.launcher(self.rank_count))]
        else:
            starts = [self.launch.starts(rank, self.rank_count, self._place.name)
                      for rank in range(self.rank_count)]
        for start in starts:
            self._processes.append(subprocess.Popen(
                start.before + command + start.arguments, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.launch.environment, **start.environment},
                stdout=self._output, stderr=subprocess.STDOUT))

    def _welcome(self, connection):
        connection.settimeout(_ANSWER_SECONDS)
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self._pids.append(struct.unpack("3i", told)[0])
        file = connection.makefile("rw", encoding="ascii")
        connection.close()  # the file holds it open
        line = file.readline().strip()
        if line.count("|") != 2:
            raise self._failure(f"a rank says '{line}' in place of who it is")
        hello, self.description, algorithms = line.split("|")
        self.algorithms = algorithms.split()
        self._ranks[int(hello.split()[1])] = file

    def measure(self, request):
        """What the ranks answer, or None where the library, or the algorithm, is not for this."""
        for file in self._ranks.values():
            self._tell(file, request.line())
        answers = [self._answer(rank) for rank in range(self.rank_count)]
        if all(answer == ["unfit"] for answer in answers):
            return None
        for rank, answer in enumerate(answers):
            if answer[0] != "times":
                raise self._failure(f"rank {rank} answers: {' '.join(answer)}")
        numbers = [[int(word) for word in answer[1:]] for answer in answers]
        return Measured([list(zip(of[2::2], of[3::2], strict=True)) for of in numbers],
                        sum(of[0] for of in numbers), sum(of[1] for of in numbers))

    def _tell(self, file, text):
        try:
            file.write(text + "\n")
            file.flush()
        except OSError as error:
            raise self._failure(f"a rank is gone ({error.strerror})") from None

    def _answer(self, rank):
        try:
            line = self._ranks[rank].readline()
        except TimeoutError:
            raise self._failure(f"rank {rank} does not answer within {_ANSWER_SECONDS} s") from None
        except OSError as error:
            raise self._failure(f"rank {rank} is gone ({error.strerror})") from None
        if not line:
            raise self._failure(f"rank {rank} is gone")
        return line.split()

    def _check_alive(self):
        for process in self._processes:
            if process.poll() not in (None, 0):
                raise self._failure(f"ended with status {process.returncode}")

    def _failure(self, text):
        self._output.flush()
        with open(self._output.name, encoding="utf-8", errors="replace") as file:
            printed = file.read().strip().split("\n")[-5:]
        return JobFailed(f"{self.launch.name()}, {self.rank_count} ranks: {text}\n"
                         + "\n".join("    " + line for line in printed if line))

    def end(self, at_once=False):
        """at_once: where nothing can be expected of the ranks any more, they are killed."""
        for file in self._ranks.values():
            try:
                file.write("end\n")
                file.close()
            except OSError:
                pass  # a rank that is gone has ended
        if at_once:
            self._kill_ranks()
        for stop in (lambda process: None, subprocess.Popen.terminate, subprocess.Popen.kill):
            deadline = time.monotonic() + (1 if at_once else _END_SECONDS)
            for process in self._processes:
                stop(process)
            for process in self._processes:
                try:
                    process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        self._kill_ranks()
        self._output.close()
        self._place.cleanup()

    def _kill_ranks(self):
        """Those that still are what they were: their command names this job's folder."""
        for pid in self._pids:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    is_ours = self._place.name.encode() in file.read()
                if is_ours:
                    os.kill(pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass


class Control:
    """The control rows: a copy and the round trip of a flag, in nanoseconds."""

    def __init__(self, folder):
        self._process = subprocess.Popen(
            [os.path.join(folder, "compare_control")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def measure(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        if not self._selector.select(_ANSWER_SECONDS):
            raise JobFailed(f"compare_control does not answer within {_ANSWER_SECONDS} s")
        return tuple(float(word) for word in self._process.stdout.readline().split())

    def end(self):
        self._selector.close()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(_END_SECONDS)
