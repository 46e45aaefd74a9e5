"""A dashboard on one terminal: `python subscriber.py dashboard.json`, with paho-mqtt 2.1 or newer.

Prints alerts, devices and gaps as lines. Typing `ack ENDING [true|false_alarm] [NOTE]` acknowledges the alert
whose id ends so, `quit` ends.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import paho.mqtt.client as paho
from book import Book, Json
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

LARGEST = 262_144
A_WEEK_S = 7 * 86_400
RETRY_S = 2.0
KNOWN = ("alert", "status", "health", "clock", "coverage", "config", "counts", "result")


def say(text: str) -> None:
    """What came over the wire does not get to steer the terminal."""
    print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), flush=True)


class Dashboard:
    """One client, one thread: the network, the book and the keyboard take turns."""

    def __init__(self, settings: Json, folder: Path) -> None:
        self.settings = settings
        self.book = Book(folder / settings["state_file"], time.monotonic())
        self.client = self._client(folder)
        self._connection_told = ""
        self._connection = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        # The broker keeps our place, and what comes for us, while we are away: a fixed client id, no clean
        # start, and an expiry. Larger packets than the contract allows it shall not even send.
        self._connection.SessionExpiryInterval = A_WEEK_S
        self._connection.MaximumPacketSize = LARGEST + 1024

    def _client(self, folder: Path) -> paho.Client:
        given = self.settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            given["client_id"],
            protocol=paho.MQTTv5,
            transport=given.get("transport", "tcp"),
            manual_ack=True,
        )
        file = {
            key: str(folder / given[key]) for key in ("ca_file", "cert_file", "key_file") if given.get(key)
        }
        client.tls_set(file["ca_file"], file.get("cert_file"), file.get("key_file"))  # verifies, always
        if given.get("username"):
            password = (folder / given["password_file"]).read_text("utf-8").splitlines()[0]
            client.username_pw_set(given["username"], password)
        client.on_connect = self._connected
        client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self._say_connection(
            f"not connected: {reason}"
        )
        client.on_subscribe = self._subscribed
        client.on_message = self._came
        return client

    def run(self) -> None:
        typed: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=read_into, args=(typed,), daemon=True).start()
        for line in self.book.open():
            say(f"still open: {line}")
        connected = False
        while True:
            try:
                if not connected:
                    place = (self.settings["host"], self.settings["port"])
                    self.client.connect(*place, keepalive=20, clean_start=False, properties=self._connection)
                connected = self.client.loop(0.2) == paho.MQTT_ERR_SUCCESS
            except OSError as error:
                self._say_connection(f"not connected: {error}")
                connected = False
            if not connected:
                time.sleep(RETRY_S)
            self._look()
            while not typed.empty():
                words = typed.get().split(maxsplit=3)
                if words[:1] == ["quit"]:
                    self.client.disconnect()
                    return
                if words[:1] == ["ack"] and len(words) > 1:
                    self._acknowledge(*words[1:])

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._say_connection(f"not connected: {reason}")
            return
        for device in self.book.devices.values():
            device.heard_s = time.monotonic()  # while we were deaf, nobody was silent
        client.subscribe(f"edgeguard/v1/{self.settings['site']}/{self.settings['device']}/up/#", qos=1)

    def _subscribed(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self._say_connection(f"not subscribed: {refused[0]}" if refused else "connected")

    def _say_connection(self, text: str) -> None:
        if text != self._connection_told:
            self._connection_told = text
            say(text)

    def _came(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """A stranger's message shall neither be believed nor end us: it is refused, and acknowledged too.

        Nothing is said of it on a topic that we do not know, such as a doctor's. A book that cannot be saved
        ends us.
        """
        numbered = False
        try:
            name, body = told(message.topic, message.payload)
            numbered = self._take(name, body, message.retain)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            if any(word in KNOWN for word in message.topic.split("/")[5:6]):
                say(f"refused a message on {message.topic[:200]}: {error!r}"[:400])
        if numbered:
            self.book.save()
        client.ack(message.mid, message.qos)

    def _take(self, name: str, body: Json, retained: bool) -> bool:
        """Show what is news; True if it was a numbered message, after which the book is to be saved."""
        now_s = time.monotonic()
        where = f"{body['site']}/{body['device']}"
        device = self.book.device(where, now_s)
        if name == "alert":
            line = alert_line(body)
            if self.book.is_news(body, line):
                say(line)
        elif name == "status" and device.status(body, retained):
            say(f"{where} is {body['state']}")
        elif name == "health" and body["seq"] is None and device.health != (health := health_line(body)):
            device.health = health
            say(f"{where} health {health}")
        elif name == "coverage":
            for part in body["sources"]:
                say(f"{where} {part['source']} was watched {part['watched_share']:.2%} of {body['day']}")
        elif name == "result":
            say(f"{where} {body['verb']} {'done' if body['ok'] else body['reason']}")
            for part in body["unavailable"]:
                device.settled(part["from_seq"], part["to_seq"])
                say(f"{where} lost {part['from_seq']} to {part['to_seq']}: {part['reason']}")
        seq, seq_high = body.get("seq"), body.get("seq_high")
        if seq is not None:
            device.gave_out(seq, now_s)
            device.settled(seq, seq)
        elif seq_high is not None:
            device.gave_out(seq_high, now_s)
        return seq is not None

    def _look(self) -> None:
        """Silence and gaps: what is noticed by nothing coming."""
        now_s = time.monotonic()
        for name, device in self.book.devices.items():
            if self.client.is_connected() and device.silent(now_s, self.settings["silent_after_s"]):
                say(f"{name} is unknown: it has said nothing for a while")
            for gap in device.missing(now_s, self.settings["late_after_s"]):
                say(f"{name} missing {gap.first} to {gap.last}")
                if self.settings.get("may_command"):
                    self._ask_again(name, gap.first, gap.last)

    def _acknowledge(self, ending: str, verdict: str | None = None, note: str | None = None) -> None:
        alert = self.book.find(ending)
        if alert is None or verdict not in ("true", "false_alarm", None):
            say("usage: ack ENDING-OF-AN-ALERT-ID [true|false_alarm] [NOTE]")
            return
        self._send(
            f"{alert['site']}/{alert['device']}",
            "ack",
            schema="edgeguard.ack.v1",
            ack_id=str(uuid4()),
            alert_id=alert["alert_id"],
            by=self.settings["by"],
            at=utc_now(),
            verdict=verdict,
            note=note and note.strip(),
        )

    def _ask_again(self, device: str, first: int, last: int) -> None:
        self._send(
            device,
            "command/replay",
            schema="edgeguard.command.v1",
            command_id=str(uuid4()),
            verb="replay",
            by=self.settings["by"],
            issued_at=utc_now(),
            expires_at=None,
            from_seq=first,
            to_seq=last,
        )

    def _send(self, where: str, what: str, **members: Any) -> None:
        """At QoS 1 and never retained: a request is for now."""
        site, device = where.split("/")
        body = json.dumps({"site": site, "device": device, **members})
        self.client.publish(f"edgeguard/v1/{site}/{device}/down/{what}", body, qos=1)


def read_into(typed: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        typed.put(line)


def told(topic: str, payload: bytes | bytearray) -> tuple[str, Json]:
    """Name and body of a message, if it is one of the device that its topic names."""
    if len(payload) > LARGEST:
        raise ValueError("too large")
    body: Json = json.loads(payload)
    product, name, version = body["schema"].split(".")
    if (product, version) != ("edgeguard", "v1") or [body["site"], body["device"]] != topic.split("/")[2:4]:
        raise ValueError("not of its topic, or not of this contract")
    if not all(isinstance(body.get(number), (int, type(None))) for number in ("seq", "seq_high")):
        raise ValueError("its number is none")
    return name, body


def alert_line(alert: Json) -> str:
    remarks = [
        "DRILL" if alert["drill"] else "",
        "late" if alert["replayed"] else "",
        f"clock {alert['clock']['quality']}" if alert["clock"]["quality"] != "synced" else "",
        *(f"{one['source']} was blind ({one['cause']})" for one in alert.get("blind", [])),
        f"seen by {alert['acknowledged']['by']}" if alert["acknowledged"] else "",
    ]
    what = f"{alert['severity']} {alert['state']} {alert['site']}/{alert['device']} {alert['source']}"
    ending = alert["alert_id"][-12:]
    remark = ", ".join(filter(None, remarks))
    return f"{alert['observed_at'][11:19]} {what}: {alert['summary']} [{ending}] {remark}".rstrip()


def health_line(health: Json) -> str:
    """The state and what is not well; `code`, where there is one, is for programs, `reason` for people."""
    ill = [
        f"{name} ({part.get('code') or 'degraded'}: {part['reason']})"
        for name, part in sorted(health["parts"].items())
        if part["state"] == "degraded"
    ]
    return f"{health['state']} {', '.join(ill)}".rstrip()


def utc_now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    Dashboard(json.loads(file.read_text("utf-8")), file.parent).run()
