"""A small certificate authority in a folder, for sites that have none.

`ca.key` and `ca.crt` are the authority; `ca.crl` says who is no longer welcome; `server/` and `clients/` hold
what was issued last under each name; `issued/` holds every certificate ever issued, by serial number, so that
revoking a name finds them all. Keys are readable by their owner only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edgeguard.broker import certificates as make
from edgeguard.broker.roles import check_name
from edgeguard.clock import Clock
from edgeguard.errors import ConfigError, StorageError
from edgeguard.files import check_private, write_private, write_whole

_CA_DAYS = 20 * 365


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate on the disk, and its key; None where whoever asked keeps it."""

    certificate: Path
    key: Path | None
    expires: datetime


class Authority:
    """Issues and revokes. Raises ConfigError for what it cannot certify, StorageError if the disk refuses."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Opens what `create` made."""
        self._folder = folder
        self._clock = clock
        try:
            check_private(folder / "ca.key")
            self._key = make.read_key((folder / "ca.key").read_bytes())
            self._certificate = make.read_certificate((folder / "ca.crt").read_bytes())
        except FileNotFoundError as error:
            raise ConfigError(
                f"{folder} holds no authority ({error.filename} is missing); to make one: "
                f"edgeguard broker ca {folder}"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(f"cannot use the authority in {folder}: {error}") from error

    @classmethod
    def create(cls, folder: Path, name: str, clock: Clock) -> Authority:
        """A new authority; the folder may exist, an authority in it may not."""
        if (folder / "ca.key").exists():
            raise ConfigError(f"{folder} holds an authority already; take another folder")
        key, now = make.new_key(), make.utc(clock.utc_ns())
        certificate = make.authority_certificate(key, name, now, _CA_DAYS)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(folder / "ca.crl", make.revocation_list(certificate, key, [], now))
            write_whole(folder / "ca.crt", make.pem(certificate))
            write_private(folder / "ca.key", make.key_pem(key))
        except OSError as error:
            raise StorageError(f"cannot keep an authority in {folder}: {error}") from error
        return cls(folder, clock)

    def server(self, hosts: Sequence[str], days: int) -> Issued:
        """For the broker, under every name and address by which clients call it."""
        key = make.new_key()
        made = make.server_certificate(self._certificate, self._key, hosts, key.public_key(), self._now, days)
        return self._keep(self._folder / "server" / hosts[0], made, key)

    def client(self, name: str, days: int) -> Issued:
        """For a device or another user; the name becomes its user name at the broker."""
        key = make.new_key()
        return self._client(name, days, key.public_key(), key)

    def sign(self, name: str, days: int, request: bytes) -> Issued:
        """The same for a PEM request, whose key stays where it was made."""
        return self._client(name, days, make.requested_key(request), None)

    def revoke(self, name: str) -> int:
        """Whatever was issued under the name is no longer welcome; how many certificates that makes."""
        crl = self._folder / "ca.crl"
        try:
            issued = [make.read_certificate(path.read_bytes()) for path in self._records.glob("*.crt")]
            revoked = make.revoked_serials(crl.read_bytes())
            found = {one.serial_number for one in issued if make.name_of(one) == name}
            if not found:
                raise ConfigError(f"nothing was issued to {name} by the authority in {self._folder}")
            serials = [*revoked, *sorted(found.difference(revoked))]
            write_whole(crl, make.revocation_list(self._certificate, self._key, serials, self._now))
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot revoke {name}: {error}") from error
        return len(serials) - len(revoked)

    @property
    def _records(self) -> Path:
        return self._folder / "issued"

    @property
    def _now(self) -> datetime:
        return make.utc(self._clock.utc_ns())

    def _client(self, name: str, days: int, public: make.PublicKey, key: make.Key | None) -> Issued:
        place = self._folder / "clients" / check_name(name)
        made = make.client_certificate(self._certificate, self._key, name, public, self._now, days)
        return self._keep(place, made, key)

    def _keep(self, place: Path, certificate: make.Certificate, key: make.Key | None) -> Issued:
        record = self._records / f"{certificate.serial_number:x}.crt"
        crt, key_file = (place.with_name(place.name + end) for end in (".crt", ".key"))
        try:
            for folder in (record.parent, place.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(record, make.pem(certificate))
            if key is not None:
                write_private(key_file, make.key_pem(key))
            write_whole(crt, make.pem(certificate))
        except OSError as error:
            raise StorageError(f"cannot keep the certificate {crt}: {error}") from error
        return Issued(crt, None if key is None else key_file, certificate.not_valid_after_utc)
