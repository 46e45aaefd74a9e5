from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.exchange import (
    VERDICTS,
    Outcome,
    Unavailable,
    ack_message,
    command_message,
    receipt_message,
    result_message,
)
from tests.alerts.strict import assert_valid
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS

ID = "0f5a2f7e-52e5-4b5b-9b1e-3e0f9c1d2a01"
ALERT_ID = "019b0100-0000-7000-8000-000000000001"
boots = st.sampled_from([IDENTITY.boot_id, NEXT_RUN.boot_id])


@given(st.sets(st.tuples(boots, st.integers(1, 2**40)), min_size=1, max_size=50))
def test_a_receipt_names_exactly_what_was_committed(committed: set[tuple[str, int]]) -> None:
    message = receipt_message("depot", "gate-1", "centre", committed, UTC_NS)
    assert_valid("receipt", message)
    assert {(run["boot_id"], seq) for run in message["committed"] for seq in run["seqs"]} == committed


@given(st.sampled_from([None, *VERDICTS]), st.one_of(st.none(), st.text(max_size=500)))
def test_acknowledgements_are_valid(verdict: str | None, note: str | None) -> None:
    message = ack_message(
        "depot", "gate-1", ALERT_ID, ack_id=ID, by="porter", utc_ns=UTC_NS, verdict=verdict, note=note
    )
    assert_valid("ack", message)
    assert (message["verdict"], message["note"]) == (verdict, note)


def test_commands_and_results_are_valid() -> None:
    command = command_message(
        "depot", "gate-1", "replay", command_id=ID, by="centre", utc_ns=UTC_NS, from_seq=3, to_seq=9
    )
    assert_valid("command", command)
    outcome = Outcome(True, replayed=5, unavailable=[Unavailable(3, 4, "shed")])
    result = result_message(IDENTITY, ID, "replay", outcome, UTC_NS)
    assert_valid("result", result)
    assert result["unavailable"] == [{"from_seq": 3, "to_seq": 4, "reason": "shed"}]
    assert_valid("result", result_message(IDENTITY, ID, "ack", Outcome(False, "unknown alert"), UTC_NS))
