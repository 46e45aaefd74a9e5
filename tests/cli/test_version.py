from __future__ import annotations

import json

from edgeguard import __version__
from tests.cli.conftest import Type


def test_people_and_machines_learn_the_version(type_in: Type) -> None:
    assert type_in("version").stdout == f"edgeguard {__version__}\n"
    assert json.loads(type_in("version", "--json").stdout) == {"version": __version__}
