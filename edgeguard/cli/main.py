"""All commands, and what an error looks like.

Exit codes: 0 it worked; 1 it did not, and the message says why; 2 the command was not understood; 78 the
configuration is wrong (EX_CONFIG of sysexits.h, which keeps systemd from trying again).
"""

from __future__ import annotations

import json

import typer

from edgeguard import __version__
from edgeguard.cli import (
    alerts,
    audit,
    bridge,
    broker,
    calibrate,
    check,
    collect,
    config,
    coverage,
    demo,
    doctor,
    drill,
    engines,
    init,
    listen,
    models,
    outbox,
    prune,
    replay,
    run,
    transcripts,
    watch,
)
from edgeguard.cli._output import Json, said_plainly

app = typer.Typer(
    name="edgeguard",
    help="A guard for the edge: it sees, hears, decides, proves and tells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(said_plainly(init.init))
app.command("run")(said_plainly(run.run))
app.command("collect")(said_plainly(collect.collect))
app.command("token")(said_plainly(collect.token))
app.command("check")(said_plainly(check.check))
app.command("demo")(said_plainly(demo.demo))
app.command("doctor")(said_plainly(doctor.doctor))
app.command("drill")(said_plainly(drill.drill))
app.command("prune")(said_plainly(prune.prune))
app.command("coverage")(said_plainly(coverage.coverage))
app.command("replay")(said_plainly(replay.replay))
app.command("listen")(said_plainly(listen.listen))
app.command("watch")(said_plainly(watch.watch))
app.command("calibrate")(said_plainly(calibrate.calibrate))
app.add_typer(bridge.app, name="bridge")
app.add_typer(alerts.app, name="alerts")
app.add_typer(models.app, name="models")
app.add_typer(engines.app, name="engines")
app.add_typer(config.app, name="config")
app.add_typer(broker.app, name="broker")
app.add_typer(audit.app, name="audit")
app.add_typer(outbox.app, name="outbox")
app.add_typer(transcripts.app, name="transcripts")


@app.command("version")
def version(as_json: Json = False) -> None:
    """Print the version."""
    print(json.dumps({"version": __version__}) if as_json else f"edgeguard {__version__}")


def main() -> None:
    """The entry point of the `edgeguard` program."""
    app()
