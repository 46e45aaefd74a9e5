"""`python -m edgeguard.collector`, run in the repository: writes the API's description anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from edgeguard.collector.api import Desk, make_app


def description() -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    return make_app(cast("Desk", None)).openapi()


if __name__ == "__main__":
    path = Path("edgeguard/collector/openapi.json")
    path.write_text(json.dumps(description(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
