"""The words for what is wrong with a part of health: for programs, where its reason is for people."""

from __future__ import annotations

from edgeguard.cuda.driver import GpuLostError
from edgeguard.errors import (
    BrokerError,
    ConfigError,
    DependencyError,
    DiskFullError,
    ModelError,
    StorageError,
    UnavailableError,
)

FAULT = "fault"
OFF = "off"

_BY_ERROR: tuple[tuple[type[BaseException], str], ...] = (
    (DiskFullError, "disk_full"),
    (StorageError, "storage"),
    (ConfigError, "config"),
    (DependencyError, "missing_dependency"),
    (GpuLostError, "gpu_lost"),
    (ModelError, "model_unavailable"),
    (BrokerError, "broker"),
    (UnavailableError, "unavailable"),
)
"""The first that fits counts."""

MEANINGS = {
    "broker": "the broker cannot be used",
    "clock_jumped": "the wall clock was set within the last minute",
    "clock_unknown": "the kernel does not tell whether the clock is kept right",
    "clock_unsynced": "no time server keeps the clock right; degraded where one did before",
    "config": "what the configuration names cannot be used: a password file, a certificate",
    "disconnected": "there is no connection to the broker",
    "disk_full": "there is no room left",
    "disk_nearly_full": "new evidence takes the place of the oldest",
    "fallback": "another model stands in for the one that was asked for",
    FAULT: "something that was not foreseen; the log has the traceback",
    "gpu_lost": "the GPU is of no use until the process begins anew",
    "hot": "a part of the box is near the temperature at which it is slowed down or stopped",
    "keyword_unknown": "the model cannot hear some of the phrases that were asked for",
    "memory_scarce": "less than 5 % of the memory is left",
    "microphone_faulty": "a microphone is silent, distorted or not in step with its camera",
    "missing_dependency": "a library or program is not installed",
    "model_unavailable": "a model is not installed, or cannot be used",
    "no_chunks": "a microphone is open, says that all is well, and gives no sound",
    "no_commits": "alerts wait, but none was written to the disk",
    "no_decisions": "things are noticed, but none was decided on",
    "no_engine": "the model runs on the CPU, or by way of it, though it should not",
    "no_frames": "a camera is open, says that all is well, and gives no picture",
    "no_inference": "frames come, but no detector looks at them",
    "no_listening": "sound comes, but nobody listens to it",
    "no_pubacks": "the broker takes messages and acknowledges none",
    "no_receipts": "no collector confirms what the broker took",
    "no_rules": "pictures are looked at, but no rule is applied to them",
    "no_subscriber": "nobody subscribes to a topic that is told",
    "not_analysed": "a picture could not be dealt with",
    "not_posted": "an escalation could not be posted",
    "not_the_file": "another configuration than that of the file is in effect",
    "not_wanted": "the configuration does not ask for it",
    OFF: "it is not wanted, or cannot be had here",
    "outbox_replaced": "the outbox was damaged, and a new one took its place",
    "overloaded": "the machine cannot do all that it was asked for",
    "refused": "the broker refuses a topic",
    "requests_refused": "nothing that is asked for is done now",
    "resting": "it has no work at this time",
    "storage": "the disk or a database refuses",
    "stuck": "a thread gives no sign of life; the watchdog is no longer fed",
    "tampered": "a camera's picture is covered, turned, blurred, frozen or dark",
    "throttled": "heat or want of power cuts the clocks",
    "unavailable": "something that it needs is not there now",
}
"""Beside causes of blind time, checks of the doctor and what a drill lacks, which are codes as well."""


def code_of(error: BaseException) -> str:
    """The word for what an error means for the part that met it; `fault` for one that nobody foresaw."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, str):
        return cause
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAULT)
