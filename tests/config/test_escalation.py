from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.config import advice, masked
from edgeguard.types import Severity
from tests.config.trees import built, faults, tree

HOOK = {"url": "https://pager.example/t/s3cr3t?key=1", "secret_file": "/etc/edgeguard/hook"}


def escalation(**keys: Any) -> dict[str, Any]:
    return tree(escalation=keys)


def test_nothing_is_escalated_unless_it_is_asked_for() -> None:
    settings = built(tree()).escalation
    assert (settings.after_s, settings.severity, settings.webhook.url) == (None, Severity.ALARM, None)


def test_a_whole_section() -> None:
    settings = built(escalation(after_s=300, severity="warning", webhook=HOOK)).escalation
    assert (settings.after_s, settings.severity) == (300.0, Severity.WARNING)
    assert settings.webhook.url == HOOK["url"]
    assert settings.webhook.secret_file == Path("/etc/edgeguard/hook")


def test_the_path_of_a_webhook_is_not_shown() -> None:
    shown = masked(built(escalation(after_s=300, webhook=HOOK)))["escalation"]["webhook"]
    assert shown["url"] == "https://pager.example/***"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://pager.example/", "would send alerts readable"),
        ("http://10.0.0.1/", "would send alerts readable"),
        ("https://user:pw@pager.example/", "without blanks, user name"),
        ("https:///path", "expected https://host"),
        ("https://pager.example/#part", "fragment"),
        ("https://pager.example:0/", "expected https://host"),
        ("https://[::1/", "expected https://host"),
        ("ftp://pager.example/", "a URL that begins with https://"),
        ("https://pager.example/\nx-header: 1", "a URL that begins with https://"),
    ],
)
def test_where_nothing_may_be_posted_to(url: str, fault: str) -> None:
    (told,) = faults(escalation(after_s=300, webhook={**HOOK, "url": url}))
    assert told.startswith("escalation.webhook.url: ")
    assert fault in told


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:1/"])
def test_this_machine_needs_no_tls(url: str) -> None:
    assert built(escalation(after_s=300, webhook={**HOOK, "url": url})).escalation.webhook.url == url


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"after_s": 300, "webhook": {"url": HOOK["url"]}}, "expected both url and secret_file"),
        ({"after_s": 300, "webhook": {"secret_file": "/x"}}, "expected both url and secret_file"),
        ({"webhook": HOOK}, "is never called while after_s is null"),
        ({"after_s": 0}, "after_s"),
        ({"severity": "huge"}, "severity"),
    ],
)
def test_what_does_not_go_together(keys: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(faults(escalation(**keys)))


def test_advice_looks_at_the_secret(tmp_path: Path) -> None:
    secret = tmp_path / "hook"
    secret.write_text("whsec_x")
    secret.chmod(0o644)
    config = built(escalation(after_s=300, webhook={**HOOK, "secret_file": str(secret)}))
    assert any(line.startswith("escalation.webhook.secret_file: ") for line in advice(config))
