from __future__ import annotations

import pytest

from edgeguard.wording import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules")])
def test_one_thing_is_not_told_as_many(number: int, said: str) -> None:
    assert counted(number, "rules") == said
