"""The reading side over HTTP: JSON and server-sent events, each question with a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from edgeguard import __version__
from edgeguard.collector import shapes
from edgeguard.collector.intake import MOST
from edgeguard.collector.limits import Limits
from edgeguard.collector.reading import Answer, Filter, Reader
from edgeguard.collector.stream import events
from edgeguard.collector.tokens import Holder, Tokens
from edgeguard.errors import EdgeGuardError

MOST_ALERTS = 500
_MOST_GAPS = 1000
_MOST_DAYS = 1000
_MOST_STREAMS = 50
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_WORD = Query(max_length=200)
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": shapes.Problem, "description": words}
    for code, words in ((401, "No token, or one that is not known."), (503, "The database is away."))
}

Acknowledge = Callable[[Answer, str, shapes.Ack], str | None]
"""Tells the device of an alert who has seen it; the ack's id, or None without a connection to the broker."""


@dataclass(slots=True)
class Desk:
    """What the API answers from."""

    name: str
    reader: Reader
    tokens: Tokens
    acknowledge: Acknowledge
    parts: Callable[[], dict[str, Any]]
    stopping: bool = False
    streams: int = 0


App = FastAPI


def make_app(desk: Desk) -> App:
    """The application; `GET /v1/openapi.json` describes it."""
    app = FastAPI(
        title="EdgeGuard collector",
        version=__version__,
        description="What devices told, from the collector's database. Times are RFC 3339 in UTC.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses=_PROBLEMS,
    )
    app.state.desk = desk
    app.add_middleware(Limits)
    app.add_exception_handler(EdgeGuardError, _say_that_it_is_away)
    for path, answer, model in _READING:
        app.add_api_route(path, answer, response_model=model, operation_id=answer.__name__)
    app.add_api_route("/v1/alerts/stream", stream, operation_id="stream", response_class=StreamingResponse)
    app.add_api_route("/v1/alerts/{alert_id}", alert, response_model=shapes.WholeAlert, operation_id="alert")
    app.add_api_route(
        "/v1/alerts/{alert_id}/ack",
        acknowledge,
        methods=["POST"],
        status_code=202,
        response_model=shapes.Acked,
        operation_id="acknowledge",
    )
    return app


async def _say_that_it_is_away(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]
_bearer = HTTPBearer(auto_error=False, description="Made by `edgeguard token`.")


def _reader_of(
    desk: TheDesk, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Holder:
    holder = desk.tokens.holder(given.credentials) if given else None
    if holder is None:
        raise HTTPException(
            401, "give a token: `Authorization: Bearer TOKEN`", headers={"WWW-Authenticate": "Bearer"}
        )
    return holder


TheHolder = Annotated[Holder, Depends(_reader_of)]


def _acknowledger(holder: TheHolder) -> Holder:
    if holder.role != "ack":
        raise HTTPException(403, f"the token of {holder.name} may read only; it needs the role ack")
    return holder


Site = Annotated[str | None, Query(max_length=64, description="Only of this site.")]
Device = Annotated[str | None, Query(max_length=64, description="Only of this device.")]
Severities = Annotated[list[shapes.Severity] | None, Query(max_length=4, description="Any of these.")]
AlertId = Annotated[str, Path(pattern=_UUID)]


def alerts(
    desk: TheDesk,
    _holder: TheHolder,
    since: Annotated[datetime | None, Query(description="Opened then or later.")] = None,
    until: Annotated[datetime | None, Query(description="Opened before.")] = None,
    site: Site = None,
    device: Device = None,
    severity: Severities = None,
    kind: Annotated[str | None, _WORD] = None,
    rule: Annotated[str | None, _WORD] = None,
    state: shapes.AlertState | None = None,
    acknowledged: bool | None = None,
    drill: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ALERTS)] = 100,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> Any:
    """Alerts at their newest revision, the one opened last first."""
    which = Filter(
        *(_ns(since), _ns(until), site, device, tuple(severity or ())),
        *(kind, rule, state, acknowledged, drill),
    )
    page = desk.reader.alerts(which, limit, _place(cursor))
    return {"alerts": page.alerts, "next": page.next and _cursor(page.next)}


def alert(
    desk: TheDesk, _holder: TheHolder, alert_id: AlertId, site: Site = None, device: Device = None
) -> Any:
    """One alert with all its revisions."""
    return _one(desk, alert_id, site, device)


def acknowledge(
    desk: TheDesk,
    holder: Annotated[Holder, Depends(_acknowledger)],
    alert_id: AlertId,
    ack: shapes.Ack,
    site: Site = None,
    device: Device = None,
) -> Any:
    """Tell the alert's device that the token's holder has seen it; it answers with a result."""
    found = _one(desk, alert_id, site, device)
    ack_id = desk.acknowledge(found, holder.name, ack)
    if ack_id is None:
        raise HTTPException(503, "there is no connection to the broker; try again")
    return {"ack_id": ack_id}


