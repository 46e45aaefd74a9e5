"""Who may do what at the broker, as mosquitto's access list."""

from __future__ import annotations

from collections.abc import Mapping

from edgeguard.alerts.topics import Topics, is_word
from edgeguard.errors import ConfigError
from edgeguard.types import drill

_SEE = "read edgeguard/v1/+/+/up/#"
_ACKNOWLEDGE = "write edgeguard/v1/+/+/down/ack"
_DASHBOARD = (_SEE, _ACKNOWLEDGE)
OF_DRILLS = tuple(f"up/alert/{source}/#" for source in sorted(drill.SOURCES))
"""What every device may hear of itself: that its drills arrive. Whoever steals its login learns nothing."""
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "dashboards": _DASHBOARD,
    "operators": (*_DASHBOARD, "write edgeguard/v1/+/+/down/command/#"),
    "configurators": (_SEE, "write edgeguard/v1/+/+/down/config"),
    "collectors": (
        "read edgeguard/v1/#",
        "write edgeguard/v1/+/+/down/receipt",
        "write edgeguard/v1/+/+/down/command/replay",
        _ACKNOWLEDGE,
    ),
    "drills": tuple(f"read edgeguard/v1/+/+/{rest}" for rest in OF_DRILLS),
    "bridges": (_SEE, "readwrite frigate/#", "readwrite homeassistant/#"),
    "integrations": (_SEE, "read frigate/#", "read homeassistant/#", "write homeassistant/status"),
}
"""What each role may do, beside nothing."""
DEVICES = "devices"
_HEAD = """\
# Made by `edgeguard broker acl`: change the roles and make it again.

# Every device, whose user name is <site>/<device>: it tells below its own up/, and hears its own down/ and
# whether its drills arrive.
pattern write edgeguard/v1/%u/up/#
pattern read edgeguard/v1/%u/down/#
""" + "".join(f"pattern read edgeguard/v1/%u/{rest}\n" for rest in OF_DRILLS)


def acl(roles: object) -> str:
    """mosquitto's access list for `{role: [user, ...]}`. Raises ConfigError that tells what is wrong.

    The patterns for devices apply to everybody, so each user is denied what they give to a name without `/`.
    """
    devices(roles)  # which need no lines, and are held to their form
    blocks = [_HEAD]
    for role, user in users(roles):
        lines = [f"user {user}", f"topic deny edgeguard/v1/{user}/#"]
        blocks.append("\n".join([f"# {role}", *lines, *(f"topic {right}" for right in RIGHTS[role]), ""]))
    return "\n".join(blocks)


def check_name(name: str) -> str:
    """`name`, if it can be a device's (<site>/<device>) or another user's. Raises ConfigError."""
    site, slash, device = name.partition("/")
    if slash:
        Topics(site, device)
    elif not is_word(name):
        raise ConfigError(
            f"{name!r} cannot be a user at the broker; use <site>/<device> for a device, else 1 to 64 "
            "letters, digits, '-', '_' or '.', a letter or digit first"
        )
    return name


def devices(roles: object) -> list[str]:
    """`<site>/<device>` of each device that is listed. Raises ConfigError."""
    listed = _listed(_mapping(roles), DEVICES)
    for name in listed:
        if "/" not in check_name(name):
            raise ConfigError(f"{DEVICES}: {name!r} is no device; expected <site>/<device>")
    return listed


def users(roles: object) -> list[tuple[str, str]]:
    """(role, user), each user once. Raises ConfigError."""
    found: dict[str, str] = {}
    for role in _mapping(roles):
        for user in _listed(_mapping(roles), role) if role != DEVICES else ():
            if "/" in check_name(user):
                raise ConfigError(f"{role}: {user} is the name of a device; devices are not in a role")
            if user in found:
                raise ConfigError(f"{user} is among {found[user]} and {role}; a user has one role")
            found[user] = role
    return [(role, user) for user, role in found.items()]


def _mapping(roles: object) -> Mapping[str, object]:
    if not isinstance(roles, Mapping):
        raise ConfigError(f"expected roles with lists of users, such as `dashboards: [wall]`; got {roles!r}")
    for role in roles:
        if role not in (DEVICES, *RIGHTS):
            raise ConfigError(f"{role!r} is no role; known are {', '.join((DEVICES, *RIGHTS))}")
    return roles


def _listed(roles: Mapping[str, object], role: str) -> list[str]:
    listed = roles.get(role, [])
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ConfigError(f"{role}: expected a list of names, got {listed!r}")
    return listed
