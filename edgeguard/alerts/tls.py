"""TLS as every link speaks it: 1.2 or newer, the other side's certificate and name verified, always."""

from __future__ import annotations

import ssl

from edgeguard.alerts.link import Tls
from edgeguard.errors import ConfigError
from edgeguard.files import check_private


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Made of the files as they are now. Raises OSError, which names them, if they cannot be used."""
    try:
        return _context(tls)
    except OSError as error:
        files = ", ".join(str(file) for file in (tls.ca_file, tls.cert_file, tls.key_file) if file)
        raise OSError(f"cannot use the TLS files {files}: {error.strerror or error}") from error


def check(tls: Tls) -> None:
    """Raises ConfigError if the files cannot be used."""
    try:
        tls_context(tls)
    except OSError as error:
        raise ConfigError(str(error)) from error


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert_file is not None:
        check_private(tls.key_file or tls.cert_file)
        context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    """Without it OpenSSL would ask on the terminal, and wait."""
    return ""
