"""How the ranks of each library are started: the contestants of a comparison."""

import dataclasses
import os

from namespaces import ADDRESSES, INTERFACE, xccl_environment


@dataclasses.dataclass(frozen=True)
class Start:
    """How one process is started that no launcher starts."""

    before: list = dataclasses.field(default_factory=list)  # the program
    environment: dict = dataclasses.field(default_factory=dict)
    arguments: list = dataclasses.field(default_factory=list)


class Launch:
    """How one library's ranks are started over one transport, with one of its settings."""

    def __init__(self, contestant, transport, program, launcher, environment=None, setting="",
                 yields=True, tells_rank=False, starts=None, told=""):
        self.contestant = contestant  # the library, as people call it
        self.transport = transport  # "shm" or "tcp"; "any": the library has only one
        self.program = program
        self.launcher = launcher  # rank count -> command before the program; None: started here,
        # one by one: (rank, rank count, folder) -> its place and what it needs to know there
        self.starts = starts or (lambda rank, rank_count, folder:
                                 Start(arguments=[str(rank), str(rank_count), folder]))
        self.environment = environment or {}
        self.setting = setting  # "": the library has only one
        self.yields = yields  # its waiting ranks let others run
        self.tells_rank = tells_rank  # the launcher's rank and number, and a folder to meet in
        self.told = told  # how it is started, where the command says less to a reader

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
        if self.told:
            return " ".join([*words, self.told])
        if self.launcher is None:
            return " ".join([*words, "its processes started one by one"])
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


def _pytorch(rivals):
    """The Python that has it, where rivals.sh put it."""
    return os.path.join(os.path.abspath(rivals), "pytorch", "bin", "python3")


def launches_between_hosts(folder, rivals, hosts):
    """As launches(), half of the ranks on each of the two hosts (namespaces.py), without the newer
    rivals that have no TCP of their own."""
    tcp = ["--mca", "pml", "ob1", "--mca", "btl", "tcp,vader,self", "--mca", "btl_tcp_if_include",
           INTERFACE, "--mca", "oob_tcp_if_include", INTERFACE, "--mca", "plm_rsh_agent",
           hosts.agent]

    def mpirun(rank_count):
        slots = ",".join(f"{name}:{rank_count // 2}" for name in hosts.names)
        return [hosts.agent, hosts.names[0],
                *_open_mpi("mpirun.openmpi", *tcp, "--host", slots)(rank_count)]

    def xccl(rank, rank_count, _):
        return Start(hosts.enter(2 * rank // rank_count),
                     xccl_environment(rank, rank_count, rank_count // 2))

    def gloo(rank, rank_count, place):
        host = 2 * rank // rank_count
        return Start(hosts.enter(host), {}, [str(rank), str(rank_count), place, ADDRESSES[host]])

    def pytorch(rank, rank_count, place):
        return Start([*hosts.enter(2 * rank // rank_count), _pytorch(rivals)], {},
                     [str(rank), str(rank_count), place])
    all_launches = [Launch("xccl", "hosts", "compare_xccl", None, starts=xccl),
                    Launch("Open MPI", "hosts", "compare_openmpi", mpirun,
                           told="mpirun, half of the slots on each host, btl tcp,vader,self"),
                    Launch("Gloo", "hosts", "compare_gloo", None, starts=gloo)]
    if os.path.exists(_pytorch(rivals)):
        all_launches.append(Launch(
            "PyTorch", "hosts", "compare_pytorch", None,
            {"GLOO_SOCKET_IFNAME": INTERFACE, "OMP_NUM_THREADS": "1"}, starts=pytorch))
    return [one for one in all_launches if os.path.exists(os.path.join(folder, one.program))]


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
        *(Launch("Open MPI", "shm", "compare_openmpi",
                 _open_mpi("mpirun.openmpi", *shm, "--mca", "btl_vader_single_copy_mechanism", way),
                 setting=way) for way in ("cma", "none")),
        Launch("MPICH", "shm", "compare_mpich", _hydra("mpiexec.hydra"), yields=False),
        Launch("xccl", "tcp", "compare_xccl", xccl_run, {"XCCL_TRANSPORT": "tcp"}),
        Launch("Open MPI", "tcp", "compare_openmpi", _open_mpi("mpirun.openmpi", *tcp)),
        Launch("Gloo", "any", "compare_gloo", None),
        Launch("floor", "shm", "compare_floor", None),  # no rival: the least that a call can take
    ]
    if os.path.exists(_pytorch(rivals)):
        all_launches.append(Launch(
            "PyTorch", "any", "compare_pytorch", None,
            {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
            starts=lambda rank, rank_count, place: Start(
                [_pytorch(rivals)], {}, [str(rank), str(rank_count), place])))
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
    if os.path.exists(of_rival("oneccl", "installed")):
        # Its calling threads do the work: a worker thread of each rank's would need cores of its own.
        all_launches += [Launch(
            "oneCCL", "shm", "compare_oneccl", _hydra(of_rival("oneccl", "bin/mpiexec.hydra")),
            {**library_of("oneccl"), "CCL_ATL_TRANSPORT": way, "CCL_WORKER_OFFLOAD": "0",
             "I_MPI_FABRICS": "shm", "I_MPI_PIN": "0", "I_MPI_ROOT": of_rival("oneccl", "")},
            setting=way, yields=False, tells_rank=True) for way in ("mpi", "ofi")]
    return [one for one in all_launches if os.path.exists(os.path.join(folder, one.program))]
