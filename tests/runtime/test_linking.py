from __future__ import annotations

import queue
import threading

from edgeguard.runtime.linking import LinkThread


class Counting:
    """Waits for ever between steps, until it is closed."""

    def __init__(self) -> None:
        self.closed = False
        self.closing = False
        self.steps: queue.SimpleQueue[str] = queue.SimpleQueue()

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        return len(body)

    def close(self) -> None:
        self.closing = True

    def run_once(self) -> float:
        self.steps.put(threading.current_thread().name)
        self.closed = self.closing
        return 1000.0


def test_steps_run_on_a_thread_of_their_own_which_a_close_wakes_and_ends() -> None:
    stepped = Counting()
    link = LinkThread(stepped, "amqp")
    link.start()
    assert stepped.steps.get(timeout=5) == "amqp"
    assert link.publish("t", b"four") == 4
    assert stepped.steps.empty()
    link.close()
    assert stepped.steps.get(timeout=5) == "amqp"
    link._thread.join(5)
    assert not link._thread.is_alive()
