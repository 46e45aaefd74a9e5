"""A RabbitMQ cluster of three nodes on loopback, with the configuration that ships.

Each node has a loopback address of its own (127.0.0.1 to 127.0.0.3) and the same ports, as on three machines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from _programs import Program, answers, free_port, wait_for

from edgeguard.broker.authority import Authority
from edgeguard.clock import SystemClock

SHIPPED = Path(__file__).resolve().parent.parent / "deploy" / "broker" / "rabbitmq"
_BIN = Path("/usr/lib/rabbitmq/bin")
_VERSION = re.compile(r"rabbitmq_server-([0-9.]+)")
_START_S = 90.0
_DAYS = 2


class Cluster:
    """Nodes, their authority and what they have in common. `root` is a folder to run RabbitMQ in (chroot)."""

    def __init__(self, folder: Path, size: int = 3, root: Path | None = None) -> None:
        self.folder = folder
        self.root = root or Path("/")
        self.version = _version(self.root)
        self.authority = Authority.create(folder / "pki", "RabbitMQ", SystemClock())
        self.amqp_port, self.mqtt_port = free_port(), free_port()
        self._epmd_port = free_port()
        self.hosts = [f"127.0.0.{number + 1}" for number in range(size)]
        self._install()
        self._epmd = Program(
            "epmd",
            self.command("/usr/bin/epmd", "-port", str(self._epmd_port)),
            folder,
            {"ERL_EPMD_ADDRESS": "127.0.0.1"},
        )
        self.nodes = [RabbitNode(self, number) for number in range(size)]

    def start(self) -> None:
        """Returns once all nodes know each other."""
        self._epmd.start()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_until_up()
        self.nodes[0].control("await_online_nodes", str(len(self.nodes)), timeout_s=_START_S)

    def define(self, definitions: str) -> None:
        """Import them, as the documentation says, and let nobody in by password."""
        path = self.folder / "definitions.json"
        path.write_text(definitions)
        self.nodes[0].control("import_definitions", str(self.inside(path)))
        self.nodes[0].control("delete_user", "guest")
        if self.version < (4,):
            self.nodes[0].control(
                *(
                    "set_policy",
                    "sessions",
                    "^mqtt-subscription-",
                    '{"ha-mode":"all"}',
                    "--apply-to",
                    "queues",
                )
            )

    def stop(self) -> None:
        for program in (*self.nodes, self._epmd):
            if program.running:
                program.kill9()

    def leader(self, queue: str) -> RabbitNode:
        """The node that leads the queue."""
        up = next(node for node in self.nodes if node.running)
        rows = up.control("list_queues", "--quiet", "--no-table-headers", "name", "leader").splitlines()
        name = dict(row.split("\t") for row in rows)[queue]
        return next(node for node in self.nodes if node.node_name == name)

    def inside(self, path: Path) -> Path:
        """`path` as the nodes see it."""
        return Path("/") / path.relative_to(self.root)

    def command(self, *words: str) -> list[str]:
        return list(words) if self.root == Path("/") else ["chroot", str(self.root), *words]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.inside(self.folder)),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }

    def node_names(self) -> list[str]:
        return [f"r{number + 1}@localhost" for number in range(len(self.hosts))]

    def _install(self) -> None:
        installed = self.folder / "installed"
        installed.mkdir()
        server = self.authority.server(["localhost", *self.hosts], _DAYS)
        assert server.key is not None
        shutil.copy(server.certificate, installed / "server.crt")
        shutil.copy(server.key, installed / "server.key")
        shutil.copy(self.folder / "pki" / "ca.crt", installed)
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(os.urandom(16).hex())
        cookie.chmod(0o400)


class RabbitNode(Program):
    """One node, with a folder of its own."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.host = cluster.hosts[number]
        self.node_name = cluster.node_names()[number]
        self._cluster = cluster
        folder = cluster.folder / f"r{number + 1}"
        folder.mkdir()
        self._conf = folder / "conf.d"
        self._conf.mkdir()
        self._install()
        super().__init__(
            f"r{number + 1}",
            cluster.command(str(_BIN / "rabbitmq-server")),
            folder,
            self._environment_of(folder),
        )

    def wait_until_up(self) -> None:
        ports = (self._cluster.amqp_port, self._cluster.mqtt_port)
        wait_for(
            lambda: all(answers(port, self.host) for port in ports), f"{self.name} answers", _START_S, 0.2
        )

    def control(self, *words: str, timeout_s: float = 60.0) -> str:
        """What rabbitmqctl says. Raises CalledProcessError."""
        command = self._cluster.command(str(_BIN / "rabbitmqctl"), "--node", self.node_name, *words)
        done = subprocess.run(
            command,
            env={**os.environ, **self._cluster.environment()},
            timeout=timeout_s,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def _install(self) -> None:
        cluster, shipped = self._cluster, (SHIPPED / "edgeguard.conf").read_text()
        text = _replaced(
            shipped,
            {
                "/etc/rabbitmq/edgeguard/": f"{cluster.inside(cluster.folder / 'installed')}/",
                "ssl.default = 8883": f"ssl.1 = {self.host}:{cluster.mqtt_port}",
                "ssl.default = 5671": f"ssl.1 = {self.host}:{cluster.amqp_port}",
                **{f"rabbit@broker-{n + 1}": name for n, name in enumerate(cluster.node_names())},
            },
        )
        lines = [line for line in text.splitlines() if "rabbit@broker-" not in line]  # of a smaller cluster
        (self._conf / "edgeguard.conf").write_text("\n".join([*lines, ""]))
        if cluster.version >= (4,):
            shutil.copy(SHIPPED / "edgeguard-4.conf", self._conf)

    def _environment_of(self, folder: Path) -> Mapping[str, str]:
        inside = self._cluster.inside(folder)
        shutil.copy(SHIPPED / "enabled_plugins", folder)
        return {
            **self._cluster.environment(),
            "RUNNING_UNDER_SYSTEMD": "true",  # so that the process we start is the node itself
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_NODE_PORT": str(self._cluster.amqp_port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{inside}/mnesia",
            "RABBITMQ_LOG_BASE": f"{inside}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{inside}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{inside}/none",
            "RABBITMQ_CONFIG_FILES": f"{inside}/conf.d/*.conf",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
        }


def missing(root: Path = Path("/")) -> str | None:
    """Why no cluster can be run; None if one can."""
    if not (root / _BIN.relative_to("/") / "rabbitmq-server").exists():
        return "RabbitMQ is not installed: apt install --no-install-recommends rabbitmq-server"
    return None


def _version(root: Path) -> tuple[int, ...]:
    found = sorted((root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"))
    match = _VERSION.fullmatch(found[-1].name) if found else None
    if match is None:
        raise SystemExit(missing(root) or f"no RabbitMQ in {root}")
    return tuple(int(part) for part in match[1].split("."))


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for shipped, here in changes.items():
        if shipped not in text:
            raise RuntimeError(f"the shipped configuration has no {shipped!r}")
        text = text.replace(shipped, here)
    return text
