"""The checks of files: certificates, secrets, the state folder, the configuration."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edgeguard.alerts.link import Tls
from edgeguard.broker.authority import Authority
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.runtime.doctor import Check, Finding, Verdict, examine
from edgeguard.runtime.doctor.certificates import certificates
from edgeguard.runtime.doctor.configuration import advised, unread
from edgeguard.runtime.doctor.pem import validities
from edgeguard.runtime.doctor.permissions import permissions

CLOCK = SystemClock()
DAY_NS = 86_400 * 10**9


def later(days: float) -> ManualClock:
    return ManualClock(0, CLOCK.utc_ns() + round(days * DAY_NS))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("site") / "pki", "Depot", CLOCK)


def test_the_days_in_a_certificate_are_those_that_it_was_made_for(authority: Authority) -> None:
    issued = authority.client("depot/gate-1", 90)
    (found,) = validities(issued.certificate.read_text())
    assert abs(found.ends - issued.expires) < timedelta(seconds=1)
    assert found.begins < datetime.now(timezone.utc)


def test_a_year_after_2049_is_read_too(authority: Authority) -> None:
    (found,) = validities(authority.client("depot/gate-2", 7300 + 3650).certificate.read_text())
    assert found.ends.year > 2049


def test_several_certificates_in_a_file_are_read_and_damage_is_said(authority: Authority) -> None:
    text = authority.client("depot/gate-3", 10).certificate.read_text()
    assert len(validities(text * 3)) == 3
    assert validities("no certificate") == []
    lines = text.splitlines()
    with pytest.raises(ValueError, match="cut off"):
        validities("\n".join([lines[0], lines[1][:40], lines[-1]]))


def look(path: Path, clock: ManualClock | SystemClock, tls: Tls | None = None) -> list[Finding]:
    return list(certificates([("mqtt.tls.cert_file", path)], tls, clock))


@pytest.mark.parametrize(
    ("days", "verdict", "said"),
    [
        (1, Verdict.OK, "holds until"),
        (65, Verdict.WARNING, "in 24 days"),
        (91, Verdict.FAULT, "ended on"),
        (-30, Verdict.FAULT, "begins on"),
    ],
)
def test_the_end_of_a_certificate_is_seen_coming(
    authority: Authority, days: float, verdict: Verdict, said: str
) -> None:
    path = authority.client("depot/gate-4", 90).certificate
    (found,) = look(path, later(days))
    assert (found.verdict, said in found.said) == (verdict, True)
    assert str(path) == found.about


def test_of_a_chain_each_has_to_hold_and_of_authorities_one(tmp_path: Path) -> None:
    """The authority behind a certificate that has ended holds for years yet, and helps nobody."""
    leaf = Authority.create(tmp_path / "pki", "Depot", CLOCK).client("depot/gate-5", 30).certificate
    chain = tmp_path / "chain.pem"
    chain.write_text(leaf.read_text() + (tmp_path / "pki" / "ca.crt").read_text())
    assert look(chain, later(31))[0].verdict is Verdict.FAULT
    assert look(chain, later(1))[0].verdict is Verdict.WARNING
    (found,) = certificates([("mqtt.tls.ca_file", chain)], None, later(31))
    assert found.verdict is Verdict.OK


def test_what_is_no_certificate_is_said(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----")
    assert "there is no certificate in" in look(tmp_path / "key.pem", CLOCK)[0].said
    assert "No such file" in look(tmp_path / "gone.pem", CLOCK)[0].said


def test_certificate_and_key_of_different_devices_are_said(authority: Authority) -> None:
    one, other = authority.client("depot/a", 90), authority.client("depot/b", 90)
    assert len(look(one.certificate, CLOCK, Tls(None, one.certificate, one.key))) == 1
    found = look(one.certificate, CLOCK, Tls(None, one.certificate, other.key))
    assert "do not belong together" in (found[-1].cause or "")


def secret(folder: Path, mode: int) -> Path:
    path = folder / "password"
    path.write_text("hunter2\n")
    path.chmod(mode)
    return path


def rights(folder: Path, path: Path, *, fix: bool = False) -> list[Finding]:
    state = folder / "state"
    asked = lambda: permissions(None, [("mqtt.password_file", path)], state, os.geteuid())  # noqa: E731
    return list(examine([Check("permissions", asked)], CLOCK, fix=fix))


def test_a_secret_that_others_can_read_is_a_fault_and_can_be_mended(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o750)
    path = secret(tmp_path, 0o644)
    (found, _) = rights(tmp_path, path)
    assert found.verdict is Verdict.FAULT
    assert (found.cause, found.fix) == ("its mode is 0644", f"chmod 600 {path}")
    assert path.stat().st_mode & 0o777 == 0o644
    (found, _) = rights(tmp_path, path, fix=True)
    assert (found.verdict, found.mended) == (Verdict.OK, "its mode is 0640 now")
    assert path.stat().st_mode & 0o777 == 0o640


def test_mending_gives_nobody_a_right(tmp_path: Path) -> None:
    path = secret(tmp_path, 0o604)
    rights(tmp_path, path, fix=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_not_there_is_a_fault_and_is_not_made(tmp_path: Path) -> None:
    found = rights(tmp_path, tmp_path / "none", fix=True)[0]
    assert "No such file" in found.said
    assert not (tmp_path / "none").exists()


def test_the_state_folder_is_made_where_that_is_asked_for(tmp_path: Path) -> None:
    path = secret(tmp_path, 0o600)
    assert "is missing" in rights(tmp_path, path)[-1].said
    assert not (tmp_path / "state").exists()
    found = rights(tmp_path, path, fix=True)[-1]
    assert (found.verdict, found.mended) == (Verdict.OK, f"made {tmp_path / 'state'}")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o750


def test_a_state_folder_of_somebody_else_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (found,) = permissions(None, [], tmp_path / "state", os.geteuid() + 1)
    assert found.verdict is Verdict.FAULT
    assert f"sudo chown -R {os.geteuid() + 1}" in (found.fix or "")


def test_a_state_folder_and_a_configuration_that_everybody_can_change_are_faults(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    config = tmp_path / "edgeguard.yaml"
    config.write_text("site: depot\n")
    config.chmod(0o666)
    found = list(permissions(config, [], tmp_path / "state", os.geteuid()))
    assert [one.verdict for one in found] == [Verdict.FAULT, Verdict.FAULT]


def test_advice_is_a_warning_and_a_wrong_configuration_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "edgeguard.yaml"
    found = list(advised(path, "1 cameras", ["rules: none is enabled, so no alert will ever be raised"]))
    assert [one.verdict for one in found] == [Verdict.OK, Verdict.WARNING]
    assert found[1].about == "rules"
    assert unread(path, "mqtt: is missing").verdict is Verdict.FAULT
    assert unread(None, None).verdict is Verdict.SKIPPED


def test_mending_never_reaches_through_a_link(tmp_path: Path) -> None:
    """Whoever may write beside the secret could else have root close any file of the system."""
    (tmp_path / "state").mkdir(mode=0o750)
    (tmp_path / "etc").mkdir()
    victim = secret(tmp_path / "etc", 0o644)
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "folder").symlink_to(tmp_path / "etc")
    (tmp_path / "twin").hardlink_to(victim)
    for path in (tmp_path / "link", tmp_path / "folder" / "password", tmp_path / "twin"):
        found = rights(tmp_path, path, fix=True)[0]
        assert (found.verdict, found.mended) == (Verdict.FAULT, None)
        assert victim.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("mode", "after"), [(0o703, 0o700), (0o777, 0o750), (0o702, 0o700)])
def test_closing_the_state_folder_gives_nobody_a_right(tmp_path: Path, mode: int, after: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    assert rights(tmp_path, secret(tmp_path, 0o600), fix=True)[-1].verdict is Verdict.OK
    assert state.stat().st_mode & 0o777 == after


def test_a_state_folder_behind_a_link_is_left_to_its_owner(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere").chmod(0o777)
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    assert rights(tmp_path, secret(tmp_path, 0o600), fix=True)[-1].verdict is Verdict.FAULT
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o777
