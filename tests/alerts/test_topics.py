from __future__ import annotations

import pytest

from edgeguard.alerts.topics import Topics, addressee, sender, speaker, up_filter
from edgeguard.errors import ConfigError

TOPICS = Topics("depot", "gate-1")


def test_the_topics_of_a_device() -> None:
    assert TOPICS.status == "edgeguard/v1/depot/gate-1/up/status"
    assert TOPICS.health == "edgeguard/v1/depot/gate-1/up/health"
    assert TOPICS.alert("dock", "loitering") == "edgeguard/v1/depot/gate-1/up/alert/dock/loitering"


def test_the_subscription_to_all_or_to_one() -> None:
    assert up_filter() == "edgeguard/v1/+/+/up/#"
    assert up_filter("depot", "gate-1") == "edgeguard/v1/depot/gate-1/up/#"


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "$SYS", "-a", "a b", "ä", "a" * 65, "a\n"])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="site is"):
        Topics(name, "gate-1")
    with pytest.raises(ConfigError, match="device is"):
        Topics("depot", name)


@pytest.mark.parametrize("device", ["up", "down"])
def test_no_device_is_called_like_a_direction(device: str) -> None:
    """A user without a `/` in its name could speak for it: rights are given by `edgeguard/v1/<user>/up/#`."""
    with pytest.raises(ConfigError, match="stands for a direction"):
        Topics("depot", device)
    assert sender(f"edgeguard/v1/depot/{device}/up/status") is None
    assert addressee(f"edgeguard/v1/depot/{device}/down/ack") is None


def test_an_alert_always_finds_a_topic() -> None:
    assert TOPICS.alert("a/#+", "") == "edgeguard/v1/depot/gate-1/up/alert/a---/-"


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        (TOPICS.status, ("depot", "gate-1", "status")),
        (TOPICS.alert("dock", "crowd"), ("depot", "gate-1", "alert")),
        ("edgeguard/v1/depot/gate-1/down/command/restart", None),
        (TOPICS.health_past, ("depot", "gate-1", "health")),
        ("edgeguard/v1/depot/gate-1/up/health/tomorrow", None),
        ("edgeguard/v1/depot/gate-1/up/alert", None),
        ("edgeguard/v1/depot/gate-1/up/statuses", None),
        ("edgeguard/v2/depot/gate-1/up/status", None),
        ("other/edgeguard/v1/depot/gate-1/up/status", None),
    ],
)
def test_who_speaks_on_a_topic(topic: str, who: tuple[str, str, str] | None) -> None:
    assert sender(topic) == who


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        ("edgeguard/v1/depot/gate-1/up/status", ("depot", "gate-1", "status")),
        ("edgeguard/v1/depot/gate-1/up/gossip/of/tomorrow", ("depot", "gate-1", "gossip/of/tomorrow")),
        ("edgeguard/v1/depot/gate-1/down/ack", None),
        ("edgeguard/v1/depot/gate-1/up/", None),
        (f"edgeguard/v1/{'x' * 65}/gate-1/up/status", None),
        ("edgeguard/v1/depot/up/gossip", None),
    ],
)
def test_who_speaks_where_a_later_version_does(topic: str, who: tuple[str, str, str] | None) -> None:
    assert speaker(topic) == who
