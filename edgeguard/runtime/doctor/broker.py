"""The broker: whether it is reached, trusts us, takes what we tell, and lets nobody speak for another.

What is sent is one message on `…/up/doctor`, one on another device's, or for MQTT 3.1.1 on our own
`…/down/doctor`: topics that nobody reads. None is retained, and the session is our own and ends at once.
"""

from __future__ import annotations

import queue
import socket
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from edgeguard.alerts.link import Acked, Connected, Disconnected, Endpoint, LinkEvent, Received, Subscribed
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.tls import tls_context
from edgeguard.alerts.topics import Topics
from edgeguard.alerts.trouble import REFUSED
from edgeguard.clock import Clock
from edgeguard.errors import ConfigError
from edgeguard.runtime.doctor.certificates import judged
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning
from edgeguard.runtime.doctor.pem import validity

CHECK, RIGHTS = "broker", "broker_rights"
PATIENCE_S = 6.0
_ECHO_S = 2.0
_ACL = "give the device the rights of deploy/broker/acl (`edgeguard broker acl`): docs/broker.md"


def broker(endpoint: Endpoint, topics: Topics, clock: Clock, *, lax: bool) -> Iterator[Finding]:
    """Each host in turn. `lax`: missing rights only warn, as where the broker serves this box alone."""
    for host, port in ((endpoint.host, endpoint.port), *endpoint.fallbacks):
        about = f"{host}:{port}"
        refused = _unreachable(host, port, about)
        if refused is not None:
            yield refused
            continue
        if endpoint.tls is not None:
            shown = _handshake(host, port, endpoint, about, clock)
            yield shown
            if shown.check == CHECK:  # it did not come about
                continue
        alone = replace(endpoint, host=host, port=port, fallbacks=())
        yield from _talk(alone, topics, clock, about, lax=lax)


