"""Thousands of simulated devices against one real mosquitto and one real `edgeguard collect`.

    python tools/fleet.py --devices 5000 --rate 500 --seconds 20 [--json]
    python tools/fleet.py --devices 5000 --find-limit [--json]

All devices live in this one process and speak MQTT 5: last will and retained status, retained health every
30 s each, alerts of every kind and size from random devices, `--rate` a second in all. Each alert is kept and
sent again until the collector's receipt for it came. The first alert comes 3 s after the last device did. One
device in a hundred loses its connection every 10 s and comes back within a second.

`p50_ms`, `p99_ms` and `max_ms` are the time from handing an alert over to its receipt, of all alerts, also of
those that were sent again; `lost` are revisions that were handed over and are not in the collector's database
at the end. `--find-limit` raises the rate, each in a run of its own, for as long as nothing is lost and p99
stays below a second, and reports the last such run. The last line on standard output is one JSON object; the
exit code is 1 if alerts were lost or never receipted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from pathlib import Path

from _centre import CollectorProgram
from _fleet import Fleet, percentile
from _programs import Mosquitto, end_on_sigterm

from edgeguard.clock import SystemClock

Figures = dict[str, float]
_CONNECTS_PER_S = 1000.0
_LOSSES_PER_DEVICE_AND_S = 0.001
_HEALTH_EVERY_S = 30.0
_SETTLE_S = 3.0
"""So that all births are with the collector before the first alert is."""
_DRAIN_S = 30.0
_HIGHEST_P99_MS = 1000.0
_STEP = 1.25


def main() -> int:
    args = _parser().parse_args()
    end_on_sigterm()
    _allow_files(2 * args.devices + 500)
    figures = _limit(args) if args.find_limit else _run(args, args.rate)
    print(json.dumps(figures))
    return int(bool(figures["lost"] or figures["unreceipted"]))


def _limit(args: argparse.Namespace) -> Figures:
    """The run with the highest rate that was still good."""
    rate, best = args.rate, _run(args, args.rate)
    while _good(best):
        rate *= _STEP
        figures = _run(args, rate)
        if not _good(figures):
            break
        best = figures
    return best


def _good(figures: Figures) -> bool:
    return not figures["lost"] and not figures["unreceipted"] and figures["p99_ms"] < _HIGHEST_P99_MS


def _run(args: argparse.Namespace, rate: float) -> Figures:
    with tempfile.TemporaryDirectory(prefix="edgeguard-fleet-") as name:
        figures = _measured(Path(name), args, rate)
    if not args.json:
        print(", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    return figures


def _measured(folder: Path, args: argparse.Namespace, rate: float) -> Figures:
    with Mosquitto(folder) as mosquitto:
        mosquitto.start()
        with CollectorProgram(folder, mosquitto.port) as collector:
            collector.start()
            collector.wait_until_ready()
            fleet = Fleet(args.devices, mosquitto.port, SystemClock(), args.seed)
            asyncio.run(_live(fleet, args, rate))
            collector.stop()
            collected = {(alert["alert_id"], alert["revision"]) for alert in collector.alerts()}
    tally = fleet.tally
    return {
        "devices": args.devices,
        "alerts": len(tally.told),
        "lost": len(tally.told - collected),
        "p99_ms": percentile(tally.latency_ms, 0.99),
        "p50_ms": percentile(tally.latency_ms, 0.5),
        "max_ms": percentile(tally.latency_ms, 1.0),
        "rate": round(rate, 1),
        "unreceipted": fleet.waiting,
        "sent_again": tally.sent - len(tally.told),
        "reconnects": tally.reconnects,
        "refusals": tally.refusals,
    }


async def _live(fleet: Fleet, args: argparse.Namespace, rate: float) -> None:
    await fleet.connect(_CONNECTS_PER_S)
    await asyncio.sleep(_SETTLE_S)
    await fleet.talk(args.seconds, rate, args.devices * _LOSSES_PER_DEVICE_AND_S, _HEALTH_EVERY_S)
    await fleet.drain(_DRAIN_S)
    await fleet.leave()


def _allow_files(files: int) -> None:
    """As many open files as the system lets us, if there are fewer than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= files:
        return
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < files:
        print(f"only {wanted} files may be open (ulimit -n), {files} are needed", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=5000, help="in all (%(default)s)")
    parser.add_argument("--rate", type=float, default=500.0, help="alerts a second in all (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they talk (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of alerts and moments (%(default)s)")
    parser.add_argument("--find-limit", action="store_true", help="raise the rate until it is too much")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
