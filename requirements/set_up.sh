#!/bin/sh
# Makes a virtual environment, or renews it: the pinned packages, and this checkout, editable.
#
# Usage: set_up.sh VENV [PYTHON]     from the checkout's root; PYTHON: see find_python.sh
set -eu

venv=$1
shift
here=$(pwd -P)
stamp=$venv/.set-up        # a set-up ended well: says for which checkout, and by its age, when
under_way=$venv/.under-way # a set-up began; left behind by one that was interrupted

# Two makes at once (in two terminals) take turns, where the system has flock.
exec 9>"$venv.lock"
if command -v flock >/dev/null; then
  flock 9
  if [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt requirements/constraints.txt ] &&
    [ "$(cat "$stamp")" = "$here" ]; then
    exit 0
  fi
fi

if [ -e "$under_way" ]; then
  echo "Set-up of $venv was interrupted before its end: making it anew."
  rm -rf "$venv"
elif [ -e "$venv" ] && ! sh requirements/find_python.sh "$venv/bin/python" >/dev/null 2>&1; then
  if [ ! -e "$stamp" ]; then
    echo "$venv was not made by this Makefile, and has no Python that fits:" >&2
    echo "remove it, or name another place, for example: make conformance VENV=.venv-gradparity" >&2
    exit 1
  fi
  echo "The Python of $venv no longer fits: making it anew."
  rm -rf "$venv"
fi

unset PYTHONPATH PYTHONHOME
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
quiet=--quiet
if [ -t 1 ]; then quiet=''; fi

if [ ! -e "$venv" ]; then
  python=$(sh requirements/find_python.sh "$@")
  echo "Making $venv with $python"
  mkdir -p "$venv"
  : >"$under_way"
  "$python" -m venv "$venv"
fi
: >"$under_way"
echo "Installing the pinned packages into $venv (TensorFlow among them: minutes, the first time)"
pip() { "$venv/bin/python" -m pip "$@"; }
# The build backend first, so that it, too, is the pinned one.
pip install $quiet --constraint requirements/constraints.txt hatchling
pip install $quiet --constraint requirements/constraints.txt --no-build-isolation \
  --editable '.[tensorflow,test,lint,docs]'
rm "$under_way"
printf '%s\n' "$here" >"$stamp"
