#!/usr/bin/env bash
# A real Slurm on one machine, for `make test-slurm`: virtual nodes, loopback only, no accounting.
#   scripts/slurm.sh start [NODES]   install Slurm if it is missing (Debian or Ubuntu, as root), start it, print what to export
#   scripts/slurm.sh stop            cancel all jobs, end every daemon
#   scripts/slurm.sh kill-node NODE  the node's daemon and everything that runs on it, as if its power had failed
#   scripts/slurm.sh kill-daemon NODE | kill-controller
#   scripts/slurm.sh start-daemon NODE | start-controller
# NAS_TUI_SLURM is its folder. Daemons run at lowest priority; each node has one CPU and no GPU.
set -euo pipefail
ROOT=${NAS_TUI_SLURM:-${TMPDIR:-/tmp}/nas-tui-slurm}
export SLURM_CONF=$ROOT/slurm.conf PATH=$PATH:/usr/sbin

fail() { echo "slurm.sh: $*" >&2; exit 1; }

# The process of a daemon, by its file: only if it still is what the file says.
process() {
  local pid
  pid=$(cat "$ROOT/run/$1.pid" 2>/dev/null) || return 1
  [ "$(ps -o comm= -p "$pid" 2>/dev/null)" = "${1%%.*}" ] && echo "$pid"
}

end() {
  local pid
  pid=$(process "$1") || return 0
  kill -"$2" "$pid" 2>/dev/null || true
  for _ in $(seq 100); do process "$1" >/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}

# Processes of our jobs; on one node if it is given. Fast: what is to be killed must not end by itself meanwhile.
on_node() {
  { grep -lszx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ || true; } |
    { xargs -r grep -lszx "SLURMD_NODENAME=${1:-n[0-9]*}" || true; } | cut -d/ -f3
}

configure() {
  local host nodes=$1
  host=$(hostname -s)
  getent hosts "$host" | grep -qE '^(127\.|::1)' || fail "$host must be a name of this machine: add '127.0.0.1 $host' to /etc/hosts"
  rm -rf "$ROOT"; mkdir -p "$ROOT"/{run,state,spool,log}; chmod 755 "$ROOT" "$ROOT/run"
  (umask 077; head -c 1024 /dev/urandom >"$ROOT/munge.key")
  {
    cat <<CONF
ClusterName=nas-tui
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${NAS_TUI_SLURM_PORT:-26817}
AuthType=auth/munge
AuthInfo=socket=$ROOT/run/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$ROOT/state
SlurmdSpoolDir=$ROOT/spool/%n
SlurmctldPidFile=$ROOT/run/slurmctld.pid
SlurmdPidFile=$ROOT/run/slurmd.%n.pid
SlurmctldLogFile=$ROOT/log/slurmctld.log
SlurmdLogFile=$ROOT/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=5
MinJobAge=300
MessageTimeout=10
ReturnToService=2
RebootProgram=/bin/false
SlurmdParameters=config_overrides
CONF
    for i in $(seq "$nodes"); do
      echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((${NAS_TUI_SLURM_PORT:-26817} + i)) CPUs=1 RealMemory=2000 State=UNKNOWN"
    done
    echo "PartitionName=all Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE DefaultTime=01:00:00 State=UP"
  } >"$SLURM_CONF"
  echo "CgroupAutomount=no" >"$ROOT/cgroup.conf"
}

start() {
  [ "$(id -u)" = 0 ] || fail "must run as root"
  process slurmctld >/dev/null && fail "is running already: scripts/slurm.sh stop"
  if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    command -v apt-get >/dev/null || fail "needs Slurm and munge: install them with this system's packages"
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends slurm-wlm munge >&2
  fi
  configure "$1"
  nice -n 19 munged --force --key-file="$ROOT/munge.key" --socket="$ROOT/run/munge.socket" --pid-file="$ROOT/run/munged.pid" \
    --log-file="$ROOT/log/munged.log" --seed-file="$ROOT/munge.seed" --num-threads=2
  for _ in $(seq 50); do munge -s x -S "$ROOT/run/munge.socket" >/dev/null 2>&1 && break; sleep 0.1; done
  nice -n 19 slurmctld -c
  for i in $(seq "$1"); do mkdir -p "$ROOT/spool/n$i"; nice -n 19 slurmd -N "n$i"; done
  for _ in $(seq 60); do
    if [ "$(timeout 5 sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = "$1" ]; then
      echo "export SLURM_CONF=$SLURM_CONF NAS_TUI_SLURM=$ROOT"; return
    fi
    sleep 0.5
  done
  fail "did not come up: see $ROOT/log"
}

stop() {
  [ -e "$SLURM_CONF" ] || return 0
  if process slurmctld >/dev/null; then
    timeout 20 scancel -u root || true
    for _ in $(seq 30); do [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break; sleep 0.3; done
  fi
  local file pid
  for file in "$ROOT"/run/slurmd.*.pid; do [ -e "$file" ] && end "$(basename "$file" .pid)" TERM; done
  end slurmctld TERM
  end munged TERM
  for pid in $(on_node); do kill -9 "$pid" 2>/dev/null || true; done
}

case ${1:-} in
  start) start "${2:-4}" ;;
  stop) stop ;;
  kill-node)
    end "slurmd.$2" KILL
    for pid in $(on_node "$2"); do kill -9 "$pid" 2>/dev/null || true; done ;;
  kill-daemon) end "slurmd.$2" KILL ;;
  start-daemon)
    # The port of one that was just killed may still be taken.
    for _ in $(seq 10); do nice -n 19 slurmd -N "$2" && exit; sleep 1; done
    fail "the daemon of $2 does not start: see $ROOT/log/$2.log" ;;
  kill-controller) end slurmctld KILL ;;
  start-controller) nice -n 19 slurmctld ;;
  *) sed -n '2,9p' "$0"; exit 2 ;;
esac
