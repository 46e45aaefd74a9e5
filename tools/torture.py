"""Kills device, broker and collector again and again while alerts go on, and counts what was lost.

    python tools/torture.py --seed 1 --alerts 2000 --kills 12 [--json]

Three real processes: the daemon's delivery part (publisher, outbox, link) with alerts that the seed invents,
a mosquitto that keeps things as it does by default, and `edgeguard collect` on SQLite. At moments from the
seed one of them gets `kill -9` and is started again up to about a second later; several may be dead at once,
and one that is only starting may be killed too. After the last kill all runs until the collector misses
nothing and the device has nothing left to tell.

The device writes each alert's number down before it hands it over, and again once its commit is known; both
journals survive its death. `lost` is what is in the journal of commits and not in the collector's database,
`invented` what is in the database and was never going to be told, `unexplained_gaps` numbers of the device's
own sequence that the collector neither has nor can explain. `duplicates_suppressed` are copies beyond the
first that the broker passed on; the database has each revision once. The last line on standard output is one
JSON object; the exit code is 1 if any of the three is not 0 or the rest was not told in time.

With `--custody puback` the device trusts the broker's acknowledgement. What the broker forgets is then missed
by the collector's audit, and comes again from the device's history, as far back as that reaches.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from _centre import CollectorProgram, DeviceProgram
from _chaos import INTERVAL_S, Chaos
from _programs import Mosquitto, Program, end_on_sigterm
from _tap import AlertTap
from _verdict import Intent, Verdict, judge

_LEAST_RATE = 20.0
_UPTIME = 0.6
"""The share of the time in which a device under such fire is up, roughly."""


def main() -> int:
    args = _parser().parse_args()
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="edgeguard-torture-") as folder:
        figures = torture(Path(folder), args)
    if not args.json:
        print("\n".join(f"{name}: {value}" for name, value in figures.items()))
    print(json.dumps(figures))
    failed = any(figures[name] for name in ("lost", "invented", "unexplained_gaps"))
    return int(failed or not figures["drained"])


def torture(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """The figures of one run."""
    begin_s = time.monotonic()
    mosquitto = Mosquitto(folder, "allow_anonymous true")
    collector = CollectorProgram(folder, mosquitto.port)
    device = DeviceProgram(
        folder,
        mosquitto.port,
        alerts=args.alerts,
        rate=_rate(args.alerts, args.kills),
        seed=args.seed,
        mqtt={"custody": args.custody, "retry_s": 2},
    )
    programs = (mosquitto, collector, device)
    with ExitStack() as running:
        for program in programs:
            running.enter_context(program)
            program.start()
        tap = running.enter_context(AlertTap(mosquitto.port))
        chaos = Chaos(programs, args.seed, args.kills, time.monotonic())
        _rage(chaos, device, args)
        _clear_up(device, collector, args)
        device.finish()
        drained = _drain(programs, device, args)
        collector.stop()
        verdict = _verdict(device, collector)
        return {
            "committed": verdict.committed,
            "collected": verdict.collected,
            "lost": len(verdict.lost),
            "invented": len(verdict.invented),
            "duplicates_suppressed": tap.duplicates,
            "unexplained_gaps": collector.unexplained(device.seq_high()),
            "seconds": round(time.monotonic() - begin_s, 1),
            "drained": drained,
            "kills": chaos.kills,
        }


def _rage(chaos: Chaos, device: DeviceProgram, args: argparse.Namespace) -> None:
    while not chaos.over:
        victim = chaos.step(time.monotonic())
        if victim is not None and not args.json:
            print(f"kill -9 {victim.name} after {len(device.lines('intents'))} alerts", flush=True)
        time.sleep(0.01)


def _clear_up(device: DeviceProgram, collector: CollectorProgram, args: argparse.Namespace) -> None:
    """Let the collector ask for what it misses, and the device bring or explain it, as they do in service."""
    deadline_s = time.monotonic() + 60 + args.alerts / 50
    while time.monotonic() < deadline_s:
        if len(device.lines("intents")) >= args.alerts and collector.unexplained(device.seq_high()) == 0:
            return
        time.sleep(0.2)


def _drain(programs: Sequence[Program], device: DeviceProgram, args: argparse.Namespace) -> bool:
    """Whether the device ended because it had nothing left to tell, while the others went on."""
    deadline_s = time.monotonic() + 60 + args.alerts / 50
    while device.running and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return device.exit_code == 0 and all(program.running for program in programs if program is not device)


def _verdict(device: DeviceProgram, collector: CollectorProgram) -> Verdict:
    intents = map(Intent.of_line, device.lines("intents"))
    return judge(intents, map(int, device.lines("committed")), collector.alerts())


def _rate(alerts: int, kills: int) -> float:
    """Alerts a second, so that they go on as long as the killing."""
    seconds = kills * sum(INTERVAL_S) / 2
    return max(_LEAST_RATE, alerts / max(seconds * _UPTIME, 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of alerts, moments and victims (%(default)s)")
    parser.add_argument("--alerts", type=int, default=2000, help="to invent (%(default)s)")
    parser.add_argument("--kills", type=int, default=12, help="among all three (%(default)s)")
    parser.add_argument("--custody", choices=("receipt", "puback"), default="receipt", help="(%(default)s)")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
