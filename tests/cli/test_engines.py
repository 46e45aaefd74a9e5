"""`edgeguard engines build` and `gate`, as a user or systemd runs them, on a machine whose GPU is a fake."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.models.engines.exports import BROKEN_SCALE, NAME, export
from tests.support.daemon import EDGEGUARD, clean_environment, settings
from tests.support.gpu import HERE, VERSIONS, fake_cuda_folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SCENE = "scene://yard?width=320&height=180"


def environment(version: str) -> dict[str, str]:
    paths = [str(HERE / "fake_tensorrt" / version), str(HERE.parent.parent)]
    return clean_environment(PYTHONPATH=os.pathsep.join(paths), LD_LIBRARY_PATH=str(fake_cuda_folder()))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `edgeguard engines ...` in a folder with a configuration for two cameras."""
    config = settings(1, {name: {"url": SCENE} for name in ("yard", "gate")}, [])
    config["detector"] = {"model": NAME}
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(config))

    def engines(*words: str, version: str = "v10") -> subprocess.CompletedProcess[str]:
        command = [*EDGEGUARD, "engines", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment(version), capture_output=True, text=True, timeout=100
        )

    return engines


@pytest.mark.parametrize("version", VERSIONS)
def test_builds_what_the_configuration_names_then_has_nothing_to_do(
    run: Run, tmp_path: Path, version: str
) -> None:
    export(tmp_path / "models")
    first = run("build", "site.yaml", version=version)
    assert first.returncode == 0, first.stderr
    assert "because there is no engine yet" in first.stderr
    note = json.loads((tmp_path / "models" / NAME / "engines" / f"{NAME}.int8.json").read_text())
    assert note["basis"]["best_batch"] == 2, "one picture of each camera"
    second = run("build", "site.yaml", version=version)
    assert "the int8 engine is current" in second.stderr
    gated = run("gate", NAME, "--store", "models", "--json", version=version)
    assert json.loads(gated.stdout)["golden_recall"] == 1.0


def test_a_broken_int8_is_given_up_loudly_and_the_build_succeeds(run: Run, tmp_path: Path) -> None:
    export(tmp_path / "models", scale=BROKEN_SCALE)
    built = run("build", "site.yaml")
    assert built.returncode == 0, built.stderr
    assert "INT8 IS NOT USED" in built.stderr
    assert json.loads(run("gate", NAME, "--store", "models", "--json").stdout)["precision"] == "fp16"


def test_what_cannot_be_built_is_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    missing = run("build", "site.yaml")
    assert missing.returncode == 1
    assert f"edgeguard models pull {NAME}" in missing.stderr
    export(tmp_path / "models")
    gated = run("gate", NAME, "--store", "models")
    assert gated.returncode == 1
    assert "edgeguard engines build" in gated.stderr
    for answer in (missing, gated):
        assert "Traceback" not in answer.stderr


def test_a_machine_without_tensorrt_is_told_what_to_install(tmp_path: Path) -> None:
    config = settings(1, {"yard": {"url": SCENE}}, [])
    config["detector"] = {"model": NAME}
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(config))
    hidden = tmp_path / "hidden"
    for name in ("tensorrt", "tensorrt_rtx"):
        (hidden / name).mkdir(parents=True)
        (hidden / name / "__init__.py").write_text("raise ImportError('hidden')\n")
    paths = os.pathsep.join([str(hidden), str(HERE.parent.parent)])
    answer = subprocess.run(
        [*EDGEGUARD, "engines", "build", "site.yaml"],
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=paths, LD_LIBRARY_PATH=str(fake_cuda_folder())),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert "python3-libnvinfer" in answer.stderr


def test_motion_alone_needs_no_engine(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(settings(1, {"yard": {"url": SCENE}}, [])))
    answer = subprocess.run(
        [*EDGEGUARD, "engines", "build", "site.yaml"],
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=str(HERE.parent.parent)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (answer.returncode, answer.stdout.strip()) == (
        0,
        "no detector of the configuration has a model: nothing to build",
    )


UNIT = HERE.parent.parent / "systemd" / "edgeguard-engines.service"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("no systemd-analyze here")
    text = UNIT.read_text()
    assert "\nExecStart=/opt/edgeguard/bin/edgeguard engines build /etc/edgeguard/" in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/edgeguard/bin/edgeguard", shutil.which("true") or "/bin/true"))
    answer = subprocess.run([verifier, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert UNIT.name not in answer.stderr, answer.stderr