def _unreachable(host: str, port: int, about: str) -> Finding | None:
    """None if somebody listens there."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except socket.gaierror as error:
        return fault(
            CHECK,
            f"the name {host} leads nowhere: {error.strerror}",
            "the name is wrong, or no name server answers",
            "correct mqtt.host, or look at `resolvectl status`; an address needs no name server",
            about,
        )
    except OSError as error:
        return fault(
            CHECK,
            f"nobody answers at {about}: {error.strerror or 'it takes too long'}",
            "the broker does not run, listens elsewhere, or a firewall is between",
            "correct mqtt.host and mqtt.port (8883 with TLS, 1883 without); look at broker and network",
            about,
        )
    return None


def _handshake(host: str, port: int, endpoint: Endpoint, about: str, clock: Clock) -> Finding:
    """TLS alone, for its reasons and for the end of the broker's own certificate."""
    assert endpoint.tls is not None
    try:
        context = tls_context(endpoint.tls)
        with (
            socket.create_connection((host, port), PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            der = secure.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError as error:
        return fault(
            CHECK,
            f"TLS: the broker's certificate is not trusted: {error.verify_message}",
            "another authority signed it than mqtt.tls.ca_file has, it has ended, or is for another name",
            "name the broker's authority in mqtt.tls.ca_file, and the broker as its certificate does",
            about,
        )
    except OSError as error:
        return fault(
            CHECK,
            f"TLS: {getattr(error, 'reason', None) or error.strerror or error}",
            "what listens there speaks no TLS, or the files for it cannot be used",
            "correct mqtt.port (TLS usually is 8883) and the files in mqtt.tls",
            about,
        )
    now = datetime.fromtimestamp(clock.utc_ns() / 1e9, timezone.utc)
    return replace(judged(about, "the broker's certificate", validity(der or b""), now), check="certificate")


@dataclass(slots=True)
class _Talk:
    """One short session."""

    endpoint: Endpoint
    subscriptions: list[str]
    clock: Clock
    events: queue.SimpleQueue[LinkEvent] = field(default_factory=queue.SimpleQueue)
    link: MqttLink = field(init=False)

    def __enter__(self) -> _Talk:
        self.link = MqttLink(self.endpoint, self.events.put, None, self.subscriptions)
        self.link.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def wait(
        self,
        *kinds: type,
        within_s: float | None = None,
        fits: Callable[[LinkEvent], bool] = lambda _event: True,
    ) -> LinkEvent | None:
        """The next event of these kinds that fits; None if none comes in time, whatever else does."""
        patience_s = PATIENCE_S if within_s is None else within_s
        end_ns = self.clock.monotonic_ns() + round(patience_s * 1e9)
        while (left_ns := end_ns - self.clock.monotonic_ns()) > 0:
            try:
                event = self.events.get(timeout=left_ns / 1e9)
            except queue.Empty:
                return None
            if isinstance(event, kinds) and fits(event):
                return event
        return None

    def publish(self, topic: str) -> str | int | None:
        """The broker's reason code; why the connection ended, which is a refusal, too; None: no answer."""
        if self.link.publish(topic, b"{}") is None:
            return None
        match self.wait(Acked, Disconnected):
            case Acked(reason_code=code):
                return code
            case Disconnected(reason=reason):
                return reason
            case _:
                return None

    def hears(self, topic: str) -> bool:
        """Whether a message on that topic comes; the guard's own receipts and commands may come meanwhile."""

        def fits(event: LinkEvent) -> bool:
            return not isinstance(event, Received) or event.topic == topic

        return isinstance(self.wait(Received, Disconnected, within_s=_ECHO_S, fits=fits), Received)


def _talk(endpoint: Endpoint, topics: Topics, clock: Clock, about: str, *, lax: bool) -> Iterator[Finding]:
    mine = replace(
        endpoint,
        client_id=f"edgeguard-doctor-{uuid.uuid4().hex[:12]}",
        session_expiry_s=0,
        reconnect_s=(PATIENCE_S * 10, PATIENCE_S * 10),
    )
    try:
        with _Talk(mine, [topics.down_filter], clock) as talk:
            yield from _examined(talk, topics, about, lax=lax)
    except ConfigError as error:
        yield fault(
            CHECK, str(error), "a file for TLS or a password cannot be used", "see the problem", about
        )


def _examined(talk: _Talk, topics: Topics, about: str, *, lax: bool) -> Iterator[Finding]:
    answer = talk.wait(Connected, Disconnected)
    if not isinstance(answer, Connected):
        yield _no_entry(answer, about)
        return
    yield fine(CHECK, f"reached, and the login is right ({talk.endpoint.protocol})", about)
    subscribed = talk.wait(Subscribed, Disconnected)
    if not isinstance(subscribed, Subscribed) or subscribed.refused:
        yield fault(
            RIGHTS,
            f"the broker does not let this device hear {topics.down_filter}",
            "its access list lacks that right: receipts, commands and acknowledgements would not arrive",
            _ACL,
            about,
        )
        return
    if talk.endpoint.protocol == "mqtt5":
        yield from _rights_told(talk, topics, about, lax=lax)
    else:
        yield _rights_heard(talk, topics, about, lax=lax)


def _rights_told(talk: _Talk, topics: Topics, about: str, *, lax: bool) -> Iterator[Finding]:
    """MQTT 5: each answer has its reason."""
    own = talk.publish(doctor_topic(topics))
    if not isinstance(own, int) or own >= REFUSED:
        yield fault(
            RIGHTS,
            f"the broker does not take what this device tells ({_spoken(own)})",
            "its access list lets the device write nothing below its own …/up/",
            _ACL,
            about,
            figures={"reason": own},
        )
        return
    other = talk.publish(doctor_topic(Topics(topics.site, _other(topics.device))))
    if isinstance(other, int) and other < REFUSED:
        yield _too_open(
            f"the broker lets this device speak for {_other(topics.device)}",
            about,
            lax,
            figures={"reason": other},
        )
        return
    if other is None:
        yield _untold(about)
        return
    said = f"it takes what is ours, and refuses what is another's ({_spoken(other)})"
    yield fine(RIGHTS, said, about, figures={"reason": other})


def _rights_heard(talk: _Talk, topics: Topics, about: str, *, lax: bool) -> Finding:
    """MQTT 3.1.1 has no reasons: what must not be said to ourselves comes back if it was let through."""
    topic = f"{topics.down_filter.removesuffix('#')}doctor"
    talk.link.publish(topic, b"{}")
    if talk.hears(topic):
        return _too_open("the broker lets this device say what only the centre may: …/down/", about, lax)
    return skipped(
        RIGHTS,
        "this device cannot speak as the centre; whether its own alerts are taken, MQTT 3.1.1 does not tell "
        "(mqtt.protocol: mqtt5 would)",
        about,
    )


def _too_open(problem: str, about: str, lax: bool, figures: Mapping[str, object] | None = None) -> Finding:
    tell: Callable[..., Finding] = warning if lax else fault
    return tell(
        RIGHTS,
        problem,
        "it has no access list, or one that is the same for everybody: whoever takes one box over can forge "
        "the alerts of all",
        _ACL,
        about,
        figures=figures or {},
    )


def _untold(about: str) -> Finding:
    return warning(
        RIGHTS,
        f"the broker took what is ours, and did not say within {PATIENCE_S:.0f} s whether it takes what is "
        "another's",
        "it is overloaded, the network loses much, or it answers nothing that it refuses",
        "run the doctor again; if it stays so, look at the broker's log and at its access list",
        about,
    )


def _no_entry(answer: LinkEvent | None, about: str) -> Finding:
    reason = answer.reason if isinstance(answer, Disconnected) else "it does not answer"
    lowered = reason.lower()
    if "certificate" in lowered or "tls" in lowered:
        cause = "the broker wants a client certificate, or does not trust the one it was shown"
        fix = "name one that its authority signed in mqtt.tls.cert_file and key_file (docs/broker.md)"
    elif "not authori" in lowered or "bad user" in lowered or "password" in lowered:
        cause = "it does not know mqtt.username, or the password is another"
        fix = "correct mqtt.username and the file in mqtt.password_file; the user is <site>/<device>"
    elif "protocol" in lowered:
        cause, fix = "it does not speak MQTT 5", "set mqtt.protocol to mqtt311"
    else:
        cause = "what listens there is no MQTT broker, or expects TLS, or is overloaded"
        fix = "correct mqtt.port and mqtt.tls.enabled; look at the broker's own log"
    return fault(CHECK, f"the broker does not let us in: {reason}", cause, fix, about)


def no_password(problem: str) -> Finding:
    """It cannot be presented to the broker, so that nobody was asked."""
    cause = "the file is missing, empty, closed to this user, or open to others"
    return fault(CHECK, problem, cause, "see the check `permissions`; write the password into that file")


def doctor_topic(topics: Topics) -> str:
    return f"{topics.status.removesuffix('status')}doctor"


def _other(device: str) -> str:
    """A name that no device of the site should have."""
    return f"not-{device}"[:64]


def _spoken(reason: str | int | None) -> str:
    if reason is None:
        return "it did not answer"
    return f"reason {reason:#04x}" if isinstance(reason, int) else reason
