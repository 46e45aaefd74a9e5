"""Reading receipts: all that is sensible, none that is not, and never so many that alerts wait for it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.exchange import receipt_message
from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import encode
from edgeguard.alerts.parse import MAX_BYTES
from edgeguard.alerts.receipts import ReceiptReader
from edgeguard.clock import ManualClock
from tests.alerts.test_publisher import RECEIPT, Bench
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS, moment

Names = list[tuple[str, int]]


def receipt(names: Names) -> Received:
    return Received(RECEIPT, encode(receipt_message("depot", "gate-1", "centre", names, UTC_NS)), False)


def large(boot_id: str) -> Received:
    """As many names as a receipt may hold, or nearly."""
    message = receipt_message("depot", "gate-1", "centre", [], UTC_NS)
    runs = [{"boot_id": boot_id, "seqs": list(range(at, at + 1000))} for at in range(10_000, 44_000, 1000)]
    return Received(RECEIPT, encode({**message, "committed": runs}), False)


def read_all(reader: ReceiptReader) -> Names:
    names = []
    while reader.waiting:
        names += reader.read()
    return names


@given(
    st.lists(st.lists(st.tuples(st.just(IDENTITY.boot_id), st.integers(1, 2**53)), min_size=1), max_size=20)
)
def test_every_name_is_read_once_and_in_order(receipts: list[Names]) -> None:
    reader = ReceiptReader(IDENTITY, ManualClock())
    for names in receipts:
        reader.receive(receipt(sorted(names)))
    assert read_all(reader) == [name for names in receipts for name in sorted(names)]
    assert reader.rejected == 0


def test_a_large_receipt_is_read_in_steps() -> None:
    reader = ReceiptReader(IDENTITY, ManualClock())
    reader.receive(large(IDENTITY.boot_id))
    first = reader.read()
    assert len(first) == 2000
    assert len(first + read_all(reader)) == 34_000


@given(st.binary(max_size=200))
def test_whatever_comes_is_counted_and_raises_nothing(body: bytes) -> None:
    reader = ReceiptReader(IDENTITY, ManualClock())
    reader.receive(Received(RECEIPT, body, False))
    assert reader.read() == []
    assert (reader.rejected, reader.waiting) == (1, False)
    assert reader.last_rejection


def test_a_flood_is_counted_takes_little_memory_and_ends() -> None:
    clock = ManualClock()
    reader = ReceiptReader(IDENTITY, clock)
    flood = Received(RECEIPT, b"[" * MAX_BYTES, False)
    for _ in range(1000):
        reader.receive(flood)
    assert reader.rejected > 980
    assert reader.last_rejection == "too many receipts"
    read_all(reader)
    assert reader.rejected == 1000
    clock.advance(10)
    reader.receive(receipt([(IDENTITY.boot_id, 1)]))
    assert reader.read() == [(IDENTITY.boot_id, 1)]


def test_a_flood_of_receipts_delays_no_alert(tmp_path: Path) -> None:
    bench = Bench(tmp_path, custody="receipt")
    bench.publisher.start()
    bench.run()
    bench.inbox += [large(NEXT_RUN.boot_id)] * 50
    bench.inbox.append(moment())
    bench.publisher.run_once(0)
    assert len(bench.told) == 1
    assert bench.publisher._receipts.waiting
    assert bench.publisher.delivery.bad_receipts > 20
    for _ in range(1000):
        bench.publisher.run_once(0)
    assert not bench.publisher._receipts.waiting
    bench.clock.advance(60)
    bench.inbox.append(receipt([(IDENTITY.boot_id, 1)]))
    bench.run()
    assert bench.publisher.delivery.pending == 0


def test_while_the_disk_refuses_receipts_wait_and_nothing_spins(tmp_path: Path) -> None:
    bench = Bench(tmp_path, custody="receipt")
    bench.disk_works = False
    bench.publisher.start()
    bench.inbox.append(large(IDENTITY.boot_id))
    for _ in range(30):
        bench.publisher.run_once(1)
    assert bench.publisher._sender.unsettled == 10_000
    assert bench.clock.now_ns > 20e9
    bench.disk_works = True
    bench.run()
    bench.run()
    assert bench.publisher._sender.unsettled == 0
