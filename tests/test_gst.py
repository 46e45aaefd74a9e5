from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeguard import gst
from edgeguard.errors import DependencyError, SourceError
from tests.support.clips import make_clip

_REFUSAL = """
import sys
from edgeguard.capture import GstFrameSource
from edgeguard.clock import SystemClock
source = GstFrameSource("gate", sys.argv[1], SystemClock(), realtime=False)
source.open()
assert source.read(10)
source.close()
import onnxruntime
try:
    onnxruntime.InferenceSession(b"no model", providers=["CPUExecutionProvider"])
except Exception:
    print("refused")
"""


def test_other_libraries_can_still_throw(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1)
    done = subprocess.run(
        [sys.executable, "-c", _REFUSAL, clip.as_uri()], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


def test_a_missing_element_names_its_package() -> None:
    with pytest.raises(DependencyError, match="nosuchelement"):
        gst.Pipeline("test").add("nosuchelement")


def test_a_pipeline_that_cannot_start_says_why() -> None:
    pipeline = gst.Pipeline("test")
    source = pipeline.add("filesrc", location="/nowhere/clip.mp4")
    pipeline.link(source, pipeline.add("fakesink"))
    with pytest.raises(SourceError, match="nowhere"):
        pipeline.play()
    pipeline.stop()
    pipeline.stop()


def test_properties_are_set_by_name_also_where_they_are_enumerations() -> None:
    pipeline = gst.Pipeline("test")
    element = pipeline.add("videotestsrc", pattern="ball", num_buffers=3, is_live=False)
    assert element.get_property("pattern").value_nick == "ball"
    assert element.get_property("num-buffers") == 3
    pipeline.stop()


_TOGETHER = """
import sys, threading
from edgeguard import gst
from edgeguard.gst.binding import load
gst.start()
sys.setswitchinterval(1e-6)
line, told = threading.Barrier(16), []
def ask():
    line.wait()
    try:
        load()[2].VideoColorMatrix.BT709, load()[0].PadProbeType.QUERY_DOWNSTREAM
    except AttributeError as error:
        told.append(str(error))
threads = [threading.Thread(target=ask) for _ in range(16)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(told or "well")
"""


def test_cameras_that_start_together_find_every_type_whole() -> None:
    for _ in range(3):
        answer = subprocess.run([sys.executable, "-c", _TOGETHER], capture_output=True, text=True, timeout=60)
        assert answer.stdout.strip() == "well", answer.stdout + answer.stderr
