"""Who may do what at RabbitMQ, and the queue for collectors, as definitions that it imports.

RabbitMQ knows every device as a user. It writes a topic's `/` as `.` and cannot tell a `.` in a name from
one, so names have none there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from edgeguard.broker.roles import OF_DRILLS, RIGHTS, devices, users
from edgeguard.errors import ConfigError

QUEUE, _DEAD = "edgeguard", "edgeguard-dead"
_EXCHANGE, _VHOST = "amq.topic", "/"
_TOLD = ("*", "alert.#", "coverage.#", "health.#", "result.#")
_NOTHING = "^$"
Json = dict[str, Any]


def definitions(roles: object) -> Json:
    """For `rabbitmqctl import_definitions`, from `{role: [user, ...]}`. Raises ConfigError."""
    known = [*((None, name) for name in devices(roles)), *users(roles)]
    for _, name in known:
        if "." in name:
            raise ConfigError(f"{name} has a dot in its name, which RabbitMQ takes for a level of a topic")
    return {
        "vhosts": [{"name": _VHOST}],
        "users": [_user(name) for _, name in known],
        "permissions": [_permission(role, name) for role, name in known],
        "topic_permissions": [_topic_permission(role, name) for role, name in known],
        "exchanges": [_exchange(_DEAD)],
        "queues": [_queue(QUEUE, _LIMITS), _queue(_DEAD, {"x-max-length": 100_000})],
        "bindings": [
            _binding(_DEAD, _DEAD, "#"),
            *(_binding(_EXCHANGE, QUEUE, f"edgeguard.v1.*.*.up.{rest}") for rest in _TOLD),
        ],
    }


_LIMITS: Json = {
    "x-max-length": 1_000_000,
    "x-overflow": "reject-publish",  # what finds no room is not acknowledged, so its device keeps it
    "x-delivery-limit": 100,
    "x-dead-letter-exchange": _DEAD,
    "x-dead-letter-strategy": "at-least-once",
}


def _user(name: str) -> Json:
    """With no password: the certificate is the login."""
    return {"name": name, "password_hash": "", "tags": []}


def _permission(role: str | None, name: str) -> Json:
    own: Json = {"user": name, "vhost": _VHOST}
    if role == "collectors":
        return {**own, "configure": _NOTHING, "write": r"^amq\.topic$", "read": f"^{QUEUE}$"}
    client = "" if role else re.escape(f"edgeguard-{name.replace('/', '-')}") + "(-drill)?(qos[01])?$"
    session = f"mqtt-(subscription|will)-{client}"
    both = rf"^({session}|amq\.topic$)"
    return {**own, "configure": f"^{session}", "write": both, "read": both}


def _topic_permission(role: str | None, name: str) -> Json:
    rights = RIGHTS[role] if role else _device_rights(name)
    write, read = (_any_of(rights, verb) for verb in ("write", "read"))
    return {"user": name, "vhost": _VHOST, "exchange": _EXCHANGE, "write": write, "read": read}


def _device_rights(name: str) -> tuple[str, ...]:
    own = f"edgeguard/v1/{name}"
    return (f"write {own}/up/#", f"read {own}/down/#", *(f"read {own}/{rest}" for rest in OF_DRILLS))


def _any_of(rights: tuple[str, ...], verb: str) -> str:
    """One regular expression for the routing keys that the rights allow."""
    keys = list(_keys(rights, verb))
    return f"^({'|'.join(keys)})" if keys else _NOTHING


def _keys(rights: tuple[str, ...], verb: str) -> Iterator[str]:
    for right in rights:
        verbs, _, topic = right.partition(" ")
        if verbs in (verb, "readwrite"):
            levels = topic.removesuffix("/#").split("/")
            key = r"\.".join("[^.]+" if level == "+" else re.escape(level) for level in levels)
            yield key + (r"(\.|$)" if topic.endswith("/#") else "$")


def _exchange(name: str) -> Json:
    return {"name": name, "vhost": _VHOST, "type": "topic", "durable": True, **_PLAIN}


def _queue(name: str, more: Json) -> Json:
    arguments = {"x-queue-type": "quorum", **more}
    return {"name": name, "vhost": _VHOST, "durable": True, "auto_delete": False, "arguments": arguments}


_PLAIN: Json = {"auto_delete": False, "internal": False, "arguments": {}}


def _binding(source: str, queue: str, key: str) -> Json:
    place = {"source": source, "vhost": _VHOST, "destination": queue, "destination_type": "queue"}
    return {**place, "routing_key": key, "arguments": {}}
