"""What the numbers in health mean, for Prometheus: which only ever rise, and a sentence for each."""

from __future__ import annotations

import re

COUNTERS = {
    "beyond_max_bytes": "observations that were not written because the journal is full",
    "bad_receipts": "receipts that were not understood or not for this device",
    "chunks_dropped": "chunks of sound that gave way because listening came too late",
    "chunks_missed": "chunks of sound that a microphone took and nobody listened to",
    "closed": "alerts that were closed",
    "committed": "messages that were written to the disk",
    "d2h_bytes": "bytes that were copied from the GPU to the host",
    "decoder_restarts": "times that a decoder had to begin anew",
    "decodes_spared": "pictures that were not decoded because nobody would have looked at them",
    "delivered": "messages that are in other hands",
    "escalated": "alerts that nobody acknowledged in time",
    "failed": "requests that could not be written to the audit log",
    "failures": "failures of a stage, each followed by another try",
    "flattens": "pictures that the GPU had to lay out anew",
    "frames": "pictures that were taken from the decoder",
    "frames_gate": "frames that nobody looked at because nothing moved",
    "frames_overload": "frames that nobody looked at because the machine was short",
    "frames_rate": "frames that nobody looked at because they come more often than is analysed",
    "frames_replaced": "frames that nobody looked at because a newer one came",
    "gate_glances": "pictures that a closed gate let through for a glance",
    "gate_wakes_moved": "times that a gate opened because of the size of the packets",
    "gate_wakes_seen": "times that a gate opened because of what a glance showed",
    "given_up": "escalations that could not be posted within three days",
    "h2d_bytes": "bytes that were copied from the host to the GPU",
    "holes": "interruptions of a microphone's sound",
    "host_maps": "pictures that came through the host's memory",
    "hurried_for_patterns": "observations that were judged early because too many wait for a pattern",
    "jumps": "times that the wall clock was set",
    "kept": "sentences that were written to the transcripts",
    "late_for_patterns": "observations that came too late to be joined",
    "lost": "alerts that were given up because the disk refused too many",
    "missed": "drills that did not arrive",
    "notices_lost": "losses and returns of sources that came too fast for the book of blind time",
    "observations": "things that were noticed",
    "observations_lost": "observations that gave way because deciding came too late",
    "opened": "alerts that were opened",
    "overload_skips": "times that a decoder skipped to the next keyframe to catch up",
    "passed": "drills that arrived in time",
    "pruned": "pictures that were removed to keep evidence within its bounds",
    "records_lost": "records of health and of the clock that were given up",
    "saved": "pictures that were saved as evidence",
    "throttle_events": "times that a Jetson's guards cut its clocks",
    "timestamp_stops": "times that a camera's timestamps stood still",
    "unreadable": "records of acknowledgements that could not be read",
    "updated": "alerts that were updated",
    "written": "observations that were written to the journal",
}
"""Numbers that only rise while the process lives."""
COUNTERS_BY_PREFIX = {
    "shed_": "messages of this class that gave way for want of room",
    "done_": "requests of this kind that were done",
    "failed_": "requests of this kind that failed",
    "refused_": "requests that were refused for this reason",
}
GAUGES = {
    "age_limit_s": "the longest pause between two units of work that is no fault",
    "age_s": "since the last unit of work: a frame, an inference, a chunk, a commit, a PUBACK",
    "analyse_fps": "how many pictures a second of a camera are to be analysed now",
    "analysed_age_s": "since a picture of a camera was looked at and held against the rules",
    "beat_age_s": "since the part's thread gave a sign of life",
    "blind_now": "sources that nobody watches now",
    "blind_s_today": "for how long of this day nobody watched",
    "checked": "checks of the doctor that were done",
    "disk_free_bytes": "what is left on the disk of the state folder",
    "faults": "faults that the doctor found",
    "first_utc_ns": "when a source gave something first, in nanoseconds since 1970",
    "gate_decoded": "share of the pictures that were decoded, 0 to 1",
    "gpu_load": "load of the GPU, 0 to 1",
    "last_jump_ms": "by how much the wall clock was set last",
    "late_s": "how long the oldest sound that waits has been waiting",
    "level_dbfs": "level of the sound",
    "max_error_ms": "how far off the wall clock may be at most",
    "memory_available": "share of the memory that programs may still have, 0 to 1",
    "offset_ms": "by how much the wall clock was found to be off",
    "oldest_pending_s": "how long the oldest message that is not delivered has waited",
    "owed_s": "how long the oldest work that waits has been waiting",
    "passed_utc_ns": "when a drill passed last, in nanoseconds since 1970",
    "pending": "messages that are on the disk and not delivered",
    "power_w": "what the board draws",
    "rate_per_s": "units of work per second",
    "ring_bytes": "encoded pictures that are kept for clips, in bytes",
    "ring_s": "encoded pictures that are kept for clips, in seconds",
    "sync_offset_ms": "by how much a microphone is behind its camera",
    "sync_quality": "how sure that is, 0 to 1",
    "temperature_c": "of the hottest thermal zone",
    "took_s": "how long the last drill took from the scene to the subscriber",
    "unacknowledged": "alerts that wait for somebody's answer",
    "waiting": "escalations that wait to be posted",
    "warnings": "warnings that the doctor found",
}
"""Numbers that rise and fall."""

_LATENCY = re.compile(r"(?P<stage>\w+)_p(?P<percent>\d{1,2})_ms")


def is_counter(name: str) -> bool:
    return name in COUNTERS or name.startswith(tuple(COUNTERS_BY_PREFIX))


def meaning(name: str) -> str:
    """A sentence on one number, as health calls it."""
    by_prefix = (text for prefix, text in COUNTERS_BY_PREFIX.items() if name.startswith(prefix))
    text = COUNTERS.get(name) or GAUGES.get(name) or next(by_prefix, "as a part of health tells it")
    return f"`{name}` in health: {text}"


def latency_of(name: str) -> tuple[str, str] | None:
    """Stage and quantile of one of the latencies, such as `infer_p95_ms`: `infer`, `0.95`."""
    found = _LATENCY.fullmatch(name)
    return None if found is None else (found["stage"], f"{int(found['percent']) / 100:g}")
