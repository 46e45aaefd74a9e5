"""The command line: what people type.

Belongs here: commands, their options, what they print and their exit codes.
Does not belong here: anything another program would want to call (it has a room).
May import: everything.
Called by: people, scripts, systemd.
To add one, copy `check.py` and name it in `main.py`.
"""

from edgeguard.cli.main import main

__all__ = ["main"]
