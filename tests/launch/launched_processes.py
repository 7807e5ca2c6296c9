"""Starts launched_process under a real launcher, and compares what its processes say.

    launched_processes.py openmpi|mpich|slurm|xccl-run PROGRAM [XCCL_RUN]

Exit status 77: the launcher is not installed, or may not be used here.
"""

import os
import re
import shutil
import subprocess
import sys

RANKS = 4
PATIENCE_S = 60
_LINE = re.compile(r"^launched (\S+) (\d+)/(\d+) (\d+)/(\d+) ([0-9a-f,]+)$", re.MULTILINE)
_HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def first_program(*names):
    for name in names:
        if shutil.which(name):
            return name
    skip(f"needs {names[0]}")


def run(command, patience_s=PATIENCE_S):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("XCCL_", "OMPI_", "PMI", "SLURM_"))}
    environment["XCCL_DEBUG"] = "debug"
    # In sanitizer builds: what the launchers' own libraries do is not for us to find.
    environment["ASAN_OPTIONS"] = "detect_leaks=0"
    environment["TSAN_OPTIONS"] = "ignore_noninstrumented_modules=1"
    return subprocess.run(command, capture_output=True, text=True, timeout=patience_s,
                          check=False, env=environment, stdin=subprocess.DEVNULL)


def check(what, output, status, launcher, way, ids):
    """All ranks once, the same `ids` different ids everywhere, and each by the expected way."""
    said = _LINE.findall(output)
    problems = []
    if status != 0:
        problems.append(f"exit status {status}")
    if sorted(int(rank) for _, rank, _, _, _, _ in said) != list(range(RANKS)):
        problems.append("not every rank once")
    for name, rank, size, local_rank, local_size, _ in said:
        if (name, int(size), int(local_size)) != (launcher, RANKS, RANKS) or rank != local_rank:
            problems.append(f"rank {rank} says {name} {rank}/{size} {local_rank}/{local_size}")
    if len({texts for *_, texts in said}) != 1:
        problems.append("the ids differ between processes")
    elif len(set(said[0][5].split(","))) != ids:
        problems.append(f"not {ids} different ids")
    if output.count(f"of the job comes by {way}") != RANKS * ids:
        problems.append(f"ids did not come by {way}")
    print(f"{what}: {'; '.join(problems) or 'ok'}")
    if problems:
        print(output)
    return not problems


def check_run(what, command, launcher, way, ids=2):
    done = run(command)
    return check(what, done.stdout + done.stderr, done.returncode, launcher, way, ids)


def with_mpi(start, program, library, launcher, way, stages):
    """The same beside an MPI library: ids asked for before MPI_Init(), during, and after."""
    return [check_run(f"beside MPI, {stages}", start + [program, stages, library], launcher, way,
                      len(stages)) for stages in stages]


def under_thread_sanitizer(program):
    return "libtsan" in subprocess.run(["ldd", program], capture_output=True, text=True,
                                       check=True).stdout


def openmpi(program):
    start = [first_program("mpirun.openmpi"), "--oversubscribe", "-n", str(RANKS)]
    if os.geteuid() == 0:
        start.insert(1, "--allow-run-as-root")
    return [check_run("mpirun of Open MPI", start + [program], "openmpi", "PMIx"),
            *with_mpi(start, program, "libmpi.so.40", "openmpi", "PMIx", ["bdda", "a"])]


def mpich(program):
    start = [first_program("mpirun.mpich", "mpiexec.hydra"), "-n", str(RANKS)]
    # MPICH's MPI_Init() ends with a segmentation fault under the thread sanitizer, without us too.
    stages = [] if under_thread_sanitizer(program) else ["bdd", "d"]
    return [check_run("mpirun of MPICH", start + [program], "pmi", "PMI"),
            *with_mpi(start, program, "libmpich.so.12", "pmi", "PMI", stages)]


def slurm(program):
    modes = {"none": "the socket of job slurm", "pmi2": "PMI", "pmix": "PMIx"}
    script = "srun --mpi=list 2>&1; " + "; ".join(
        f"echo == {mode}; srun --mpi={mode} -n {RANKS} --overcommit {program} bbb 2>&1; "
        f"echo status $?" for mode in modes)
    done = run([os.path.join(_HERE, "one_machine_slurm.sh"), "sh", "-c", script])
    if done.returncode == 77:
        skip(done.stderr.strip())
    listing, *parts = done.stdout.split("== ")
    if len(parts) != len(modes):
        print(done.stdout, done.stderr)
        return [False]
    results = []
    for part in parts:
        mode = part.split()[0]
        if mode != "none" and mode not in listing:
            print(f"srun --mpi={mode}: this Slurm has no such plug-in")
            continue
        status = int(part.rsplit("status ", 1)[1])
        results.append(check(f"srun --mpi={mode}", part, status, "slurm", modes[mode], 3))
    return results


def xccl_run(program, launcher):
    return [check_run("xccl-run", [launcher, "-n", str(RANKS), program], "xccl-run",
                      "the socket of job xccl-run")]


def main():
    launcher, program, *rest = sys.argv[1:]
    launchers = {"openmpi": openmpi, "mpich": mpich, "slurm": slurm, "xccl-run": xccl_run}
    sys.exit(0 if all(launchers[launcher](program, *rest)) else 1)


if __name__ == "__main__":
    main()
