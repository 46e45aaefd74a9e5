"""What pydantic finds wrong, in the words of the file."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edgeguard.config.faults import Fault, Path, given, suggestion
from edgeguard.config.labels import OTHER_SPELLINGS
from edgeguard.config.root import Config
from edgeguard.config.schema import Node, Root, locate, words

ELSEWHERE = {
    "cert": "cert_file",
    "certfile": "cert_file",
    "clientid": "client_id",
    "coordinates": "polygon",
    "detect": "detector",
    "detectors": "detector",
    "fps": "analyse_fps",
    "key": "key_file",
    "keepalive": "keepalive_s",
    "keyfile": "key_file",
    "labels": "classes",
    "loitering_time": "dwell_s",
    "mics": "microphones",
    "min_score": "confidence",
    "objects": "classes",
    "pass": "password_file",
    "password": "password_file",
    "path": "url",
    "points": "polygon",
    "rtsp_transport": "transport",
    "tls_ca_certs": "tls",
    "tls_insecure": "tls",
    "track": "classes",
    "type": "kind",
    "user": "username",
}
"""What other programs call our keys."""


def faults_of(error: ValidationError, root: Root = Config) -> list[Fault]:
    """One fault for each of pydantic's, apart from lists that are short only because of a faulty entry."""
    return [_fault(details, root) for details in error.errors(include_url=False) if not _is_echo(details)]


def _is_echo(details: ErrorDetails) -> bool:
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _fault(details: ErrorDetails, root: Root) -> Fault:
    loc, value = details["loc"], details["input"]
    path, node = locate(loc, root)
    match details["type"]:
        case "missing":
            return Fault(path, f"is missing, expected {words(node)}")
        case "extra_forbidden":
            return Fault(path, _unknown_key(path[-1], locate(loc[:-1], root)[1]))
        case "union_tag_not_found":
            return Fault((*path, "kind"), f"is missing, expected {words(_kinds(node))}")
        case "union_tag_invalid":
            return _misfit((*path, "kind"), value["kind"], _kinds(node))
        case "value_error":
            return _misfit(path, value, node, str(details["ctx"]["error"]))
    if path and path[-1] == "[key]":
        return Fault(path[:-1], f"expected {words(locate(loc[:-2], root)[1]['propertyNames'])}")
    return _misfit(path, value, node)


def _misfit(path: Path, value: object, node: Node, reason: str | None = None) -> Fault:
    """A value that is not what is expected. A reason that does not begin with that word stands for itself."""
    reason = reason or f"expected {words(node)}"
    if not reason.startswith("expected"):
        return Fault(path, reason)
    hint = suggestion(value, node.get("enum", ()), OTHER_SPELLINGS)
    return Fault(path, f"given {given(value, path)}, {reason}{hint}")


def _kinds(node: Node) -> Node:
    return {"enum": list(node["discriminator"]["mapping"])}


def _unknown_key(key: object, node: Node) -> str:
    known = list(node.get("properties", {}))
    return "unknown key" + (suggestion(key, known, ELSEWHERE) or f"; known here: {', '.join(known)}")
