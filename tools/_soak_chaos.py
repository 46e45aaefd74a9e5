"""A guard that is plagued at random for a while: what it owes must arrive, and what befalls it be shown.

Everything is real: the daemon under a parent that does for it what systemd does (notify socket, watchdog,
restart), a mosquitto, `edgeguard collect` with its database, network cameras over RTSP with pictures and
sound, and a disk of its own. `_chaos_faults` has the faults and the time within which each must be shown,
`_chaos_verdict` what is owed. `lost` are alerts that were owed, or that the outbox had committed, and
that the collector has not; `unreported` are faults that were not shown within their limit, and passages that
were missed without a word. `rss_growth_kib` is of the longest life of the guard, after its first ten seconds:
the median of the last quarter, without that of the first.

Faults begin until `--seconds` are over, and until each kind was there; then all is mended, and everything has
to be well again within `RECOVERY_S`. Where this user may not mount a disk, the full disk is left out, and
`left_out` says so.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from _chaos_faults import Fault, deck, kinds_at
from _chaos_ledger import blind_spans
from _chaos_site import MICROPHONE, ChaosSite
from _chaos_verdict import SETTLE_S, Darkness, Verdict, admission, judge, overloads
from _chaos_watch import Sample, is_fine
from _programs import end_on_sigterm
from _street import Passage

from edgeguard.clock import SystemClock

_CLOCK = SystemClock()
RECOVERY_S = 60.0
_PAUSE_S = (0.2, 2.5)
_LOOK_S = 0.1
_PASS_S = 7.0
"""Longer than anybody is in a picture."""
_WARM_S = 10.0
"""What a guard takes in its first seconds is no growth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=120, help="for which faults begin (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of faults, places and times (%(default)s)")
    parser.add_argument(
        "--watchdog", type=float, default=8.0, help="seconds of the watchdog (%(default)s); half is stuck"
    )
    parser.add_argument("--keep", type=Path, help="folder that is left behind, with logs and databases")


def run(args: argparse.Namespace) -> dict[str, object]:
    """The figures of one run."""
    end_on_sigterm()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        return _run_in(args.keep.resolve(), args)
    with tempfile.TemporaryDirectory(prefix="edgeguard-chaos-") as folder:
        return _run_in(Path(folder), args)


