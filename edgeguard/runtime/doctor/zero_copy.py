"""All checks of the way on which pictures stay on the GPU."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from edgeguard.capture.tiers import Tiers
from edgeguard.clock import Clock
from edgeguard.cuda.driver import CudaDriver
from edgeguard.errors import DependencyError, SourceError
from edgeguard.runtime.assembly.gear import Gear
from edgeguard.runtime.assembly.sources import pause
from edgeguard.runtime.doctor import libraries
from edgeguard.runtime.doctor.elements import elements
from edgeguard.runtime.doctor.finding import Finding, Verdict, skipped
from edgeguard.runtime.doctor.frames import frames, make_stream, unread
from edgeguard.runtime.doctor.layout import layout


def zero_copy(url: str | None, clock: Clock, count: int = 300) -> Iterator[Finding]:
    """Look at what is there, then read `count` frames of `url` or of a stream that is made here."""
    yield layout()
    found, cuda = libraries.driver()
    yield found
    try:
        yield libraries.egl()
        yield libraries.nvbufsurface()
        yield libraries.gst_cuda(cuda)
        yield from elements()
        yield _frames(url, Gear(clock, partial(_given, cuda)).tiers("doctor"), clock, count)
    finally:
        if cuda is not None:
            cuda.close()


def stays_on_gpu(url: str | None, clock: Clock, count: int) -> Iterator[Finding]:
    """The same for a box that need not have a GPU: of several findings those that tell why it does not."""
    found = list(zero_copy(url, clock, count))
    if on_gpu(found):
        yield from (finding for finding in found if finding.check == "frames")
    elif any(finding.check == "driver" and not finding.ok for finding in found):
        yield skipped("zero_copy", "no NVIDIA GPU that can be used: pictures are decoded on the CPU")
    else:
        yield from (_softened(finding) for finding in found if not finding.ok)


def _softened(finding: Finding) -> Finding:
    """What does not stay on the GPU goes through the CPU, which costs time and no alert."""
    return replace(finding, check="zero_copy", about=finding.check, verdict=Verdict.WARNING)


def on_gpu(findings: list[Finding]) -> bool:
    """Whether pictures stay on the GPU here; a box needs the libraries of one kind of GPU, not of all."""
    needed = {"layout", "driver", "frames"}
    return needed <= {finding.check for finding in findings if finding.ok}


def _given(cuda: CudaDriver | None) -> CudaDriver:
    if cuda is None:
        raise DependencyError("there is no driver")
    return cuda


def _frames(url: str | None, tiers: Tiers, clock: Clock, count: int) -> Finding:
    if url is not None:
        return frames(url, tiers, clock, count)
    with tempfile.TemporaryDirectory(prefix="edgeguard-doctor-") as folder:
        try:
            return frames(make_stream(Path(folder), count, pause), tiers, clock, count)
        except (DependencyError, SourceError) as error:
            return unread(str(error))
