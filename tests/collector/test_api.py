"""The API on a real server, from a real database."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.parse import parse
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.collector.__main__ import description
from edgeguard.collector.acknowledging import Acknowledgements
from edgeguard.collector.api import Desk, make_app
from edgeguard.collector.database import Database, open_sqlite
from edgeguard.collector.reading import Reader
from edgeguard.collector.tokens import Tokens, grant, revoke
from edgeguard.collector.writing import Writer
from edgeguard.errors import StorageError
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.serving import ServingStage
from tests.conftest import REPOSITORY
from tests.support.alerts import IDENTITY, UTC_NS
from tests.support.centre import a_day, a_health, a_result, a_status, a_step, an_alert, arrivals, other_device

NOBODY = Desk("centre-1", Any, Any, Any, dict)
ID = "019b0000-0000-7000-8000-00000000000{}"
REQUEST = "6f1c2d3e-0000-4000-8000-000000000001"
SEEN = {"by": "ada", "at": "2027-01-15T08:00:00.000000Z", "verdict": "false_alarm", "note": None}


@dataclass
class Api:
    """The server, and questions to it."""

    port: int
    link: FakeLink
    writer: Writer
    read: str
    ack: str

    def ask(
        self, path: str, token: str | None = "", body: Any = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers; by default with the token that may read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.read}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, data, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        return answer.status, found, {name.lower(): value for name, value in answer.getheaders()}

    def listen(self, path: str, **headers: str) -> Iterator[tuple[str, Any]]:
        """Id and data of each event."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.read}", **headers}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            event: dict[str, str] = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    yield event["id"], json.loads(event["data"])
                    event = {}

    def store(self, *received: Any) -> None:
        self.writer.store(arrivals(received), UTC_NS)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_sqlite(tmp_path / "collector.db")
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Iterator[Api]:
    tokens = tmp_path / "tokens"
    read, ack = grant(tokens, "wall", "read"), grant(tokens, "ada", "ack")
    link = FakeLink(lambda _event: None)
    link.connect()
    desk = Desk(
        "centre-1",
        Reader(database),
        Tokens(tokens),
        Acknowledgements(lambda: link, ManualClock()),
        lambda: {"ingest": {"state": "ok"}},
    )
    part = Part("http", SystemClock())
    stage = ServingStage(lambda: make_app(desk), "127.0.0.1", 0, part)
    stage.open()
    assert part.state is State.OK
    yield Api(int(part.counters["address"].rpartition(":")[2]), link, Writer(database), read, ack)
    stage.close()


def told(seq: int, digit: int, **members: Any) -> Any:
    return an_alert(seq, alert_values={"alert_id": ID.format(digit)}, **members)


EVERY = (
    "alerts",
    f"alerts/{ID.format(1)}",
    "alerts/stream",
    "coverage",
    "devices",
    "gaps",
    "rules/precision",
    "stats",
)


@pytest.mark.parametrize("token", [None, "wrong", "\u00fc".encode().decode("latin-1"), "x" * 5000])
def test_without_a_token_nobody_learns_anything(api: Api, token: str | None) -> None:
    for path in (*EVERY, f"results/{REQUEST}"):
        status, answer, headers = api.ask(f"/v1/{path}", token)
        assert status == 401, path
        assert "Bearer TOKEN" in answer["detail"]
        assert headers["www-authenticate"] == "Bearer"


def test_nothing_is_kept_by_caches(api: Api) -> None:
    for path in ("alerts", "devices", "no-such"):
        assert api.ask(f"/v1/{path}")[2]["cache-control"] == "no-store"


def test_alerts_are_found_by_what_they_are(api: Api) -> None:
    gate = other_device("gate-2")
    api.store(
        told(1, 1),
        told(2, 2, severity="alarm", opened_at="2027-01-15T09:00:00.000000Z", rule="other"),
        told(3, 3, acknowledged=SEEN, state="closed", closed_at="2027-01-15T08:00:00.000000Z"),
        an_alert(1, gate, {"alert_id": ID.format(4)}, drill=True),
    )

    def ids(query: str) -> list[int]:
        status, answer, _ = api.ask(f"/v1/alerts?{query}")
        assert status == 200, answer
        return sorted(int(alert["alert_id"][-1]) for alert in answer["alerts"])

    assert ids("") == [1, 2, 3, 4]
    assert ids("severity=alarm") == [2]
    assert ids("severity=alarm&severity=warning") == [1, 2, 3, 4]
    assert ids("since=2027-01-15T08:30:00Z") == [2]
    assert ids("until=2027-01-15T09:30:00%2B01:00") == [1, 3, 4]
    assert ids("device=gate-2") == [4]
    assert ids("site=elsewhere") == []
    assert ids("rule=other") == [2]
    assert ids("state=closed") == [3]
    assert ids("acknowledged=true") == [3]
    assert ids("acknowledged=false&drill=false") == [1, 2]
    assert ids("kind=loitering&limit=1") == [2]


