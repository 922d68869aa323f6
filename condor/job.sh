#!/bin/sh
# One job: selects the events of the work units in ITEM.json. It works in the folder that it is started in, with
# nothing but what was transferred there, and leaves ITEM.zip.
#
#   job.sh ITEM WHEEL PYTHON
#
# PYTHON is a Python with the locked libraries, or 'lock': make an environment from requirements.lock (needs network).
# Exit status (as in sysexits.h): 0 done, 65 bad input, 70 the selection failed, 75 try again, 78 no use on this worker.
set -u
item=$1 wheel=$2 python=$3
scratch=$PWD
: >"$item.zip" # HTCondor holds a job that does not leave what it is to bring back
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}
HOME=$scratch
MPLCONFIGDIR=$scratch/.matplotlib
NUMBA_CACHE_DIR=$scratch/.numba
export PATH HOME MPLCONFIGDIR NUMBA_CACHE_DIR
if [ -z "${BEARER_TOKEN_FILE:-}" ] && [ -n "${_CONDOR_CREDS:-}" ]; then
    for token in "$_CONDOR_CREDS"/*.use; do
        [ -f "$token" ] && BEARER_TOKEN_FILE=$token && export BEARER_TOKEN_FILE && break
    done
fi

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if [ "$python" = lock ]; then
    for base in python3.13 python3.12 python3.11 python3; do
        usable "$base" && break
    done
    usable "$base" || { echo "no Python 3.11 or newer on $(uname -n)" >&2; exit 78; }
    { "$base" -m venv env && env/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --require-hashes --no-deps --only-binary :all: -r requirements.lock; } || { echo "no environment" >&2; exit 75; }
    python=$scratch/env/bin/python
fi
usable "$python" || { echo "$python is not Python 3.11 or newer on $(uname -n)" >&2; exit 78; }
"$python" -m zipfile -e "$wheel" package || { echo "$wheel is damaged" >&2; exit 75; }
PYTHONPATH=$scratch/package PYTHONNOUSERSITE=1
export PYTHONPATH PYTHONNOUSERSITE
exec "$python" -m hnl.cli condor job "$item.json"
