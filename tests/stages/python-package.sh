#!/usr/bin/env bash
# The Python package, installed: its types, and its promises against a real hub that is killed in the midst.
source tests/stages/report.sh

venv=build/python-package
made_of() { cat tests/client/python/requirements.txt client/python/pyproject.toml; }
if ! made_of | cmp -s - $venv/made-of; then
  python3 -m venv --clear $venv
  $venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip_stage "Python is older than 3.11"
  $venv/bin/pip install --quiet --disable-pip-version-check -r tests/client/python/requirements.txt
  $venv/bin/pip install --quiet --disable-pip-version-check ./client/python
  made_of >$venv/made-of
fi
# Anew each time: sources and contract change. What it depends on is there.
$venv/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ./client/python

strictly_typed() {
  $venv/bin/mypy --strict --no-error-summary --config-file client/python/pyproject.toml --cache-dir $venv/mypy "$@"
}

check "the package passes mypy --strict" strictly_typed -p millrace
check "programs are checked against its types" strictly_typed tests/client/python/typed_program.py
pytest_in $venv tests/client/python || failures=1
finish
