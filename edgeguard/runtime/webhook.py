"""The webhook thread: posts what the publisher hands over, one parcel at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from edgeguard.alerts.webhook import Parcel, Posted
from edgeguard.clock import Clock
from edgeguard.errors import ConfigError
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.stage import STEP_S, Stage

log = logging.getLogger(__name__)

_PATIENCE = 3
"""How many times its time-out one try may take: it connects, it asks, it listens."""


class Poster(Protocol):
    """Delivers a parcel."""

    def post(self, parcel: Parcel) -> Posted: ...

    def abort(self) -> None: ...


class FreshPoster:
    """Makes its poster for each try, of the files as they are then; what cannot be read costs the try."""

    def __init__(self, make: Callable[[], Poster]) -> None:
        self._make = make
        self._poster: Poster | None = None

    def fault(self) -> str | None:
        """Why none can be made now."""
        try:
            self._make()
        except ConfigError as error:
            return str(error)
        return None

    def post(self, parcel: Parcel) -> Posted:
        try:
            self._poster = poster = self._make()
        except ConfigError as error:
            return Posted(parcel.parcel_id, str(error))
        return poster.post(parcel)

    def abort(self) -> None:
        if self._poster is not None:
            self._poster.abort()


class WebhookStage(Stage):
    """Each try has a thread of its own, so that a receiver or a name server that hangs, or answers a byte at
    a time, cannot make the daemon look dead: it is broken off. There is never more than one."""

    name = "webhook"

    def __init__(
        self,
        parcels: Channel[Parcel],
        poster: Poster,
        answer: Callable[[Posted], object],
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._parcels = parcels
        self._poster = poster
        self._answer = answer
        self._clock = clock
        self._patience_ns = round(_PATIENCE * timeout_s * 1e9)
        self._try: threading.Thread | None = None
        self._until_ns = 0

    def step(self) -> None:
        if self._try is None:
            parcel = self._parcels.get(STEP_S)
            if parcel is not None:
                self._begin(parcel)
            return
        self._try.join(STEP_S)
        if not self._try.is_alive():
            self._try = None
        elif self._clock.monotonic_ns() > self._until_ns:
            self._poster.abort()

    def finish(self) -> None:
        """What was not answered is posted again at the next start."""
        if self._try is not None:
            self._poster.abort()

    def _begin(self, parcel: Parcel) -> None:
        self._until_ns = self._clock.monotonic_ns() + self._patience_ns
        self._try = threading.Thread(target=self._post, args=(parcel,), name="webhook-try", daemon=True)
        self._try.start()

    def _post(self, parcel: Parcel) -> None:
        try:
            posted = self._poster.post(parcel)
        except Exception as error:  # an answer must come, or nothing is ever posted again
            log.exception("%s could not be posted", parcel.parcel_id)
            posted = Posted(parcel.parcel_id, str(error) or type(error).__name__)
        self._answer(posted)
