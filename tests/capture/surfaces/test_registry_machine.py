"""Any order of frames, readers, freed buffers and purges: nothing is used after its end, nothing is left."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces import NvBufLibrary, open_egl
from edgeguard.capture.surfaces.registration import Registration
from edgeguard.capture.surfaces.registry import Registry
from edgeguard.capture.surfaces.surface import read_surface
from edgeguard.cuda.ledger import Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from tests.support.gpu import FakeGpu
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of

LIMIT = 4
CALLS = ["cuGraphicsEGLRegisterImage", "cuGraphicsResourceGetMappedEglFrame", "cuTexObjectCreate"]


class Buffers(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.jetson, self.gpu = FakeJetson(), FakeGpu()
        open_egl(self.jetson.egl)
        self.cuda, self.ledger = CtypesCuda(self.gpu.libcuda), Ledger()
        self.registry = Registry(NvBufLibrary([self.jetson.nvbuf]), self.cuda, self.ledger, LIMIT)
        self.pool: dict[int, Any] = {}
        self.read: list[tuple[Registration, Any]] = []
        self.taken = 0
        self.before = self.jetson.living

    @rule(fd=st.integers(0, 5), width=st.sampled_from([64, 48]))
    def allocate(self, fd: int, width: int) -> None:
        if all(buffer is not self.pool.get(fd) for _, buffer in self.read):
            self.pool[fd] = self.jetson.buffer(SurfaceSpec(noise(), fd=fd, width=width))

    @precondition(lambda self: self.pool)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        buffer = self.pool[data.draw(st.sampled_from(sorted(self.pool)))]
        mapped = sample_of(buffer).map()
        surface = read_surface(mapped.address, mapped.size)
        with self.cuda.current(), suppress(SurfaceError):
            taken = self.registry.take(surface, mapped.size, mapped.memory)
            self.taken += 1
            assert (taken.planes[0].width, taken.surface.fd) == (surface.width, surface.fd)
            self.read.append((taken, buffer))
            return
        assert len({id(one) for one, _ in self.read}) == LIMIT

    @precondition(lambda self: self.pool)
    @rule(data=st.data(), call=st.sampled_from(CALLS))
    def fail(self, data: st.DataObject, call: str) -> None:
        self.gpu.fail(call, 1)
        with suppress(ModelError):
            self.take(data)
        self.gpu.fail("", 0)

    @precondition(lambda self: self.read)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        taken, _buffer = self.read.pop(data.draw(st.integers(0, len(self.read) - 1)))
        self.registry.give_back(taken)

    @precondition(lambda self: self.pool)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        del self.pool[data.draw(st.sampled_from(sorted(self.pool)))]

    @rule()
    def purge(self) -> None:
        self.registry.purge()

    @invariant()
    def the_books_agree(self) -> None:
        assert self.jetson.registered == len(self.registry) <= LIMIT
        assert self.jetson.textures == 2 * self.jetson.registered
        assert self.jetson.maps - self.jetson.unmaps == self.jetson.registered
        assert self.ledger.read().registrations + self.ledger.read().hits == self.taken

    def teardown(self) -> None:
        while self.read:
            self.registry.give_back(self.read.pop()[0])
        self.registry.purge()
        self.pool.clear()
        gc.collect()
        assert (self.jetson.registered, self.jetson.textures) == (0, 0)
        assert self.jetson.living == self.before
        self.cuda.close()


def test_any_order_of_frames_readers_and_freed_buffers() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Buffers,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
