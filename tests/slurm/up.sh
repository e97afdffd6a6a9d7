#!/bin/sh
# A real Slurm on loopback, two nodes on one machine, with accounting: for a test machine only. Usage: up.sh
# Everything of it lies in $RADCURATE_SLURM, but for a link at /etc/slurm/slurm.conf: the executor plugin keeps
# SLURM_CONF from its job steps. Cores and memory are what the profile may ask for, not what there is.
set -eu
lab=${RADCURATE_SLURM:-/tmp/radcurate-slurm}
cpus=${RADCURATE_SLURM_CPUS:-8}
user=radcurate-ci
conf=/etc/slurm/slurm.conf

[ "$(id -u)" = 0 ] || { echo "up.sh: needs root" >&2; exit 1; }
if [ -e "$conf" ] && [ "$(readlink "$conf")" != "$lab/slurm.conf" ]; then
    echo "up.sh: this machine belongs to a cluster ($conf is not ours): left alone" >&2
    exit 1
fi

until_true() { # until_true SECONDS COMMAND …
    tries=$(($1 * 5))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "up.sh: gave up waiting for: $*" >&2; exit 1; }
        sleep 0.2
    done
}

install -d -m 755 "$lab" "$lab/run" "$lab/log" "$lab/spool"
install -d -m 700 "$lab/state"
install -d -m 755 -o munge -g munge "$lab/munge"
install -d -m 700 -o mysql -g mysql "$lab/mysql"

# munge: who a request comes from
if [ ! -s "$lab/munge/key" ]; then
    head -c 1024 /dev/urandom >"$lab/munge/key"
    chown munge: "$lab/munge/key"
    chmod 400 "$lab/munge/key"
fi
socket=$lab/munge/socket
munge -S "$socket" -n >/dev/null 2>&1 || setpriv --reuid=munge --regid=munge --clear-groups munged --socket="$socket" \
    --key-file="$lab/munge/key" --pid-file="$lab/munge/pid" --log-file="$lab/munge/log" --seed-file="$lab/munge/seed"
until_true 10 munge -S "$socket" -n

# mariadb: where accounting is kept
port=13306
sql() { mariadb --no-defaults --socket="$lab/mysql/socket" "$@"; }
if [ ! -d "$lab/mysql/mysql" ]; then
    mariadb-install-db --no-defaults --user=mysql --datadir="$lab/mysql" --skip-test-db >"$lab/log/mariadb-install.log" 2>&1
fi
if ! sql -e "" 2>/dev/null; then
    setsid mariadbd --no-defaults --user=mysql --datadir="$lab/mysql" --socket="$lab/mysql/socket" --port=$port \
        --bind-address=127.0.0.1 --pid-file="$lab/mysql/pid" --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 \
        >"$lab/log/mariadb.log" 2>&1 </dev/null &
fi
until_true 30 sql -e ""
if [ ! -s "$lab/mysql-password" ]; then
    (umask 077 && head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$lab/mysql-password")
fi
password=$(cat "$lab/mysql-password")
sql -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db; CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1'; CREATE USER IF NOT EXISTS 'slurm'@'localhost';
    ALTER USER 'slurm'@'127.0.0.1' IDENTIFIED BY '$password'; ALTER USER 'slurm'@'localhost' IDENTIFIED BY '$password';
    GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1'; GRANT ALL ON slurm_acct_db.* TO 'slurm'@'localhost'"

host=$(hostname -s)
cat >"$lab/slurm.conf" <<C
ClusterName=ci
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$socket
CryptoType=crypto/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool/%n
SlurmctldPidFile=$lab/run/slurmctld.pid
SlurmdPidFile=$lab/run/slurmd.%n.pid
SlurmctldLogFile=$lab/log/slurmctld.log
SlurmdLogFile=$lab/log/slurmd.%n.log
SlurmctldDebug=verbose
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
MinJobAge=300
KillWait=2
SlurmctldTimeout=30
SlurmdTimeout=10
MaxArraySize=1001
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819
AccountingStoragePass=$socket
AccountingStorageEnforce=associations
AccountingStoreFlags=job_comment,job_env,job_script
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=16821 CPUs=$cpus RealMemory=64000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=16822 CPUs=$cpus RealMemory=64000 State=UNKNOWN
PartitionName=short Nodes=n[1-2] Default=YES MaxTime=1440 DefMemPerCPU=256 State=UP
C
echo "CgroupMountpoint=/sys/fs/cgroup" >"$lab/cgroup.conf"
(umask 077 && cat >"$lab/slurmdbd.conf" <<C
AuthType=auth/munge
AuthInfo=socket=$socket
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=root
LogFile=$lab/log/slurmdbd.log
PidFile=$lab/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$port
StorageUser=slurm
StoragePass=$password
StorageLoc=slurm_acct_db
CommunicationParameters=NoInAddrAny
C
)
install -d /etc/slurm
ln -sfn "$lab/slurm.conf" "$conf"
export SLURM_CONF="$lab/slurm.conf"

runs() { [ -s "$lab/run/$1.pid" ] && kill -0 "$(cat "$lab/run/$1.pid")" 2>/dev/null; }
runs slurmdbd || slurmdbd
until_true 30 timeout 5 sacctmgr -n list cluster
sacctmgr -i -Q add cluster ci >/dev/null 2>&1 || true
sacctmgr -i -Q add account lab >/dev/null 2>&1 || true
for name in root "$user"; do
    sacctmgr -i -Q add user "$name" account=lab >/dev/null 2>&1 || true
done
runs slurmctld || slurmctld
until_true 20 sh -c "scontrol ping | grep -q 'is UP'"
for node in n1 n2; do
    runs "slurmd.$node" || slurmd -N $node
done
all_idle() { [ "$(sinfo -h -p short -t idle -o %D)" = 2 ]; }
until_true 30 all_idle
sinfo
