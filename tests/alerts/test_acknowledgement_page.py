"""What the page on acknowledging shows is what the product takes, says and signs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgeguard.alerts.webhook import Parcel, secret_key, signature
from tests.alerts.strict import assert_valid
from tests.config.trees import built, tree

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "acknowledgement.md").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PARCEL = Parcel("escalation_1", b'{"type": "alert.escalated"}')


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_messages_fit_their_schemas() -> None:
    ack, result = map(json.loads, blocks("json"))
    assert_valid("ack", ack)
    assert_valid("result", result)
    assert result["id"] == ack["ack_id"]


def test_the_configuration_is_one() -> None:
    (section,) = blocks("yaml")
    assert built(tree(**yaml.safe_load(section))).escalation.after_s == 300


@pytest.fixture
def verify() -> Any:
    (program,) = blocks("python")
    names: dict[str, Any] = {}
    exec(program, names)
    return names["verify"]


def signed(sent_s: int) -> dict[str, str]:
    told = signature(secret_key(SECRET), PARCEL, sent_s)
    return {
        "webhook-id": PARCEL.parcel_id,
        "webhook-timestamp": str(sent_s),
        "webhook-signature": f"v1,bm90IHRoaXM= {told}",
    }


def test_the_program_takes_what_is_signed(verify: Any) -> None:
    verify(SECRET, signed(int(time.time())), PARCEL.body)


@pytest.mark.parametrize(
    ("age_s", "body", "secret"),
    [
        (400, PARCEL.body, SECRET),
        (0, PARCEL.body + b" ", SECRET),
        (0, PARCEL.body, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ],
)
def test_the_program_refuses_everything_else(verify: Any, age_s: int, body: bytes, secret: str) -> None:
    with pytest.raises(ValueError):
        verify(secret, signed(int(time.time()) - age_s), body)


def test_every_reason_is_in_the_table() -> None:
    source = Path(__file__).resolve().parents[2] / "edgeguard" / "alerts" / "inbound.py"
    reasons = set(re.findall(r'Refused\([a-z.]*topic, "([a-z_]+)"', source.read_text()))
    assert len(reasons) == 8
    assert {reason for reason in reasons if f"| `{reason}` |" not in PAGE} == set()
