"""The daemon on a machine whose TensorRT and GPU are fakes: with an engine, and while one is built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edgeguard.models.engines.shelf import shelf_of
from tests.models.engines.exports import NAME, export
from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, clean_environment, settings
from tests.support.gpu import HERE, fake_cuda_folder
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e


def gpu() -> dict[str, str]:
    paths = [str(HERE / "fake_tensorrt" / "v10"), str(HERE.parent.parent)]
    return {"PYTHONPATH": os.pathsep.join(paths), "LD_LIBRARY_PATH": str(fake_cuda_folder())}


def test_while_an_engine_is_built_the_cpu_guards_and_health_says_so_then_the_engine_does(
    tmp_path: Path, broker: Broker
) -> None:
    export(tmp_path / "models")
    config = settings(broker.port, {"yard": {"url": "scene://yard?width=320&height=180"}}, [])
    config["detector"] = {"model": NAME, "classes": ["person", "car"]}
    with shelf_of(tmp_path / "models", NAME).building(), Box(tmp_path, config, **gpu()) as box:
        box.start()
        part = box.wait_for_part("detector", "degraded", f"building the engine of {NAME}")
        assert part["backend"] == "onnxruntime-cpu"
        assert box.stop() == 0
    command = [*EDGEGUARD, "engines", "build", "edgeguard.yaml"]
    subprocess.run(command, cwd=tmp_path, env=clean_environment(**gpu()), check=True, timeout=60)
    with Box(tmp_path, config, **gpu()) as box:
        box.start()
        wait_for(lambda: box.part("detector").get("backend") == "tensorrt-int8", "the engine is in use", 30)
        assert box.stop() == 0
