# Every target sets up what it needs first; the second time that takes a moment.
MIRROR ?= $(or $(EDGEGUARD_MIRROR),../shared)

.PHONY: demo test check bench setup format

demo: setup
	.venv/bin/edgeguard demo

test: setup
	.venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python tools/check_wheels.py

bench: setup
	.venv/bin/python tools/bench.py detector --images $(MIRROR)/data/gt/coco128_yolo/images/val2017 \
		--annotations $(MIRROR)/data/gt/coco128_yolo/instances_val2017_128_from_yolo.json
	.venv/bin/python tools/bench.py tracker --data $(MIRROR)/data/gt/mot/TUD-Stadtmitte
	.venv/bin/python tools/bench.py capture
	.venv/bin/python tools/bench.py gate
	.venv/bin/python tools/bench.py engine
	.venv/bin/python tools/bench.py outbox
	.venv/bin/python tools/fleet.py --devices 5000 --rate 500 --seconds 20

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

setup:
	@tools/setup
