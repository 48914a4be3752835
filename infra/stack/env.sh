#!/bin/sh
# Makes the Python environment of requirements.txt, once per lock, in the cache folder.
#   env.sh          make it if it is missing, say what is being done
#   env.sh --path   only print the path of its interpreter
set -eu

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cache=${LAKEHOUSE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/marketing-lakehouse}
lock=$repository/requirements.txt
environment=$cache/env-$(sha256sum "$lock" | cut -c1-12)
needed_kb=4000000

[ "${1:-}" = "--path" ] && { echo "$environment/bin/python"; exit 0; }

say() { printf '%s\n' "$*" >&2; }

fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1
}

find_python() {
    for candidate in "${LAKEHOUSE_PYTHON:-}" python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python \
        /usr/local/bin/python3.12 /opt/python/3.12*/bin/python /opt/python3.12/bin/python python3 python; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && fits "$candidate" && {
            command -v "$candidate"; return 0
        }
    done
    return 1
}

complete() { [ -e "$environment/.complete" ] && "$environment/bin/python" -c '' 2>/dev/null; }

complete && exit 0
mkdir -p "$cache"
exec 9>"$cache/env.lock"
flock -n 9 || { say "environment   another process is making it, waiting for it"; flock 9; }
complete && exit 0

python=$(find_python) || {
    say "environment   no Python 3.12 with venv and ensurepip was found. Looked for: \$LAKEHOUSE_PYTHON, python3.12,"
    say "              ~/.pyenv/versions/3.12*, /usr/local/bin, /opt/python*, python3 (here: $(python3 -V 2>&1 || echo none))."
    say "              Install one, for example: pyenv install 3.12   (or, where Debian has it: apt-get install python3.12-venv)"
    say "              or name it: LAKEHOUSE_PYTHON=/path/to/python3.12 make env"
    exit 1
}
free_kb=$(df -Pk "$cache" | awk 'NR == 2 {print $4}')
[ "$free_kb" -ge "$needed_kb" ] || {
    say "environment   $cache has $((free_kb / 1000)) MB free, $((needed_kb / 1000)) MB are needed."
    say "              Make room there, or choose another folder: LAKEHOUSE_CACHE=/path make env"
    exit 1
}
[ -e "$environment" ] && say "environment   found half made, making it anew" && rm -rf "$environment"

uv=$(sed -n 's/^uv==/uv==/p' "$lock")
say "environment   1/3 $environment with $("$python" -V) ($python)"
"$python" -m venv "$environment"
say "environment   2/3 installer $uv"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$uv"
say "environment   3/3 $(grep -c '==' "$lock") locked packages (about 2 GB; half a minute to some minutes)"
# In a terminal its progress; in a log the list of 299 packages would bury everything else.
[ -t 2 ] && quiet='' || quiet=--quiet
"$environment/bin/uv" pip install $quiet --python "$environment/bin/python" --requirement "$lock"
touch "$environment/.complete"
say "environment   ready"
