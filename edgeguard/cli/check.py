"""`edgeguard check`: is this configuration right?"""

from __future__ import annotations

import json

from edgeguard.cli._output import ConfigFile, Json
from edgeguard.config import advice, fingerprint, load, summary


def check(config_file: ConfigFile, as_json: Json = False) -> None:
    """Check a configuration file: every fault at once, and advice on what is allowed but odd."""
    config = load(config_file)
    remarks = advice(config)
    if as_json:
        print(json.dumps({"valid": True, "fingerprint": fingerprint(config), "advice": remarks}))
        return
    for remark in remarks:
        print(f"advice: {remark}")
    print(f"{config_file} is valid: {summary(config)}")
