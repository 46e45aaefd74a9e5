"""A power cut at any moment: what was reported as committed is there afterwards, and the file opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_check import check
from edgeguard.clock import ManualClock
from tests.support.companion import OpenAlerts
from tests.support.powercut import Act, cuts, record

CUTS = 100

WRITER = """
import sys
from pathlib import Path
from edgeguard.alerts import outbox_file
from tests.support.companion import OpenAlerts
from edgeguard.alerts.outbox import Outbox
from edgeguard.clock import SystemClock
from tests.alerts.test_outbox import BOOT, draft

folder, synchronous = Path(sys.argv[1]), sys.argv[2]
outbox_file._PRAGMAS = (
    "journal_mode=WAL", f"synchronous={synchronous}", "wal_autocheckpoint=40", "temp_store=MEMORY"
)
outbox = Outbox(folder / "outbox.db", SystemClock(), OpenAlerts(), ballast_bytes=0)
told = (folder / "told").open("wb", buffering=0)
for number in range(150):
    outbox.commit(["a" * 700] * (1 + number % 3), draft)
    told.write(b"committed %d\\n" % outbox.seq_high)
    if synchronous == "FULL" and number % 7 == 6:
        seqs = range(outbox.seq_high - 9, outbox.seq_high - 5)
        told.write(b"done %d %d\\n" % (seqs.start, seqs.stop))
        outbox.done((BOOT, seq) for seq in seqs)
"""


def told(acts: Sequence[Act]) -> tuple[int, set[int]]:
    """The highest seq that was reported as committed, and what may be delivered, before a cut."""
    lines = [line.split() for act in acts if act.op == "w" for line in _lines(act)]
    highest = max((int(words[1]) for words in lines if words[0] == b"committed"), default=0)
    delivered = {seq for words in lines if words[0] == b"done" for seq in range(int(words[1]), int(words[2]))}
    return highest, delivered


def _lines(act: Act) -> list[bytes]:
    return act.data.splitlines() if act.data.startswith((b"committed ", b"done ")) else []


def after(folder: Path, files: dict[str, bytes]) -> Outbox:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Outbox(folder / "outbox.db", ManualClock(), OpenAlerts(), ballast_bytes=0)


def test_no_committed_message_is_lost_and_every_file_opens(tmp_path: Path) -> None:
    acts = record(tmp_path / "device", WRITER, "FULL")
    assert {"c", "w", "s", "d", "r"} <= {act.op for act in acts}
    most = 0
    for number, (before, files) in enumerate(cuts(acts, CUTS, seed=1)):
        highest, delivered = told(before)
        outbox = after(tmp_path / str(number), files)
        kept = {entry.seq for entry in outbox.due(0, 10_000)}
        assert set(range(1, highest + 1)) - delivered <= kept, f"cut {number}"
        assert outbox.seq_high >= highest
        assert outbox.replaced == []
        outbox.close()
        report = check(tmp_path / str(number) / "outbox.db")
        assert report.sound, report.findings
        most = max(most, highest)
    assert most > 200, "the cuts came too early to prove anything"


def test_the_model_bites(tmp_path: Path) -> None:
    acts = record(tmp_path / "device", WRITER, "OFF")
    losses = 0
    for number, (before, files) in enumerate(cuts(acts, 20, seed=1)):
        highest, _ = told(before)
        outbox = after(tmp_path / str(number), files)
        kept = {entry.seq for entry in outbox.due(0, 10_000)}
        losses += not set(range(1, highest + 1)) <= kept
        outbox.close()
    assert losses > 5
