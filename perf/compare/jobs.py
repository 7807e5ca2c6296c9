"""The jobs of a comparison: one library's ranks as processes, asleep until told to measure."""

import os
import selectors
import socket
import subprocess
import tempfile
import time

_OPEN_SECONDS = 90
_ANSWER_SECONDS = 45
_END_SECONDS = 10
_PAGE_BYTES = 4096


class JobFailed(Exception):
    """A job that died, hung or summed wrongly: what happened, and the last that it printed."""


class Launch:
    """How one library's ranks are started over one transport, with one of its settings."""

    def __init__(self, contestant, transport, program, launcher, environment=None, setting="",
                 yields=True):
        self.contestant = contestant  # the library, as people call it
        self.transport = transport  # "shm" or "tcp"; "any": the library has only one
        self.program = program
        self.launcher = launcher  # rank count -> command before the program; None: started here
        self.environment = environment or {}
        self.setting = setting  # "": the library has only one
        self.yields = yields  # its waiting ranks let others run

    def suits(self, rank_count):
        """Where ranks outnumber cores, one that spins takes milliseconds for each message."""
        return self.yields or not _is_crowded(rank_count)

    def name(self):
        parts = [self.contestant, "" if self.transport == "any" else self.transport, self.setting]
        return " ".join(part for part in parts if part)

    def settings(self, rank_count):
        """Environment and launcher, with N for the number of ranks (the last word)."""
        words = [f"{key}={value}" for key, value in self.environment.items()
                 if not value.startswith("/")]  # where a library lies says nothing to a reader
        if self.launcher is None:
            return "its processes started one by one, TCP on 127.0.0.1"
        first, *options, _ = self.launcher(rank_count)
        return " ".join([*words, os.path.basename(first), *options, "N"])


def _is_crowded(rank_count):
    return rank_count > len(os.sched_getaffinity(0))


def _open_mpi(mpirun, *options):
    def command(rank_count):
        root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
        crowd = ["--mca", "mpi_yield_when_idle", "1"] if _is_crowded(rank_count) else []
        return [mpirun, *root, "--oversubscribe", "--bind-to", "none", *crowd, *options, "-np",
                str(rank_count)]
    return command


def _hydra(mpirun, *crowd):
    """MPICH's launcher; `crowd`: options where ranks outnumber cores."""
    def command(rank_count):
        return [mpirun, *(crowd if _is_crowded(rank_count) else []), "-np", str(rank_count)]
    return command


def launches(folder, rivals):
    """All that can be started with the programs in `folder` and what rivals.sh put into `rivals`."""
    def xccl_run(rank_count):
        return [os.path.join(folder, "xccl-run"), "-n", str(rank_count)]

    def of_rival(name, path):
        return os.path.join(os.path.abspath(rivals), name, path)

    def library_of(name):
        return {"LD_LIBRARY_PATH": of_rival(name, "lib")}

    tcp = ["--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo"]
    shm = ["--mca", "pml", "ob1", "--mca", "btl", "vader,self"]
    ucx = ["--mca", "pml", "ucx", "--mca", "pml_ucx_tls", "any", "--mca", "pml_ucx_devices", "any"]
    all_launches = [
        Launch("xccl", "shm", "compare_xccl", xccl_run, {"XCCL_TRANSPORT": "shm"}),
        Launch("Open MPI", "shm", "compare_openmpi", _open_mpi("mpirun.openmpi", *shm)),
        Launch("MPICH", "shm", "compare_mpich", _hydra("mpiexec.hydra"), yields=False),
        Launch("xccl", "tcp", "compare_xccl", xccl_run, {"XCCL_TRANSPORT": "tcp"}),
        Launch("Open MPI", "tcp", "compare_openmpi", _open_mpi("mpirun.openmpi", *tcp)),
        Launch("Gloo", "any", "compare_gloo", None),
    ]
    if os.path.exists(of_rival("openmpi5", "installed")):
        all_launches += [
            Launch("Open MPI 5", "shm", "compare_openmpi",
                   _open_mpi(of_rival("openmpi5", "bin/mpirun"), *ucx, "-x", f"UCX_TLS=self,{way}"),
                   library_of("openmpi5"), setting=way) for way in ("sysv", "posix")]
    if os.path.exists(of_rival("mpich5", "installed")):
        all_launches.append(Launch("MPICH 5", "shm", "compare_mpich",
                                   _hydra(of_rival("mpich5", "bin/mpiexec.hydra")),
                                   library_of("mpich5"), yields=False))
    if os.path.exists(of_rival("intelmpi", "installed")):
        all_launches.append(Launch(
            "Intel MPI", "shm", "compare_mpich",
            _hydra(of_rival("intelmpi", "bin/mpiexec.hydra"), "-genv", "I_MPI_THREAD_YIELD", "2"),
            {**library_of("intelmpi"), "I_MPI_FABRICS": "shm", "I_MPI_PIN": "0",
             "I_MPI_ROOT": of_rival("intelmpi", "")}))
    return [one for one in all_launches if os.path.exists(os.path.join(folder, one.program))]


class Job:
    """All ranks of one launch. Use as a context: its processes end with it."""

    def __init__(self, launch, rank_count, folder):
        self.launch = launch
        self.rank_count = rank_count
        self.description = ""
        self.algorithms = []
        self._ranks = {}  # rank -> file of its connection
        self._processes = []
        self._place = tempfile.TemporaryDirectory(prefix="xccl-compare-")
        self._output = open(os.path.join(self._place.name, "output"), "w+", encoding="utf-8",
                            errors="replace")
        try:
            self._open(os.path.join(folder, launch.program))
        except BaseException:
            self.end()
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
        environment = {**os.environ, **self.launch.environment}
        if self.launch.launcher is not None:
            commands = [self.launch.launcher(self.rank_count) + command]
        else:
            commands = [command + [str(rank), str(self.rank_count), self._place.name]
                        for rank in range(self.rank_count)]
        for one in commands:
            self._processes.append(subprocess.Popen(
                one, env=environment, stdin=subprocess.DEVNULL, stdout=self._output,
                stderr=subprocess.STDOUT))

    def _welcome(self, connection):
        connection.settimeout(_ANSWER_SECONDS)
        file = connection.makefile("rw", encoding="ascii")
        connection.close()  # the file holds it open
        hello, self.description, algorithms = file.readline().strip().split("|")
        self.algorithms = algorithms.split()
        self._ranks[int(hello.split()[1])] = file

    def measure(self, size, warm_ups, iterations, algorithm):
        """Nanoseconds of each iteration by rank, or None where the algorithm is not for this size."""
        for file in self._ranks.values():
            self._tell(file, f"measure {size} {warm_ups} {iterations} {algorithm}")
        answers = [self._answer(rank) for rank in range(self.rank_count)]
        if all(answer == ["unfit"] for answer in answers):
            return None
        for rank, answer in enumerate(answers):
            if answer[0] != "times":
                raise self._failure(f"rank {rank} answers: {' '.join(answer)}")
        return [[int(word) for word in answer[1:]] for answer in answers]

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

    def end(self):
        for file in self._ranks.values():
            try:
                file.write("end\n")
                file.close()
            except OSError:
                pass  # a rank that is gone has ended
        for stop in (lambda process: None, subprocess.Popen.terminate, subprocess.Popen.kill):
            deadline = time.monotonic() + _END_SECONDS
            for process in self._processes:
                stop(process)
            for process in self._processes:
                try:
                    process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        self._output.close()
        self._place.cleanup()


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
