#!/bin/sh
# End what up.sh started, and remove all of it.
set -eu
lab=${RADCURATE_SLURM:-/tmp/radcurate-slurm}
[ -s "$lab/slurm.conf" ] || exit 0
export SLURM_CONF="$lab/slurm.conf"

end() { # end PIDFILE: ask, wait, insist
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

timeout 10 scancel --state=PENDING,RUNNING,SUSPENDED --partition=short,long 2>/dev/null || true
sleep 1
for daemon in slurmd.n1 slurmd.n2 slurmctld slurmdbd; do
    end "$lab/run/$daemon.pid"
done
end "$lab/mysql/pid"
end "$lab/munge/pid"
[ "$(readlink /etc/slurm/slurm.conf || true)" != "$lab/slurm.conf" ] || rm /etc/slurm/slurm.conf
rm -rf "$lab"
