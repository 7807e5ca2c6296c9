"""How the programs are started: as threads of one process, or by a launcher that is found."""

import os
import shutil
import subprocess
from dataclasses import dataclass

TIMEOUT_S = 60


@dataclass
class Run:
    code: int
    out: str
    err: str


def clean_environment():
    """Without what a launcher around the tests may have left, and without our settings."""
    return {name: value for name, value in os.environ.items() if name == "SLURM_CONF"
            or not name.startswith(("XCCL_", "NCCL_", "OMPI_", "PMI", "SLURM_", "MPI_"))}


class Launcher:
    """command(n) goes before the program; options(n) after it."""

    def __init__(self, name, program, arguments):
        self.name = name
        self.program = program
        self.arguments = arguments

    def missing(self):
        if self.name.startswith("srun"):
            mode = self.name.split("-")[1]
            known = subprocess.run(["srun", "--mpi=list"], capture_output=True, text=True,
                                   check=False)
            if mode not in known.stdout + known.stderr:
                return f"this Slurm has no {mode}"
        found = self.program is None or os.path.exists(self.program) or shutil.which(self.program)
        return None if found else f"{self.program} is not installed"

    def command(self, program, ranks, options):
        if self.program is None:
            return [program, "-t", str(ranks)] + options
        words = [word.format(n=ranks) for word in self.arguments]
        return [self.program] + words + [program] + options

    def run(self, program, ranks, options, environment=None):
        # Open MPI refuses root unless it is told twice. Its PMIx, which programs under it and under
        # Slurm's pmix open, keeps memory to its end.
        env = clean_environment() | {"OMPI_ALLOW_RUN_AS_ROOT": "1",
                                     "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} | (environment or {})
        if self.name in ("openmpi", "srun-pmix"):
            env["ASAN_OPTIONS"] = "detect_leaks=0"
        done = subprocess.run(self.command(program, ranks, options), env=env, text=True,
                              capture_output=True, timeout=TIMEOUT_S, check=False)
        return Run(done.returncode, done.stdout, done.stderr)


def launchers(bin_folder):
    return {
        "threads": Launcher("threads", None, []),
        "xccl-run": Launcher("xccl-run", os.path.join(bin_folder, "xccl-run"), ["-n", "{n}"]),
        "openmpi": Launcher("openmpi", "mpirun.openmpi",
                            ["--oversubscribe", "--bind-to", "none", "-np", "{n}"]),
        **{f"srun-{mode}": Launcher(f"srun-{mode}", "srun",
                                    ["-n", "{n}", "--overcommit", "--mpi=" + mode])
           for mode in ("none", "pmi2", "pmix")},
        "mpich": Launcher("mpich", "mpirun.mpich", ["-np", "{n}"]),
    }
