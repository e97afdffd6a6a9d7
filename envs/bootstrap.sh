#!/bin/sh
# Make .venv from uv.lock. Usage: bootstrap.sh PYTHON [EXTRA …]
set -eu
python=$1
shift

fail() {
    echo "radcurate: $1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "no $python: install Python 3.11 or newer (Debian: apt install python3 python3-venv)."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than 3.11: name a newer one, make PYTHON=python3.12 …"
command -v gcc >/dev/null || command -v cc >/dev/null || fail "no C compiler, and pyradiomics needs one to install (Debian: apt install gcc)."
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    fail "no Python.h: the headers of $python are missing (Debian: apt install python3-dev)."

if command -v uv >/dev/null; then
    uv=uv
else
    # uv in an environment of its own, so that nothing is installed beside the system's packages
    [ -x .venv-uv/bin/uv ] || {
        "$python" -m venv .venv-uv 2>/dev/null || fail "can't make a virtual environment (Debian: apt install python3-venv)."
        .venv-uv/bin/python -m pip install --quiet "uv>=0.8"
    }
    uv=.venv-uv/bin/uv
fi

extras=""
for extra in "$@"; do
    extras="$extras --extra $extra"
done
# compiled here, since whatever starts a stage may forbid Python to write: uncompiled, each start costs two seconds more
# shellcheck disable=SC2086  # one word per option is meant
"$uv" sync --frozen --inexact --compile-bytecode --quiet --python "$(command -v "$python")" $extras
exec .venv/bin/python -m compileall -q src
