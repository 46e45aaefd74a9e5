from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from edgeguard.broker.authority import Authority
from edgeguard.cli.main import app
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import ConfigError, StorageError


def run(*words: object) -> str:
    said = CliRunner().invoke(app, ["broker", *map(str, words)])
    assert said.exit_code == 0, said.output
    return said.stdout


def openssl(*words: object) -> str:
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run("ca", tmp_path / "pki", "--name", "Depot")
    return tmp_path / "pki"


def test_every_key_is_its_owners_only(folder: Path) -> None:
    run("server", folder, "--host", "broker.depot.example")
    run("client", folder, "depot/gate-1")
    keys = sorted(folder.rglob("*.key"))
    assert [key.relative_to(folder).as_posix() for key in keys] == [
        "ca.key",
        "clients/depot/gate-1.key",
        "server/broker.depot.example.key",
    ]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}


def test_openssl_accepts_what_was_issued_for_what_it_was_issued(folder: Path) -> None:
    run("server", folder, "--host", "localhost", "--host", "192.0.2.7", "--host", "::1")
    run("client", folder, "depot/gate-1")
    checked = (
        "verify",
        "-x509_strict",
        "-crl_check",
        "-CRLfile",
        folder / "ca.crl",
        "-CAfile",
        folder / "ca.crt",
    )
    server, client = folder / "server/localhost.crt", folder / "clients/depot/gate-1.crt"
    for name in ("-verify_hostname", "localhost"), ("-verify_ip", "192.0.2.7"), ("-verify_ip", "::1"):
        openssl(*checked, "-purpose", "sslserver", *name, server)
    openssl(*checked, "-purpose", "sslclient", client)
    for wrong in (("sslserver", client), ("sslclient", server)):
        with pytest.raises(subprocess.CalledProcessError):
            openssl(*checked, "-purpose", *wrong)


def test_a_request_is_signed_under_the_name_that_was_said(folder: Path, tmp_path: Path) -> None:
    key, request = tmp_path / "own.key", tmp_path / "own.csr"
    openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", key, "-out", request
    )
    run("client", folder, "depot/gate-1", "--request", request)
    certificate = folder / "clients/depot/gate-1.crt"
    assert openssl("x509", "-noout", "-subject", "-in", certificate).strip().endswith("depot/gate-1")
    assert openssl("x509", "-noout", "-pubkey", "-in", certificate) == openssl("pkey", "-pubout", "-in", key)
    assert not certificate.with_suffix(".key").exists()


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
def test_what_is_no_request_is_a_sentence(folder: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match="no certificate request"):
        Authority(folder, SystemClock()).sign("depot/gate-1", 1, content)


def test_revoking_a_name_finds_every_certificate_of_it_and_no_other(folder: Path) -> None:
    for name in ("depot/gate-1", "depot/gate-1", "depot/gate-2"):
        run("client", folder, name)
    assert run("revoke", folder, "depot/gate-1").startswith("2 certificates")
    assert run("revoke", folder, "depot/gate-1").startswith("0 certificates")
    run("client", folder, "depot/gate-1")
    assert run("revoke", folder, "depot/gate-1").startswith("1 certificate of")
    crl = x509.load_pem_x509_crl((folder / "ca.crl").read_bytes())
    other = x509.load_pem_x509_certificate((folder / "clients/depot/gate-2.crt").read_bytes())
    assert len(list(crl)) == 3
    assert crl.get_revoked_certificate_by_serial_number(other.serial_number) is None


def test_the_revocation_list_lasts_as_long_as_the_authority(folder: Path) -> None:
    crl = x509.load_pem_x509_crl((folder / "ca.crl").read_bytes())
    ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    assert crl.next_update_utc == ca.not_valid_after_utc


def test_days_are_counted_from_now(tmp_path: Path) -> None:
    clock = ManualClock(utc_offset_ns=1_700_000_000 * 10**9)
    issued = Authority.create(tmp_path / "pki", "Depot", clock).client("wall", 30)
    assert issued.expires.timestamp() == 1_700_000_000 + 30 * 86_400


def test_an_authority_is_never_replaced(folder: Path) -> None:
    before = (folder / "ca.key").read_bytes()
    with pytest.raises(ConfigError, match="holds an authority already"):
        Authority.create(folder, "Depot", SystemClock())
    assert (folder / "ca.key").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["", "+/gate", "depot/gate 1", "../../etc/x", "depot/..", "s" * 40 + "/" + "d" * 40]
)
def test_a_name_that_cannot_be_certified_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        Authority(folder, SystemClock()).client(name, 1)
    assert not (folder / "clients").exists()


@pytest.mark.parametrize("host", ["", "../../x", "a b", "mqtt://broker", ".example"])
def test_a_host_that_is_none_is_refused(folder: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="neither a host name nor an address"):
        Authority(folder, SystemClock()).server([host], 1)


def test_a_folder_without_an_authority_is_a_sentence(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["broker", "client", str(tmp_path), "wall"])
    assert said.exit_code == 78
    assert f"edgeguard broker ca {tmp_path}" in said.stderr


@pytest.mark.parametrize("name", ["ca.key", "ca.crt"])
def test_a_damaged_authority_is_a_sentence(folder: Path, name: str) -> None:
    (folder / name).write_text("nothing")
    with pytest.raises(StorageError, match="cannot use the authority"):
        Authority(folder, SystemClock())


def test_a_key_that_others_can_read_is_not_used(folder: Path) -> None:
    (folder / "ca.key").chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        Authority(folder, SystemClock())


def test_revoking_who_was_never_known_is_a_sentence(folder: Path) -> None:
    with pytest.raises(ConfigError, match="nothing was issued to depot/gate-9"):
        Authority(folder, SystemClock()).revoke("depot/gate-9")
