"""Whom a connection trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeguard.errors import SourceError
from edgeguard.gst.binding import gio


def trust_only(source: Any, ca_file: Path) -> None:
    """Let an `rtspsrc` trust what is in the PEM file alone, whatever name it has.

    A camera's own certificate seldom has the name or number under which the camera is reached. Raises
    SourceError for a file that holds no certificate.
    """
    library = gio()
    try:
        database = library.TlsFileDatabase.new(str(ca_file))
        known = library.TlsCertificate.list_new_from_file(str(ca_file))
    except Exception as error:  # GLib.Error, whose class needs the binding itself
        raise SourceError(f"cannot read certificates from {ca_file}: {error}") from error
    if not known:
        raise SourceError(f"there is no certificate in {ca_file}; expected PEM text")
    flags = library.TlsCertificateFlags
    source.set_property("tls-database", database)
    source.set_property("tls-validation-flags", flags.VALIDATE_ALL & ~flags.BAD_IDENTITY)
