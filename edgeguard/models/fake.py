"""A session without a model, for tests, drills and development."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from edgeguard.models.session import Feeds, Outputs, Shape, check_feeds
from edgeguard.types import ModelRef


class FakeSession:
    """Answers with the scripted outputs in turn, and with the last one ever after.

    `script` holds at least one answer, and all answers have the same tensors. `calls` counts the calls and
    `last_feeds` keeps a copy of what the latest one was given.
    """

    def __init__(
        self,
        inputs: Mapping[str, Shape],
        script: Sequence[Feeds],
        name: str = "fake",
        sha256: str | None = None,
    ) -> None:
        if not script:
            raise ValueError("script is empty, expected at least one answer")
        if any(answer.keys() != script[0].keys() for answer in script):
            raise ValueError("the answers of the script have different tensors, expected the same in each")
        self.model = ModelRef(name, sha256, "fake")
        self.inputs = MappingProxyType(dict(inputs))
        self.outputs: Mapping[str, Shape] = MappingProxyType({k: v.shape for k, v in script[0].items()})
        self.calls = 0
        self.last_feeds: Outputs = {}
        self._script = script

    def infer(self, feeds: Feeds) -> Outputs:
        check_feeds(self.model, self.inputs, feeds)
        answer = self._script[min(self.calls, len(self._script) - 1)]
        self.calls += 1
        self.last_feeds = {name: array.copy() for name, array in feeds.items()}
        return {name: array.copy() for name, array in answer.items()}
