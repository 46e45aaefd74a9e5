"""What happens to alerts that nobody acknowledges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, PlainSerializer, ValidationInfo, field_validator

from edgeguard.config.mqtt import is_loopback
from edgeguard.config.secrets import MASK
from edgeguard.config.section import Location, Section, pattern
from edgeguard.types import Severity


def _https(url: str) -> str:
    parts = _split(url)
    if parts is None or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise ValueError("expected https://host[:port]/path without blanks, user name and fragment")
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise ValueError(
            f"would send alerts readable for everybody on the way to {parts.hostname}; expected https://"
        )
    return url


def _split(url: str) -> SplitResult | None:
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        return None
    try:
        parts = urlsplit(url)
        valid = parts.port != 0
    except ValueError:
        return None
    return parts if valid else None


def _without_path(url: str) -> str:
    """Path and query of a webhook often are a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}"


WebhookUrl = Annotated[
    str,
    pattern(r"^https?://[!-~]+$", "a URL that begins with https://, or with http:// on this machine"),
    AfterValidator(_https),
    PlainSerializer(_without_path),
]


class Webhook(Section):
    """Who is called by HTTPS for each escalation, after the Standard Webhooks specification."""

    url: WebhookUrl | None = None
    """Where to post to: https://, or http:// on this machine; null: nowhere."""
    secret_file: Location | None = Field(default=None, validate_default=True)
    """File whose first line is the signing secret, `whsec_` and base64; readable by the service only
    (chmod 600)."""
    ca_file: Location | None = None
    """PEM file with the authorities to trust; null: the system's."""
    timeout_s: float = Field(default=10.0, ge=1, le=60)
    """Seconds that connecting or answering may take; what fails is tried again for three days."""

    @field_validator("secret_file")
    @classmethod
    def _goes_with_the_url(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "url" in info.data and (info.data["url"] is None) != (value is None):
            raise ValueError("expected both url and secret_file, or neither")
        return value


class Escalation(Section):
    """Raises alerts that nobody acknowledges to severity critical, and calls somebody."""

    after_s: float | None = Field(default=None, ge=1, le=604_800)
    """Seconds that an alert may stay without acknowledgement; null: nothing is escalated."""
    severity: Annotated[Severity, Field(strict=False)] = Severity.ALARM
    """Least severity of an alert that is escalated."""
    webhook: Webhook = Field(default=Webhook(), validate_default=True)
    """Who is called by HTTPS for each escalation."""

    @field_validator("webhook")
    @classmethod
    def _is_used(cls, webhook: Webhook, info: ValidationInfo) -> Webhook:
        if webhook.url is not None and info.data.get("after_s", 1) is None:
            raise ValueError("is never called while after_s is null; expected a number of seconds there")
        return webhook