def _run_in(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    with ChaosSite(folder, args.seed, args.watchdog) as site:
        return Chaos(site, args.seed, quiet=args.json).run(args.seconds)


@dataclass
class Occurrence:
    """A fault that happened."""

    fault: Fault
    from_ns: int
    shown_s: float | None
    """After how long it was shown; None: not within its limit."""
    to_ns: int = 0
    """When it was mended."""


@dataclass
class Chaos:
    """One fault after the other; what one leaves behind may last into the next."""

    site: ChaosSite
    seed: int
    quiet: bool = False
    occurred: list[Occurrence] = field(default_factory=list)

    def run(self, seconds: float) -> dict[str, object]:
        site = self.site
        if not self._await_wellness():
            raise RuntimeError(f"the guard did not become well: {_unwell(site.health.now)}")
        begin_ns = _CLOCK.monotonic_ns() + round(SETTLE_S * 1e9)
        dice = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be secret
        for fault in deck(site, self.seed):
            time.sleep(dice.uniform(*_PAUSE_S))
            if _CLOCK.monotonic_ns() - begin_ns > seconds * 1e9 and not self._missing_kinds():
                break
            self._befall(fault)
        mended_ns = _CLOCK.monotonic_ns()
        recovered = self._await_wellness(drained=True)
        recovery_s = (_CLOCK.monotonic_ns() - mended_ns) / 1e9
        time.sleep(3)  # so that something is owed after all was well, too
        end_ns = _CLOCK.monotonic_ns() - 2_000_000_000
        recovered = self._await_wellness(drained=True) and recovered
        deaths = self._unforeseen_deaths()
        site.guard.stop()
        site.collector.stop()
        verdict = self._judge(begin_ns, end_ns)
        return self._figures(verdict, recovered, recovery_s, deaths)

    def _missing_kinds(self) -> set[str]:
        return set(kinds_at(self.site)) - {one.fault.kind for one in self.occurred}

    def _befall(self, fault: Fault) -> None:
        from_ns = fault.begin(self.site)
        shown_s = None
        while (past_s := (_CLOCK.monotonic_ns() - from_ns) / 1e9) < fault.limit_s and shown_s is None:
            if fault.is_shown(self.site, from_ns):
                shown_s = past_s
            else:
                time.sleep(_LOOK_S)
        time.sleep(fault.hold_s)
        self._mend(fault)
        self.occurred.append(Occurrence(fault, from_ns, shown_s, _CLOCK.monotonic_ns()))
        if not self.quiet:
            shown = "NOT SHOWN" if shown_s is None else f"shown after {shown_s:.1f} s"
            print(f"{fault.kind} {fault.where}: {shown}", flush=True)

    def _mend(self, fault: Fault) -> None:
        """What does not come back is seen at the end, and is no reason to stop here."""
        try:
            fault.end(self.site)
        except RuntimeError as error:
            sys.stderr.write(f"after {fault.kind} {fault.where}: {error}: {_unwell(self.site.health.now)}\n")

    def _await_wellness(self, *, drained: bool = False) -> bool:
        """Whether everything is well, and nothing waits to be told, before long."""
        since_ns, deadline_s = _CLOCK.monotonic_ns(), time.monotonic() + RECOVERY_S
        while time.monotonic() < deadline_s:
            now = self.site.health.now
            waits = drained and now.parts is not None and now.parts["outbox"].get("pending", 1)
            if now.at_ns > since_ns and now.is_well and not waits:
                return True
            time.sleep(_LOOK_S)
        return False

    def _unforeseen_deaths(self) -> int:
        """Lives that ended in no fault of ours."""
        wanted = Counter(one.fault.kind for one in self.occurred)
        return self.site.guard.restarts - wanted["hang"] - wanted["kill"]

    def _judge(self, begin_ns: int, end_ns: int) -> Verdict:
        samples = sorted([*self.site.health.samples, *self.site.ear.health], key=lambda one: one.at_ns)
        spans = blind_spans(self.site.state / "coverage")
        firsts = [alert for alert in self.site.collector.alerts() if alert["revision"] == 1]
        passages = self._passages(begin_ns / 1e9, end_ns / 1e9)
        slow = overloads(self.site.cameras, self.site.health.samples)
        dark = [*map(self._darkness, self.occurred)]
        verdict = judge(passages, firsts, dark, admission(samples, spans), slow)
        first_ns, last_ns = begin_ns + round(_PASS_S * 1e9), end_ns
        verdict.unplanned = [
            alert
            for alert in verdict.unplanned
            if first_ns < (alert["stages"]["arrived_ns"] or 0) < last_ns and alert["rule"] != "system"
        ]
        return verdict

    def _passages(self, from_s: float, to_s: float) -> list[Passage]:
        streets = self.site.streets
        seen = [passage for street in streets for passage in street.passages(from_s, to_s)]
        heard = streets[0].cuts(MICROPHONE, from_s, to_s)
        return [one for one in [*seen, *heard] if one.begins_s >= from_s]

    def _darkness(self, one: Occurrence) -> Darkness:
        """Until the way from its sources on works again."""
        to_ns = one.to_ns
        if one.fault.blinds:
            parts = {part for source in one.fault.blinds for part in self._way(source)}
            to_ns = next(
                (
                    sample.at_ns
                    for sample in self.site.health.since(one.to_ns)
                    if sample.parts and all(is_fine(sample.parts[part]) for part in parts)
                ),
                _CLOCK.monotonic_ns(),
            )
        return Darkness(one.fault.blinds, one.from_ns, to_ns + round(SETTLE_S * 1e9))

    def _way(self, source: str) -> list[str]:
        if source == MICROPHONE:
            return [f"camera/{self.site.streets[0].name}", f"microphone/{MICROPHONE}", "hearing"]
        return [f"camera/{source}", "vision"]

    def _figures(
        self, verdict: Verdict, recovered: bool, recovery_s: float, deaths: int
    ) -> dict[str, object]:
        seq_high = _seq_high(self.site)
        uncollected = self.site.collector.unexplained(seq_high)
        unshown = [one for one in self.occurred if one.shown_s is None]
        self._write_down(verdict)
        lost = len(verdict.lost) + uncollected
        unreported = len(unshown) + len(verdict.silent)
        growth_kib = self._growth_kib()
        return {
            "faults": len(self.occurred),
            "lost": lost,
            "unreported": unreported,
            "recovered": recovered,
            "rss_growth_kib": growth_kib,
            "recovery_s": round(recovery_s, 1),
            "passages": verdict.passages,
            "slow": verdict.slow,
            "owed": verdict.owed,
            "uncollected": uncollected,
            "missed_and_told": verdict.missed,
            "missed_silently": len(verdict.silent),
            "doubled": verdict.doubled,
            "unplanned": len(verdict.unplanned),
            "kinds": self._kinds(),
            "left_out": [] if self.site.has_disk else ["disk"],
            "restarts": self.site.guard.restarts,
            "unforeseen_restarts": deaths,
            "failed": bool(lost or unreported or deaths or not recovered),
        }

    def _write_down(self, verdict: Verdict) -> None:
        """For who looks into the folder that is kept, and what is wrong on standard error as well."""
        faults = [
            {"kind": one.fault.kind, "where": one.fault.where, "from_s": one.from_ns / 1e9}
            | {"to_s": one.to_ns / 1e9, "shown_s": one.shown_s}
            for one in self.occurred
        ]
        shutil.copytree(self.site.state, self.site.folder / "state-at-the-end")  # its own disk goes
        details = {"faults": faults, **asdict(verdict)}
        (self.site.folder / "verdict.json").write_text(json.dumps(details, indent=1))
        for passage in [*verdict.lost, *verdict.silent]:
            sys.stderr.write(f"missed: {passage}\n")
        for one in self.occurred:
            if one.shown_s is None:
                sys.stderr.write(
                    f"not shown: {one.fault.kind} {one.fault.where} at {one.from_ns / 1e9:.1f}\n"
                )

    def _kinds(self) -> dict[str, dict[str, object]]:
        kinds: dict[str, list[Occurrence]] = {}
        for one in self.occurred:
            kinds.setdefault(one.fault.kind, []).append(one)
        return {
            kind: {
                "count": len(all_of_it),
                "unreported": sum(one.shown_s is None for one in all_of_it),
                "shown_after_s": max(
                    (round(one.shown_s, 1) for one in all_of_it if one.shown_s), default=None
                ),
            }
            for kind, all_of_it in sorted(kinds.items())
        }

    def _growth_kib(self) -> int | None:
        """Of the longest life; None if no life was long enough to tell."""
        lives = Counter(sample.pid for sample in self.site.health.samples if sample.rss_kib)
        pid, _ = lives.most_common(1)[0]
        life = [sample for sample in self.site.health.samples if sample.pid == pid and sample.rss_kib]
        warm = [one for one in life if one.at_ns - life[0].at_ns > _WARM_S * 1e9]
        part = len(warm) // 4
        if part < 5:
            return None
        return round(median(s.rss_kib for s in warm[-part:]) - median(s.rss_kib for s in warm[:part]))


def _unwell(sample: Sample) -> dict[str, object]:
    return {name: part for name, part in (sample.parts or {}).items() if not is_fine(part)}


def _seq_high(site: ChaosSite) -> int:
    """The highest number that the outbox gave out."""
    with closing(sqlite3.connect(f"file:{site.state / 'outbox.db'}?mode=ro", uri=True)) as outbox:
        (highest,) = outbox.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()
    return int(highest or 0)