async def stream(
    desk: TheDesk,
    holder: TheHolder,
    site: Site = None,
    device: Device = None,
    severity: Severities = None,
    last_event_id: Annotated[str | None, Header(max_length=20, pattern=r"^[0-9]{1,18}$")] = None,
) -> StreamingResponse:
    """Server-sent events: every revision as it is committed; with `Last-Event-ID` first what was missed."""
    if desk.streams >= _MOST_STREAMS:
        raise HTTPException(503, f"{_MOST_STREAMS} streams are open already; close one")
    newest = await run_in_threadpool(desk.reader.newest_position)
    position = int(last_event_id) if last_event_id else newest
    if position > newest:
        position = 0  # of another database: all that is in this one was missed

    def is_wanted(message: Answer) -> bool:
        wanted = ((site, message["site"]), (device, message["device"]))
        return all(one in (None, told) for one, told in wanted) and (
            not severity or message["severity"] in severity
        )

    def is_over() -> bool:
        return desk.stopping or not desk.tokens.still_holds(holder)

    async def told() -> Any:
        desk.streams += 1
        try:
            async for event in events(desk.reader, position, is_wanted, is_over):
                yield event
        finally:
            desk.streams -= 1

    return StreamingResponse(told(), media_type="text/event-stream")


def devices(desk: TheDesk, _holder: TheHolder, site: Site = None, device: Device = None) -> Any:
    """Every device: whether it is there, how it is, what is missing of it."""
    return {"devices": desk.reader.devices(site, device)}


def gaps(
    desk: TheDesk,
    _holder: TheHolder,
    unexplained: Annotated[bool, Query(description="Only those without a reason.")] = False,
    limit: Annotated[int, Query(ge=1, le=_MOST_GAPS)] = 100,
) -> Any:
    """Messages that are missing, found last first."""
    return {"gaps": desk.reader.gaps(unexplained=unexplained, limit=limit)}


def coverage(
    desk: TheDesk,
    _holder: TheHolder,
    since: Annotated[str | None, Query(pattern=_DAY, description="That day or later.")] = None,
    until: Annotated[str | None, Query(pattern=_DAY, description="That day or earlier.")] = None,
    site: Site = None,
    device: Device = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 100,
) -> Any:
    """For how much of each day that is over each source was watched, the newest day first."""
    return {"days": desk.reader.coverage(since, until, site, device, limit)}


def precision(desk: TheDesk, _holder: TheHolder) -> Any:
    """How often each rule was right, by the verdicts of those who acknowledged."""
    return {"rules": desk.reader.precision()}


def result(desk: TheDesk, _holder: TheHolder, request_id: Annotated[str, Path(pattern=_UUID)]) -> Any:
    """What a device answered to an acknowledgement or a command."""
    message = desk.reader.answer(request_id)
    if message is None:
        raise HTTPException(404, "no answer of that id has come (yet)")
    return {"message": message}


def stats(desk: TheDesk, _holder: TheHolder) -> Any:
    """How the collector does."""
    return {"collector": desk.name, "parts": desk.parts(), **desk.reader.totals()}


_READING: tuple[tuple[str, Callable[..., Any], type], ...] = (
    ("/v1/alerts", alerts, shapes.Alerts),
    ("/v1/devices", devices, shapes.Devices),
    ("/v1/gaps", gaps, shapes.Gaps),
    ("/v1/coverage", coverage, shapes.Days),
    ("/v1/rules/precision", precision, shapes.Rules),
    ("/v1/results/{request_id}", result, shapes.Result),
    ("/v1/stats", stats, shapes.Stats),
)


def _one(desk: Desk, alert_id: str, site: str | None, device: str | None) -> Answer:
    found = desk.reader.alert(alert_id, site, device)
    if not found:
        raise HTTPException(404, "there is no alert of that id")
    if len(found) > 1:
        raise HTTPException(409, "several devices use that id; name `site` and `device`, too")
    return found[0]


def _ns(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise HTTPException(422, "a time needs its zone: 2026-05-04T03:02:01Z")
    return max(-MOST, min(MOST, round(moment.timestamp() * 1e6) * 1000))


def _cursor(place: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode().rstrip("=")


def _place(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    try:
        first, _, second = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(".")
        place = int(first), int(second)
    except (ValueError, binascii.Error):
        raise HTTPException(422, "cursor: give `next` of the page before") from None
    if max(map(abs, place)) >= 1 << 63:
        raise HTTPException(422, "cursor: give `next` of the page before")
    return place
