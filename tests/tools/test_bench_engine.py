"""The comparison of engines runs, on a small network."""

from __future__ import annotations

import argparse
from pathlib import Path

import bench_engine
import pytest

from tests.models.graphs import plain, saved


def test_measures_both_in_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = argparse.Namespace(fp32=saved(plain(), tmp_path), int8=None, pairs=10)
    monkeypatch.setattr(bench_engine, "FLOAT_FIRST", 0)
    found = bench_engine.run(args)
    assert found["int8_mac_share"] == 1
    assert all(isinstance(found[name], float) for name in ("int8_over_fp32_time", "infer_overhead"))
    assert float(str(found["int8_over_fp32_time"])) > 0
