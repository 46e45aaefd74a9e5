"""The compiler in a process of its own: what it breaks, it breaks there."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import IO, Any

from edgeguard.errors import ModelError
from edgeguard.models.engines.compiler import Tell
from edgeguard.models.engines.order import Compiled, Order

_COMMAND = (sys.executable, "-m", "edgeguard.models.engines.compiler")
_LAST_WORDS = 3


def compile_apart(order: Order, tell: Tell, memory_bytes: int = 0) -> Compiled:
    """Make the plan; `memory_bytes` is the most that the process may allocate, 0 whatever there is.

    ModelError with the compiler's reason, or with what ended its process.
    """
    request = json.dumps({**dataclasses.asdict(order), "memory_bytes": memory_bytes})
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(request)
            process.stdin.close()
            answer = _listen(process.stdout, tell)
            said = process.stderr.read().strip().splitlines()[-_LAST_WORDS:]
        except BaseException:
            process.kill()
            raise
        code = process.wait()
    if answer is None:
        raise ModelError(f"compiling {order.onnx} broke off: {_why(code, said)}")
    if "fault" in answer:
        raise ModelError(str(answer["fault"]))
    return _compiled(answer["compiled"])


def _listen(lines: IO[str], tell: Tell) -> dict[str, Any] | None:
    """The last word; TensorRT's own libraries may print, too."""
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and "phase" in said:
            tell(said["phase"], said["step"], said["steps"])
        elif isinstance(said, dict) and said.keys() & {"fault", "compiled"}:
            return said
    return None


def _why(code: int, said: list[str]) -> str:
    if code == -9:
        return (
            "it was killed, most likely for want of memory: stop other programs, or build with a lower level"
        )
    if code < 0:
        return f"it ended with signal {-code}: {'; '.join(said) or 'it said nothing'}"
    return f"it ended with code {code}: {'; '.join(said) or 'it said nothing'}"


def _compiled(values: dict[str, Any]) -> Compiled:
    return Compiled(**{**values, "flags": tuple(values["flags"]), "warnings": tuple(values["warnings"])})
