#!/usr/bin/env bash
# Starts Slurm on this machine alone, runs a command that may use srun and sbatch, and stops it.
#
#   one_machine_slurm.sh COMMAND [ARGUMENTS...]
#   one_machine_slurm.sh srun -n 4 --overcommit --mpi=pmix build/release/bin/all_reduce_perf
#
# Needs root and the packages slurmctld, slurmd, slurm-client and munge, but no set-up of them.
# Everything lives in a folder that is removed at the end; ports are free ones of loopback. Exits
# with the command's status, or with 77 where Slurm cannot be started at all.
set -euo pipefail
(($#)) || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }

skip() { echo "one_machine_slurm: $*" >&2; exit 77; }
((EUID == 0)) || skip "needs root"
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd srun sinfo munged; do
  command -v "$program" >/dev/null || skip "needs $program (packages slurmctld slurmd slurm-client munge)"
done

folder=$(mktemp -d)
daemons=()  # files that hold their process numbers, the first to stop first
lives() { [[ $(ps -o state= -p "$1") == [!Z]* ]]; }
stop() {
  local file process
  for file in "${daemons[@]}"; do
    process=$(cat "$file" 2>/dev/null) || continue
    kill "$process" 2>/dev/null || continue
    for _ in {1..100}; do
      lives "$process" || break
      sleep 0.02
    done
    kill -9 "$process" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_ports() {  # two of them, chosen by the system
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in sockets])'
}
read -r controller_port node_port < <(free_ports) || skip "needs python3"
host=$(hostname -s)

# Slurm's daemons prove their identity to each other by munge.
chmod 711 "$folder"
mkdir -m 755 "$folder/munge"
mkdir -m 700 "$folder/state" "$folder/spool"
(umask 077; head -c 1024 /dev/urandom >"$folder/munge/key")
daemons=("$folder/munge/pid")
munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
  --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" \
  >"$folder/munge/output" 2>&1 || { cat "$folder/munge/output" >&2; skip "munged does not start"; }

export SLURM_CONF=$folder/slurm.conf
cat >"$SLURM_CONF" <<END
ClusterName=one_machine
SlurmUser=root
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller_port
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdPort=$node_port
SlurmdPidFile=$folder/slurmd.pid
SlurmdLogFile=$folder/slurmd.log
SlurmdSpoolDir=$folder/spool
StateSaveLocation=$folder/state
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP MaxTime=INFINITE OverSubscribe=FORCE:64
END

daemons=("$folder/slurmd.pid" "$folder/slurmctld.pid" "$folder/munge/pid")
slurmctld -c && slurmd -c || { tail -n 5 "$folder"/*.log >&2; skip "Slurm does not start"; }
ready() { [[ $(sinfo --noheader --format=%T 2>/dev/null) == idle ]]; }
for _ in {1..200}; do
  ready && break
  sleep 0.05
done
ready || { tail -n 5 "$folder"/*.log >&2; skip "the node does not become ready"; }

"$@"
