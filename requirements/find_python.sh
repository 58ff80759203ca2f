#!/bin/sh
# Prints the path of the first Python that fits; when none does, says why each one does not.
#
# Usage: find_python.sh [PYTHON]     PYTHON: the only one to look at, a name or a path
#
# Candidates are run, not just looked up: a pyenv shim is on the PATH and fails when run.
# Shell built-ins alone do the work, so that the answer depends on nothing else on the PATH.
set -u

newline='
'
here=$(CDPATH='' cd -- "${0%/*}" && pwd)
oldest='' beyond=''
while IFS= read -r line; do
  case $line in
    'requires-python = ">='*',<'*'"')
      range=${line#*'>='}
      oldest=${range%%,*}
      beyond=${range#*'<'}
      beyond=${beyond%'"'}
      ;;
  esac
done <"$here/../pyproject.toml"
if [ -z "$oldest" ]; then
  echo "find_python.sh: pyproject.toml has no line requires-python = \">=X,<Y\"" >&2
  exit 1
fi

# For any Python, 2.7 included: prints "fits PATH", or what is wrong with it.
probe='
import sys
def release(text):
    return tuple(int(part) for part in text.split("."))
name = "Python %d.%d.%d" % sys.version_info[:3]
if not release(sys.argv[1]) <= sys.version_info[:2] < release(sys.argv[2]):
    print("is " + name)
else:
    try:
        import ensurepip, venv
        print("fits " + sys.executable)
    except ImportError:
        print("is " + name + " without the modules venv and ensurepip"
              " (on Debian and Ubuntu: package python%d.%d-venv)" % sys.version_info[:2])
'

if [ $# -gt 0 ]; then
  set -- "$1"
else
  minor=${beyond#3.}
  while [ "$minor" -gt "${oldest#3.}" ]; do
    minor=$((minor - 1))
    set -- "$@" "python3.$minor"
  done
  set -- "$@" python3
fi

tried=''
for candidate in "$@"; do
  if ! command -v "$candidate" >/dev/null; then
    reason='not found'
  else
    answer=$("$candidate" -c "$probe" "$oldest" "$beyond" 2>&1 </dev/null)
    status=$?
    case $answer in
      'fits '*)
        printf '%s\n' "${answer#fits }"
        exit 0
        ;;
      'is '*) reason=$answer ;;
      *) reason="does not run: ${answer%%"$newline"*} (exit status $status)" ;;
    esac
  fi
  tried="$tried  $candidate: $reason$newline"
done

printf '%s\n' "gradparity needs CPython $oldest or later, below $beyond, and found none that fits:

${tried}
Install one, or name one that is already there, for example
  make conformance PYTHON=/path/to/python3.12" >&2
exit 1
