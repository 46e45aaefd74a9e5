"""The only door to cryptography here: certificates and revocation lists as values, without files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

from edgeguard.errors import ConfigError, DependencyError, how_to_install

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    raise DependencyError(
        f"certificates need cryptography: {how_to_install('cryptography>=42')} ({error})"
    ) from error

Certificate = x509.Certificate
Key = ec.EllipticCurvePrivateKey
PublicKey = CertificatePublicKeyTypes

_SKEW = timedelta(days=1)
"""Certificates begin this much early, for clocks that are behind."""
_LONGEST_NAME = 64
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_OTHER_USES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def read_key(pem: bytes) -> Key:
    """Raises ValueError or TypeError for what is no such key, or is encrypted."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, Key):
        raise TypeError("it is no elliptic-curve key")
    return key


def key_pem(key: Key) -> bytes:
    form, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, open_)


def read_certificate(pem: bytes) -> Certificate:
    """Raises ValueError."""
    return x509.load_pem_x509_certificate(pem)


def pem(signed: Certificate) -> bytes:
    return signed.public_bytes(serialization.Encoding.PEM)


def name_of(certificate: Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def requested_key(request: bytes) -> PublicKey:
    """The key of a PEM request; nothing else in it is heard. Raises ConfigError."""
    try:
        asked = x509.load_pem_x509_csr(request)
    except ValueError as error:
        raise ConfigError(f"this is no certificate request in PEM: {error}") from error
    if not asked.is_signature_valid:
        raise ConfigError("the certificate request is not signed with its own key")
    return asked.public_key()


def authority_certificate(key: Key, name: str, now: datetime, days: int) -> Certificate:
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), now, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def client_certificate(
    ca: Certificate, ca_key: Key, name: str, key: PublicKey, now: datetime, days: int
) -> Certificate:
    """For whoever logs in with it; the name is the user's."""
    builder = _issued(ca, name, key, now, days, ExtendedKeyUsageOID.CLIENT_AUTH)
    return builder.sign(ca_key, hashes.SHA256())


def server_certificate(
    ca: Certificate, ca_key: Key, hosts: Sequence[str], key: PublicKey, now: datetime, days: int
) -> Certificate:
    """For a broker, under every name and address by which clients call it."""
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _issued(ca, hosts[0], key, now, days, ExtendedKeyUsageOID.SERVER_AUTH)
    return builder.add_extension(names, critical=False).sign(ca_key, hashes.SHA256())


def revocation_list(ca: Certificate, ca_key: Key, serials: Iterable[int], now: datetime) -> bytes:
    """PEM. It lasts as long as the authority: a list that ran out would shut out every device at once."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.subject)
    builder = builder.last_update(now - _SKEW).next_update(ca.not_valid_after_utc)
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def revoked_serials(crl: bytes) -> list[int]:
    """Raises ValueError for what is no revocation list."""
    return [revoked.serial_number for revoked in x509.load_pem_x509_crl(crl)]


def utc(ns: int) -> datetime:
    """Whole seconds, which is all that a certificate can say."""
    return datetime.fromtimestamp(ns // 10**9, timezone.utc)


def _issued(
    ca: Certificate, name: str, key: PublicKey, now: datetime, days: int, use: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    issuer = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    builder = _builder(ca.subject, _subject(name), key, now, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return builder.add_extension(authority, critical=False)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: PublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    signs = {"key_cert_sign": signs_certificates, "crl_sign": signs_certificates}
    return x509.KeyUsage(
        digital_signature=not signs_certificates, **signs, **dict.fromkeys(_OTHER_USES, False)
    )


def _subject(name: str) -> x509.Name:
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ConfigError(f"{name!r} cannot be the name in a certificate: 1 to {_LONGEST_NAME} characters")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host):
            raise ConfigError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host)
