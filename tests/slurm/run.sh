#!/bin/sh
# Start a Slurm on this machine, run the tests that need one, end it. Usage: run.sh PYTEST [ARGUMENT …]
set -eu
cd "$(dirname "$0")/../.."
export RADCURATE_SLURM="${RADCURATE_SLURM:-/tmp/radcurate-slurm}"
status=0
sh tests/slurm/install.sh || status=$?
if [ "$status" = 77 ]; then
    echo "the tests on a cluster are skipped: see above" >&2
    exit 0
fi
[ "$status" = 0 ] || exit "$status"
trap 'sh tests/slurm/down.sh' EXIT
sh tests/slurm/up.sh
"$@" tests/slurm
