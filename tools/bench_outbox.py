"""Durable alerts from handing over to receipt, beside raw paho on the same broker.

    python tools/bench.py outbox [--alerts 5000] [--rounds 5] [--rate 50] [--seconds 20]

Two ways take turns on one mosquitto, each in processes of its own. *Ours*: alerts are handed to the daemon's
own publisher, which builds and encodes their messages, commits them to its outbox (fsync), sends them at QoS
1 and forgets them when the receipt of a real `edgeguard collect` has come, which validated them and committed
them to its SQLite database (fsync) before. *Raw*: paho publishes as many ready bodies of the same content at
QoS 1, as fast as it can, to a subscriber in another process that takes them at QoS 1 and does nothing with
them; nothing is kept anywhere. Paho stands at its defaults, but for Nagle's delay, which is off in both.

Both rates go from the first alert to the last that is known to have arrived: `ours_per_s` until its receipt
was processed on the device, `raw_paho_per_s` until the subscriber had the last body and the publisher its
PUBACK. They are medians over the rounds, and `ratio` is the median of each round's ratio.
The latency is from handing over to receipt, at `--rate` alerts a second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from _centre import CollectorProgram, device_config
from _fleet import percentile
from _programs import Mosquitto, end_on_sigterm

_PROGRAMS = Path(__file__).with_name("_bench_outbox.py")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--alerts", type=int, default=5000, help="in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each way, in turn (%(default)s)")
    parser.add_argument("--rate", type=float, default=50.0, help="alerts a second, for latency (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of that (%(default)s)")


def run(args: argparse.Namespace) -> dict[str, object]:
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="edgeguard-outbox-") as name, Mosquitto(Path(name)) as mosquitto:
        mosquitto.start()
        with CollectorProgram(Path(name), mosquitto.port) as collector:
            collector.start()
            collector.wait_until_ready()
            return _measure(args, str(device_config(Path(name), mosquitto.port)), str(mosquitto.port))


def _measure(args: argparse.Namespace, config: str, port: str) -> dict[str, object]:
    count = str(args.alerts)
    rounds = [(_run("ours", config, count, "0")["per_s"], _raw(port, count)) for _ in range(args.rounds)]
    calm = _run("ours", config, str(round(args.rate * args.seconds)), str(args.rate))
    return {
        "ours_per_s": round(median(ours for ours, _ in rounds)),
        "raw_paho_per_s": round(median(raw for _, raw in rounds)),
        "ratio": round(median(ours / raw for ours, raw in rounds), 3),
        "latency_p50_ms": percentile(calm["latency_ms"], 0.5),
        "latency_p99_ms": percentile(calm["latency_ms"], 0.99),
        "latency_max_ms": percentile(calm["latency_ms"], 1.0),
        "commit_p50_ms": percentile(calm["commit_ms"], 0.5),
        "commit_p99_ms": percentile(calm["commit_ms"], 0.99),
        "rate": args.rate,
    }


def _raw(port: str, count: str) -> float:
    """Bodies a second, from the first publish until all are with the subscriber and acknowledged."""
    command = [sys.executable, str(_PROGRAMS), "subscriber", port, count]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as subscriber:
        assert subscriber.stdout is not None
        subscriber.stdout.readline()
        published = _run("raw", port, count)
        taken, _ = subscriber.communicate()
    end_ns = max(int(published["end_ns"]), int(json.loads(taken)["end_ns"]))
    return int(count) / ((end_ns - int(published["begin_ns"])) / 1e9)


def _run(*command: str) -> dict[str, Any]:
    """What one of the programs prints last."""
    done = subprocess.run(
        [sys.executable, str(_PROGRAMS), *command], check=True, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))
