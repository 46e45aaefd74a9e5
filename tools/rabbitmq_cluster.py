"""Simulated devices against three RabbitMQ nodes and a real `edgeguard collect`; the leader is killed.

    python tools/rabbitmq_cluster.py --devices 200 --rate 200 --seconds 30 [--json]

The nodes run on 127.0.0.1 to 127.0.0.3 with the configuration that ships, every client with a certificate of
its own: devices over MQTT (5, or 3.1.1 before RabbitMQ 4), the collector over AMQP from the quorum queue.
After a third of the time the node that leads the queue is killed (`kill -9`), after two thirds it comes back;
devices that lose their connection go to the next node. Each device keeps an alert and sends it again until
the collector's receipt for it came.

`lost` are revisions that were handed over and are not in the collector's database at the end, `invented` the
reverse, `stall_s` the longest time without any receipt. The last line on standard output is one JSON object;
the exit code is 1 if alerts were lost, invented or never receipted. `--root DIR` runs the RabbitMQ that is
installed in another root folder (debootstrap).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import ssl
import sys
import tempfile
from pathlib import Path
from typing import Any

from _centre import CollectorProgram
from _fleet import SITE, Fleet, FleetDevice, Tally, percentile
from _mqtt_simulator import MQTT5, MQTT311, MqttConnection
from _programs import end_on_sigterm
from _rabbitmq import Cluster, missing

from edgeguard.alerts.link import Tls
from edgeguard.alerts.tls import tls_context
from edgeguard.broker.definitions import QUEUE, definitions
from edgeguard.clock import SystemClock

COLLECTOR = "centre"
_CONNECTS_PER_S = 50.0
_HEALTH_EVERY_S = 10.0
_DRAIN_S = 60.0
_DAYS = 2


def main() -> int:
    args = _parser().parse_args()
    end_on_sigterm()
    if (why := missing(args.root)) is not None:
        raise SystemExit(why)
    with tempfile.TemporaryDirectory(prefix="edgeguard-rabbitmq-", dir=args.root / "tmp") as name:
        Path(name).chmod(0o755)
        figures = _run(Path(name), args)
    print(json.dumps(figures))
    return int(bool(figures["lost"] or figures["invented"] or figures["unreceipted"]))


def _run(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    cluster = Cluster(folder, root=args.root)
    try:
        cluster.start()
        names = [f"{SITE}/guard-{number}" for number in range(args.devices)]
        cluster.define(json.dumps(definitions({"devices": names, "collectors": [COLLECTOR]})))
        _say(args, f"RabbitMQ {'.'.join(map(str, cluster.version))}: three nodes")
        return _measured(folder, cluster, args)
    finally:
        cluster.stop()


def _measured(folder: Path, cluster: Cluster, args: argparse.Namespace) -> dict[str, Any]:
    collector = CollectorProgram(folder, cluster.mqtt_port, COLLECTOR, _by_amqp(cluster))
    with collector:
        collector.start()
        collector.wait_until_ready()
        fleet = ClusterFleet(args.devices, cluster, args.seed)
        killed = asyncio.run(_live(fleet, cluster, args))
        collector.stop()
        collected = {(alert["alert_id"], alert["revision"]) for alert in collector.alerts()}
    tally = fleet.tally
    return {
        "devices": args.devices,
        "alerts": len(tally.told),
        "lost": len(tally.told - collected),
        "invented": len(collected - tally.told),
        "stall_s": round(fleet.stall_s, 2),
        "p50_ms": percentile(tally.latency_ms, 0.5),
        "p99_ms": percentile(tally.latency_ms, 0.99),
        "max_ms": percentile(tally.latency_ms, 1.0),
        "unreceipted": fleet.waiting,
        "sent_again": tally.sent - len(tally.told),
        "reconnects": tally.reconnects,
        "killed": killed,
        "rabbitmq": ".".join(map(str, cluster.version)),
    }


async def _live(fleet: ClusterFleet, cluster: Cluster, args: argparse.Namespace) -> str:
    """Which node was killed."""
    await fleet.connect(_CONNECTS_PER_S)
    _say(args, f"{args.devices} devices connected")
    keeping = asyncio.create_task(fleet.keep_connected())
    talking = asyncio.create_task(fleet.talk(args.seconds, args.rate, 0.0, _HEALTH_EVERY_S))
    leader = await asyncio.to_thread(cluster.leader, QUEUE)
    await asyncio.sleep(args.seconds / 3)
    leader.kill9()
    _say(args, f"killed {leader.name}, which led the queue")
    await asyncio.sleep(args.seconds / 3)
    leader.start()
    await talking
    await fleet.drain(_DRAIN_S)
    keeping.cancel()
    await fleet.leave()
    return leader.name


class ClusterDevice(FleetDevice):
    """Goes from node to node, with a certificate of its own."""

    def __init__(self, number: int, cluster: Cluster, rng: random.Random, tally: Tally) -> None:
        super().__init__(number, cluster.mqtt_port, SystemClock(), rng, tally)
        self.level = MQTT5 if cluster.version >= (4,) else MQTT311
        hosts = cluster.hosts[number % len(cluster.hosts) :] + cluster.hosts[: number % len(cluster.hosts)]
        self._hosts = itertools.cycle(hosts)
        self._tls = certified(cluster, f"{SITE}/guard-{number}")

    async def _dial(self, connection: MqttConnection) -> None:
        loop, host = asyncio.get_running_loop(), next(self._hosts)
        await loop.create_connection(
            lambda: connection, host, self._port, ssl=self._tls, server_hostname=host
        )


class ClusterFleet(Fleet):
    """Devices that come back by themselves when a node dies below them."""

    def __init__(self, devices: int, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        super().__init__(devices, cluster.mqtt_port, SystemClock(), seed)
        self.stall_s = 0.0

    async def keep_connected(self) -> None:
        """And note how long no receipt came at all, while some were due."""
        returning: dict[FleetDevice, asyncio.Task[None]] = {}
        receipts, since_ns = 0, self._clock.monotonic_ns()
        while True:
            for device in self._devices:
                if not device.connected and (device not in returning or returning[device].done()):
                    self.tally.reconnects += 1
                    returning[device] = asyncio.create_task(self._join(self._random.uniform(0.1, 1), device))
            now_ns = self._clock.monotonic_ns()
            if len(self.tally.latency_ms) > receipts or not self.waiting:
                receipts, since_ns = len(self.tally.latency_ms), now_ns
            self.stall_s = max(self.stall_s, (now_ns - since_ns) / 1e9)
            await asyncio.sleep(0.05)

    def _device(self, number: int, _port: int) -> FleetDevice:
        return ClusterDevice(number, self._cluster, self._random, self.tally)


def certified(cluster: Cluster, name: str) -> ssl.SSLContext:
    issued = cluster.authority.client(name, _DAYS)
    return tls_context(Tls(cluster.folder / "pki" / "ca.crt", issued.certificate, issued.key))


def _by_amqp(cluster: Cluster) -> dict[str, Any]:
    """What the collector's configuration says for the queue."""
    issued = cluster.authority.client(COLLECTOR, _DAYS)
    ca_file = cluster.folder / "pki" / "ca.crt"
    files = {"ca_file": ca_file, "cert_file": issued.certificate, "key_file": issued.key}
    tls = {"enabled": True, **{key: str(path) for key, path in files.items()}}
    first, *others = cluster.hosts
    return {
        "mqtt": {"host": first, "fallback_hosts": others, "tls": tls},
        "amqp": {"queue": QUEUE, "port": cluster.amqp_port},
    }


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.json:
        print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=200, help="in all (%(default)s)")
    parser.add_argument("--rate", type=float, default=200.0, help="alerts a second in all (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they talk (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of alerts and moments (%(default)s)")
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="where RabbitMQ is installed (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
