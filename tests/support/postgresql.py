"""A real PostgreSQL server in a folder of its own, on a socket and a loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.broker import free_port

PROGRAMS = max(
    Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name)
)
PASSWORD = "of-the-tests-alone"
_SELF_SIGNED = (
    *[
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-days",
        "2",
        "-subj",
        "/CN=database",
    ],
    *("-addext", "subjectAltName=IP:127.0.0.1"),
)


class Postgresql:
    """One server with a user `edgeguard` whose password is `PASSWORD`; keeps its port through restarts."""

    def __init__(self) -> None:
        if PROGRAMS is None:
            pytest.skip("PostgreSQL is not installed: apt install postgresql")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="edgeguard-postgresql-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._data = self._folder / "data"
        self.certificate = self._folder / "server.crt"
        self._run("openssl", *_SELF_SIGNED, "-keyout", self._folder / "server.key", "-out", self.certificate)
        secret = self._folder / "secret"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o644)
        self._run(
            "initdb", "-D", self._data, "-U", "edgeguard", "--pwfile", secret, "-A", "scram-sha-256", "-N"
        )

    @property
    def socket_folder(self) -> Path:
        return self._folder

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://edgeguard@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -c ssl=on"
        options += f" -c ssl_cert_file={self.certificate} -c ssl_key_file={self._folder / 'server.key'}"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """At once, as a crash does; nothing if it does not run."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop", check=False)

    def create(self, name: str) -> str:
        """A new, empty database; its URL."""
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        command = ["createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "edgeguard", name]
        subprocess.run(command, check=True, env=environment)
        return self.url(name)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str | Path, check: bool = True) -> None:
        assert PROGRAMS is not None
        done = subprocess.run(
            [PROGRAMS / program if (PROGRAMS / program).exists() else program, *arguments],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert not check or done.returncode == 0, done.stderr
