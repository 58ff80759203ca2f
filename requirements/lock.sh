#!/bin/sh
# Remakes constraints.txt from pyproject.toml, for every Python that it names at once.
#
# Usage: lock.sh UV [--upgrade]     from the checkout's root; UV: the uv command
#
# Names and versions only: a pin must hold for every index and mirror that has the package.
set -eu

uv=$1
shift
if ! command -v "$uv" >/dev/null; then
  echo "The pins are made by uv, and $uv is not found: pip install uv, or make lock UV=/path/to/uv" >&2
  exit 1
fi
pins=requirements/constraints.txt
draft=$pins.draft
trap 'rm -f "$draft" "$draft.new"' EXIT
cp "$pins" "$draft"
"$uv" pip compile pyproject.toml --all-extras --universal --python-version 3.10 --quiet \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
  --output-file "$draft" "$@"
{
  echo '# The versions that everything here was tested with, for Python 3.10 to 3.13.'
  echo '# Made from pyproject.toml by `make lock` and `make upgrade`; use: pip install -c THIS ...'
  cat "$draft"
} >"$draft.new"
mv "$draft.new" "$pins"
