"""Escalations by HTTPS, after the Standard Webhooks specification: signed, and the same under the same id.

The receiver checks `webhook-signature`: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>` under the
shared secret. Redirects are not followed, of the answer only the status is read, and plain http goes to
loopback alone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgeguard.clock import Clock
from edgeguard.errors import ConfigError

_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be posted."""

    parcel_id: str
    """The same at every try."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one try."""

    parcel_id: str
    error: str | None
    """Why it did not arrive; None if it did."""


class Webhook:
    """One receiver. Raises ConfigError for a secret or a file of authorities that cannot be used.

    `url` begins with https://, or with http:// where the host is this machine.
    """

    def __init__(
        self, url: str, secret: str, clock: Clock, ca_file: Path | None = None, timeout_s: float = 10.0
    ) -> None:
        self._url = urlsplit(url)
        self._key = secret_key(secret)
        self._clock = clock
        self._timeout_s = timeout_s
        self._tls = _tls_context(ca_file) if self._url.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None
        self._aborted = False

    def post(self, parcel: Parcel) -> Posted:
        """Try once. Each step of the conversation may take `timeout_s`; see `abort`."""
        self._aborted = False
        self._connection = connection = self._connect()
        try:
            connection.request("POST", self._target, parcel.body, self._headers(parcel))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return Posted(parcel.parcel_id, f"{self._where} does not answer: {error or type(error).__name__}")
        finally:
            self._connection = None
            connection.close()
        return Posted(parcel.parcel_id, self._judge(status))

    def abort(self) -> None:
        """Called by another thread: break the try that goes on, if it has come as far as a connection."""
        self._aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # TLS's own is not for two threads

    def _judge(self, status: int) -> str | None:
        if self._aborted:
            return f"{self._where} does not come to the end of its answer"
        return None if 200 <= status < 300 else f"{self._where} answers with status {status}"

    def _connect(self) -> http.client.HTTPConnection:
        """The port is always named: without one, http.client would look for it in an IPv6 address."""
        host, port = self._url.hostname or "", self._url.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port or http.client.HTTP_PORT, timeout=self._timeout_s)
        port = port or http.client.HTTPS_PORT
        return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        seconds = self._clock.utc_ns() // 1_000_000_000
        return {
            "content-type": "application/json",
            "user-agent": "edgeguard",
            "webhook-id": parcel.parcel_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(self._key, parcel, seconds),
        }

    @property
    def _target(self) -> str:
        query = f"?{self._url.query}" if self._url.query else ""
        return (self._url.path or "/") + query

    @property
    def _where(self) -> str:
        """Without path and query, which may hold a token."""
        return f"{self._url.scheme}://{self._url.netloc.rpartition('@')[2]}"


def signature(key: bytes, parcel: Parcel, timestamp_s: int) -> str:
    """The value of `webhook-signature`."""
    signed = f"{parcel.parcel_id}.{timestamp_s}.".encode() + parcel.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def secret_key(secret: str) -> bytes:
    """The key in `whsec_<base64>`. Raises ConfigError, which does not tell the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _SECRET_BYTES:
        raise ConfigError(
            "the webhook's secret is not `whsec_` with 24 to 64 bytes in base64 behind it; make one with "
            'printf "whsec_%s\\n" "$(head -c 32 /dev/urandom | base64)"'
        )
    return key


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(f"cannot use the webhook's authorities in {ca_file}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
