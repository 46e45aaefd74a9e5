"""The webhook's thread with a receiver that behaves, one that hangs, and one that drips."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.alerts.webhook import Parcel, Posted, Webhook
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import ConfigError
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.webhook import FreshPoster, WebhookStage
from tests.support.receiver import Receiver, certificate
from tests.support.waiting import wait_for

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
PARCEL = Parcel("escalation_1", b"{}")


class Bench:
    def __init__(self, poster: object, timeout_s: float = 5.0) -> None:
        self.clock = ManualClock()
        self.parcels: Channel[Parcel] = Channel(1)
        self.answers: Channel[Posted] = Channel(1)
        self.stage = WebhookStage(self.parcels, poster, self.answers.put, self.clock, timeout_s)  # type: ignore[arg-type]

    def answer(self) -> Posted:
        """Step until an answer comes."""

        def look() -> Posted | None:
            self.stage.step()
            return self.answers.get(0)

        return wait_for(look, "an answer", every_s=0)


def test_one_after_the_other() -> None:
    with Receiver(500) as receiver:
        bench = Bench(Webhook(receiver.url, SECRET, SystemClock()))
        for expected in ("answers with status 500", None):
            bench.parcels.put(PARCEL)
            answer = bench.answer()
            assert (answer.error or "").endswith(expected or "")
        assert len(receiver.calls) == 2


class TestHanging:
    """A receiver that says one byte at a time would hold a thread for ever: every byte comes in time."""

    @pytest.fixture(params=["http", "https"])
    def drip(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path | None]]:
        pair = certificate(tmp_path) if request.param == "https" else None
        server = socket.create_server(("127.0.0.1", 0))
        over = threading.Event()

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                if pair:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(*pair)
                    connection = context.wrap_socket(connection, server_side=True)
                with connection:
                    connection.sendall(b"HTTP/1.1 200 ")
                    while not over.wait(0.05):
                        connection.sendall(b"O")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{request.param}://127.0.0.1:{server.getsockname()[1]}/", pair[0] if pair else None
        over.set()
        server.close()
        thread.join(10)

    def test_it_is_broken_off_and_the_stage_gives_signs_of_life(self, drip: tuple[str, Path | None]) -> None:
        url, ca_file = drip
        bench = Bench(Webhook(url, SECRET, SystemClock(), ca_file, timeout_s=5))
        bench.parcels.put(PARCEL)
        for _ in range(4):
            bench.stage.step()
        assert bench.answers.get(0) is None
        bench.clock.advance(15.1)
        assert "does not come to the end" in (bench.answer().error or "")


def test_a_bug_is_an_answer_too() -> None:
    class Broken:
        def post(self, parcel: Parcel) -> Posted:
            raise RuntimeError("a bug")

        def abort(self) -> None: ...

    bench = Bench(Broken())
    bench.parcels.put(PARCEL)
    assert bench.answer() == Posted("escalation_1", "a bug")


def test_the_end_of_the_daemon_breaks_off_what_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        bench = Bench(Webhook(url, SECRET, SystemClock(), timeout_s=60))
        bench.parcels.put(PARCEL)
        bench.stage.step()
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            bench.stage.finish()
            assert "does not answer" in (bench.answer().error or "")


def test_a_secret_that_cannot_be_read_costs_the_try_and_nothing_else() -> None:
    readable = [False]

    def make() -> Webhook:
        if not readable[0]:
            raise ConfigError("cannot use the secret")
        return Webhook("http://127.0.0.1:9/", SECRET, SystemClock())

    poster = FreshPoster(make)
    poster.abort()
    assert poster.fault() == "cannot use the secret"
    assert poster.post(Parcel("one", b"{}")).error == "cannot use the secret"
    readable[0] = True
    assert poster.fault() is None
    assert "does not answer" in str(poster.post(Parcel("one", b"{}")).error)
