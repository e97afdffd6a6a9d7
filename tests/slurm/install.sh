#!/bin/sh
# Debian's packages of a small Slurm with accounting. Ends with 77 and a message where they can't be had.
set -eu

missing() {
    echo "no Slurm: $1" >&2
    exit 77
}

have() { command -v "$1" >/dev/null 2>&1; }

if ! { have slurmctld && have slurmd && have slurmdbd && have sacct && have munged && have mariadbd; }; then
    have apt-get || missing "this is no Debian or Ubuntu, install slurm-wlm, slurmdbd, munge and mariadb-server by hand"
    [ "$(id -u)" = 0 ] || missing "installing packages needs root"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || missing "the package lists can't be fetched"
    apt-get install -y -qq --no-install-recommends slurm-wlm slurmdbd slurm-client munge mariadb-server >/dev/null ||
        missing "the packages can't be fetched"
fi
[ "$(id -u)" = 0 ] || missing "its daemons start as root only (jobs run as an ordinary user)"

# whom the jobs run as
id radcurate-ci >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /nonexistent --shell /bin/sh radcurate-ci
