"""Receipts from collectors: who says that what is safe."""

from __future__ import annotations

from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import Identity
from edgeguard.alerts.parse import parse


class ReceiptReader:
    """Reads what comes in on a device's receipt topic; what is no receipt for it is counted and ignored."""

    def __init__(self, identity: Identity) -> None:
        self.rejected = 0
        self.last_rejection: str | None = None
        self._address = (identity.site, identity.device)

    def read(self, received: Received) -> list[tuple[str, int]]:
        """The (boot_id, seq) that are safe; empty if it is not to be believed."""
        try:
            return self._read(received)
        except ValueError as error:
            self.rejected += 1
            self.last_rejection = str(error)[:200]
            return []

    def _read(self, received: Received) -> list[tuple[str, int]]:
        if received.retained:
            raise ValueError("a retained receipt")
        receipt = parse(received.body, "receipt")
        if (receipt["site"], receipt["device"]) != self._address:
            raise ValueError("a receipt for another device")
        return [(run["boot_id"], int(seq)) for run in receipt["committed"] for seq in run["seqs"]]
