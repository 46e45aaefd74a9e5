"""The shape of the house: who may import what, and a card at every door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "edgeguard"
BASE = {"errors", "clock", "types", "files"}
MAY_IMPORT = {
    "__main__": {"cli"},
    "types": set(),
    "errors": set(),
    "clock": {"errors"},
    "files": set(),
    "wording": set(),
    "gst": {"errors"},
    "media": {"errors", "gst"},
    "anchor": {"clock"},
    "config": {"types", "errors", "files", "wording"},
    "capture": {*BASE, "gst", "media", "anchor", "cuda"},
    "audio": {*BASE, "gst", "media", "anchor"},
    "cuda": {"errors", "files", "clock"},
    "models": {*BASE, "cuda"},
    "vision": {*BASE, "models", "cuda"},
    "speech": {*BASE, "models"},
    "rules": {"types"},
    "fusion": {"types"},
    "sync": {"types"},
    "alerts": BASE,
    "client": {*BASE, "alerts"},
    "collector": {*BASE, "alerts", "client"},
    "broker": {*BASE, "alerts"},
    "bridges": {"types", "alerts", "client", "clock", "errors"},
    "evidence": BASE,
    "coverage": BASE,
    "synth": {"types", "errors", "models"},
    "runtime": None,  # everything but cli
    "cli": None,
}
DOORS = {
    "gi": {"gst/binding"},
    "paho": {"alerts/lasting", "alerts/mqtt", "alerts/wire"},
    "cryptography": {"broker/certificates"},
    "sqlite3": {"alerts/outbox_file", "alerts/sqlite", "evidence"},
    "pika": {"collector/amqp"},
    "sqlalchemy": {"collector"},
    "fastapi": {"collector"},
    "starlette": {"collector"},
    "uvicorn": {"collector", "runtime"},
    "pydantic": {"config", "collector"},
    "yaml": {"config", "models", "cli", "speech/understanding"},
    "onnx": {"models/onnx_graph"},
    "pycuda": {"cuda/with_pycuda"},
    "tensorrt": {"models/engines/trt"},
    "tensorrt_rtx": {"models/engines/trt"},
    "cv2": {"vision", "synth"},
    "sherpa_onnx": {"speech"},
    "onnxruntime": {"models"},
    "shapely": {"rules"},
    "prometheus_client": {"runtime/metrics"},
    "typer": {"cli"},
    "rich": {"cli"},
    # Ledger and registry take a lock, and start no thread.
    "threading": {"runtime", "cuda/ledger", "capture/surfaces/registry"},
    "signal": {"runtime", "cli"},
    "time": {"clock", "cli"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """`alerts/mqtt` for edgeguard/alerts/mqtt.py."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=place)
def test_rooms_import_only_what_they_may(path: Path) -> None:
    room = place(path).partition("/")[0]
    if room == "__init__":
        return
    allowed = MAY_IMPORT[room]
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("edgeguard.")} - {room}
    if allowed is None:
        assert room == "cli" or "cli" not in rooms
    else:
        assert rooms <= allowed, f"{place(path)} imports {sorted(rooms - allowed)}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_each_library_has_its_door(path: Path) -> None:
    here = place(path)
    for library in {name.partition(".")[0] for name in imports(path)} & set(DOORS):
        assert any(here == door or here.startswith(f"{door}/") for door in DOORS[library]), (
            f"{here} imports {library}, whose door is {', '.join(sorted(DOORS[library]))}"
        )


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/__init__.py")), ids=lambda path: path.parent.name)
def test_every_room_has_its_card(path: Path) -> None:
    card = ast.get_docstring(ast.parse(path.read_text())) or ""
    for line in ("Belongs here:", "Does not belong here:", "May import:", "Called by:", "To add one, copy"):
        assert line in card, f"{path.parent.name} has no line `{line}` on its card"
    assert len(card.splitlines()) <= 12


@pytest.mark.parametrize("path", FILES, ids=place)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 320


def test_all_who_measure_in_nanoseconds_do_it_by_one_clock() -> None:
    """Times of the product count on while a machine is suspended; those of `time.monotonic_ns` do not."""
    tools = (PACKAGE.parent / "tools").glob("*.py")
    others = [path.name for path in (*FILES, *tools) if "time.monotonic_ns" in path.read_text()]
    assert others == ["clock.py"]
