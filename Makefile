# Every target sets up what it needs first; the second time that takes a moment.
.PHONY: demo test check bench setup format

demo: setup
	.venv/bin/edgeguard demo

test: setup
	.venv/bin/python -m pytest

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: setup
	.venv/bin/python tools/bench.py all

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

setup:
	@tools/setup