def test_pages_are_whole_and_do_not_overlap(api: Api) -> None:
    api.store(*(told(digit, digit) for digit in range(1, 8)))
    found, cursor = [], ""
    while cursor is not None:
        _, answer, _ = api.ask(f"/v1/alerts?limit=3&cursor={cursor}" if cursor else "/v1/alerts?limit=3")
        found += [alert["alert_id"][-1] for alert in answer["alerts"]]
        cursor = answer["next"]
    assert found == list("7654321")


def test_what_cannot_be_asked_is_said(api: Api) -> None:
    for query in (
        *("limit=0", "limit=501", "limit=x", "severity=terrible", "state=gone", "since=yesterday"),
        *("since=2027-01-15T08:30:00", "cursor=%00", "cursor=abc", "cursor=MTAw", "site=" + "x" * 65),
    ):
        status, answer, _ = api.ask(f"/v1/alerts?{query}")
        assert status == 422, query
        assert answer["detail"]


def test_a_cursor_beyond_all_numbers_is_refused(api: Api) -> None:
    cursor = base64.urlsafe_b64encode(f"{1 << 64}.1".encode()).decode().rstrip("=")
    assert api.ask(f"/v1/alerts?cursor={cursor}")[0] == 422


def test_an_alert_comes_with_all_its_revisions_and_corrected_times(api: Api) -> None:
    api.store(told(1, 1), told(3, 1, revision=2, summary="later"), a_step(2, 3_600_000.0))
    _, alert, _ = api.ask(f"/v1/alerts/{ID.format(1)}")
    assert alert["revision"] == 2
    assert alert["message"]["summary"] == "later"
    steps = [(one["revision"], one["clock_step_ms"]) for one in alert["revisions"]]
    assert steps == [(1, 3_600_000.0), (2, 0.0)]
    assert api.ask(f"/v1/alerts/{ID.format(2)}")[0] == 404
    assert api.ask("/v1/alerts/anything")[0] == 422


def test_days_of_coverage_are_found_by_day_and_device(api: Api) -> None:
    gate = other_device("gate-2")
    days = [a_day(seq, f"2027-01-1{seq}", blind_s=30) for seq in range(1, 5)]
    api.store(*days, a_day(1, "2027-01-14", gate))

    def found(query: str = "") -> list[tuple[str, str]]:
        status, answer, _ = api.ask(f"/v1/coverage?{query}")
        assert status == 200, answer
        return [(day["day"][-2:], day["device"]) for day in answer["days"]]

    assert found() == [
        ("14", "gate-1"),
        ("14", "gate-2"),
        ("13", "gate-1"),
        ("12", "gate-1"),
        ("11", "gate-1"),
    ]
    assert found("device=gate-1&since=2027-01-12&until=2027-01-13") == [("13", "gate-1"), ("12", "gate-1")]
    assert found("limit=1") == [("14", "gate-1")]
    assert found("site=elsewhere") == []
    _, answer, _ = api.ask("/v1/coverage?limit=1")
    assert answer["days"][0]["message"]["sources"][0]["blind_s"] == 30
    assert api.ask("/v1/coverage?since=yesterday")[0] == 422


def test_an_id_that_devices_share_needs_the_device(api: Api) -> None:
    gate = other_device("gate-2")
    api.store(told(1, 1), an_alert(1, gate, {"alert_id": ID.format(1)}))
    assert api.ask(f"/v1/alerts/{ID.format(1)}")[0] == 409
    assert api.ask(f"/v1/alerts/{ID.format(1)}?device=gate-2")[1]["device"] == "gate-2"


def test_who_may_acknowledge_is_heard_by_the_device(api: Api) -> None:
    api.store(told(1, 1))
    path = f"/v1/alerts/{ID.format(1)}/ack"
    assert api.ask(path, body={})[0] == 403, "this token may read only"
    status, answer, _ = api.ask(path, api.ack, {"verdict": "true", "note": "a fox"})
    assert status == 202
    (sent,) = api.link.publications
    ack = parse(sent.body, "ack")
    assert sent.topic == IDENTITY.topics.ack
    assert (ack["ack_id"], ack["by"], ack["verdict"]) == (answer["ack_id"], "ada", "true")
    api.store(a_result(answer["ack_id"]))
    assert api.ask(f"/v1/results/{answer['ack_id']}")[1]["message"]["ok"] is True
    assert api.ask(f"/v1/results/{REQUEST}")[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "maybe"}, 422),
        ({"note": "x" * 501}, 422),
        ({"by": "eve"}, 422),
        (b"{", 422),
        (b"[" * 10_000, 400),
        (b'{"note": "' + b"x" * 20_000 + b'"}', 413),
    ],
)
def test_a_strange_acknowledgement_goes_nowhere(api: Api, body: Any, status: int) -> None:
    api.store(told(1, 1))
    assert api.ask(f"/v1/alerts/{ID.format(1)}/ack", api.ack, body)[0] == status
    assert api.link.publications == []


def test_without_a_broker_an_acknowledgement_is_not_pretended(api: Api) -> None:
    api.store(told(1, 1))
    api.link.disconnect("gone")
    assert api.ask(f"/v1/alerts/{ID.format(1)}/ack", api.ack, {})[0] == 503


def test_devices_say_how_they_are_and_what_is_missing(api: Api) -> None:
    api.store(a_status(seq_high=7), a_health(9))
    _, answer, _ = api.ask("/v1/devices")
    (device,) = answer["devices"]
    assert (device["state"], device["seq_high"], device["missing"]) == ("online", 9, 0)
    assert device["health"]["state"] == "ok"
    assert api.ask("/v1/devices?device=gate-2")[1] == {"devices": []}


def test_rules_are_judged_by_their_verdicts(api: Api) -> None:
    right = {**SEEN, "verdict": "true"}
    api.store(told(1, 1, acknowledged=SEEN), told(2, 2, acknowledged=right), told(3, 3, acknowledged=right))
    api.store(told(4, 4), told(5, 5, drill=True, acknowledged=SEEN))
    (rule,) = api.ask("/v1/rules/precision")[1]["rules"]
    assert (rule["rule"], rule["alerts"], rule["true"], rule["false_alarm"]) == ("stay", 4, 2, 1)
    assert rule["precision"] == 0.6667


def test_totals_and_gaps(api: Api) -> None:
    api.store(a_status(), told(1, 1))
    _, stats, _ = api.ask("/v1/stats")
    assert (stats["collector"], stats["devices"], stats["alerts"], stats["missing"]) == ("centre-1", 1, 1, 0)
    assert api.ask("/v1/gaps?unexplained=true")[1] == {"gaps": []}


def test_the_stream_tells_every_revision_and_goes_on_where_it_was(api: Api) -> None:
    api.store(told(1, 1))
    heard = api.listen("/v1/alerts/stream", **{"Last-Event-ID": "0"})
    first, message = next(heard)
    assert message["revision"] == 1
    api.store(told(2, 1, revision=2), told(3, 2, severity="alarm"))
    assert [next(heard)[1]["revision"], next(heard)[1]["severity"]] == [2, "alarm"]
    heard.close()
    again = api.listen("/v1/alerts/stream?severity=alarm", **{"Last-Event-ID": first})
    assert next(again)[1]["seq"] == 3
    again.close()
    assert api.ask("/v1/alerts/stream", **{"Last-Event-ID": "first"})[0] == 422


def test_a_listener_who_was_at_another_database_hears_all_of_this_one(api: Api) -> None:
    api.store(told(1, 1))
    heard = api.listen("/v1/alerts/stream", **{"Last-Event-ID": "100000"})
    assert next(heard)[1]["seq"] == 1
    heard.close()


def test_a_stream_ends_with_its_token(api: Api, tmp_path: Path) -> None:
    api.store(told(1, 1))
    heard = api.listen("/v1/alerts/stream", **{"Last-Event-ID": "0"})
    next(heard)
    assert revoke(tmp_path / "tokens", "wall")
    assert list(heard) == []


def test_streams_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeguard.collector.api._MOST_STREAMS", 0)
    assert api.ask("/v1/alerts/stream")[0] == 503


def test_a_database_that_is_away_is_said(api: Api, database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE gap")
    status, answer, _ = api.ask("/v1/gaps")
    assert status == 503
    assert "cannot use the collector's database" in answer["detail"]


def test_a_port_that_is_taken_is_a_sentence(api: Api) -> None:
    stage = ServingStage(lambda: make_app(NOBODY), "127.0.0.1", api.port, Part("http", SystemClock()))
    with pytest.raises(StorageError, match=f"cannot serve HTTP on 127.0.0.1:{api.port}"):
        stage.open()


def test_it_speaks_https_with_a_certificate(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=centre"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    part = Part("http", SystemClock())
    stage = ServingStage(lambda: make_app(NOBODY), "127.0.0.1", 0, part, (certificate, key))
    stage.open()
    try:
        trusting = ssl.create_default_context(cafile=certificate)
        address = part.counters["address"]
        with urllib.request.urlopen(f"{address}/v1/openapi.json", context=trusting, timeout=10) as answer:
            assert json.load(answer)["openapi"].startswith("3.1")
    finally:
        stage.close()


def shape(document: dict[str, Any]) -> dict[str, Any]:
    """What callers depend on; the rest is worded differently by versions of FastAPI."""
    return {
        f"{method} {path}": (
            sorted(parameter["name"] for parameter in operation.get("parameters", ())),
            sorted(operation["responses"]),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_description_is_valid_and_current() -> None:
    shipped = json.loads((REPOSITORY / "edgeguard/collector/openapi.json").read_text(encoding="utf-8"))
    validate(shipped)
    assert shape(shipped) == shape(description()), "run `python -m edgeguard.collector`"


def test_every_answer_is_described(api: Api) -> None:
    described = {path.split()[1].removeprefix("/v1/") for path in shape(description())}
    assert {path.replace(ID.format(1), "{alert_id}") for path in EVERY} <= described
