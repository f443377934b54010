"""Takes in behaviour as OpenSearch's User Behavior Insights (UBI 1.3.0) describe it, for the next training."""

import asyncio
import json
from typing import Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from relevance.errors import DataError
from relevance.http_answers import Json
from relevance.service.access import Writer
from relevance.service.observed import note
from relevance.service.settings import MAX_BATCH
from relevance.service.state import State
from relevance.tables import parse_json
from relevance.ubi import check_records

_TIME = {"type": ["string", "number"], "format": "date-time", "description": "ISO 8601 or epoch milliseconds."}
_SHAPE = {"type": "object", "properties": {"timestamp": _TIME}}


def _body(required: list[str], example: dict[str, Any]) -> dict[str, Any]:
    """How OpenAPI describes a record or a list of records."""
    record = _SHAPE | {"required": ["timestamp", *required], "example": example}
    schema = {"oneOf": [record, {"type": "array", "items": record, "minItems": 1, "maxItems": MAX_BATCH}]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_QUERY = {
    "query_id": "1c518a93",
    "user_query": "gaming keyboard",
    "client_id": "c-7",
    "timestamp": "2026-01-31T12:00:00Z",
    "query_response_hit_ids": ["17", "4"],
}
_EVENT = {
    "action_name": "click",
    "query_id": "1c518a93",
    "session_id": "s-3",
    "timestamp": "2026-01-31T12:00:09Z",
    "event_attributes": {"object": {"object_id": "17"}, "position": {"ordinal": 1}},
}


def routes(state: State) -> APIRouter:
    """Returns the endpoints; an answer means that the records are on disk."""
    router = APIRouter(tags=["behaviour"], dependencies=[Depends(Writer(state.settings.token))])

    async def record(request: Request, kind: Literal["query", "event"]) -> Response:
        lines = _lines(await request.body(), kind)
        if state.events is None:
            raise HTTPException(403, "behaviour is not recorded here: start the service with --events DIR")
        try:
            recording = state.metrics.counted(kind, state.events.append(lines), lambda _: len(lines))
            await asyncio.wrap_future(recording)
        except OSError as error:
            raise HTTPException(507, f"could not be recorded ({error.strerror}); send it again later") from error
        note(request, records=len(lines))
        return Json({"accepted": len(lines)})

    @router.post("/ubi/queries", openapi_extra=_body(["query_id", "user_query"], _QUERY))
    async def queries(request: Request) -> Response:
        """Records one query or a list of them."""
        return await record(request, "query")

    @router.post("/ubi/events", openapi_extra=_body(["action_name"], _EVENT))
    async def events(request: Request) -> Response:
        """Records one event or a list of them."""
        return await record(request, "event")

    return router


def _lines(body: bytes, kind: Literal["query", "event"]) -> list[str]:
    """The records of a body, a line of JSON each, once the reader of the next training would take them; raises
    DataError naming the first that it would not."""
    try:
        parsed = parse_json(body.decode())
        records = parsed if isinstance(parsed, list) else [parsed]
        if not 1 <= len(records) <= MAX_BATCH:
            raise DataError(f"body: expected 1 to {MAX_BATCH} records, found {len(records)}")
        # Whatever is no object is refused below, and not worth the time of being written out.
        lines = [json.dumps(each, ensure_ascii=False, allow_nan=False) for each in records if isinstance(each, dict)]
        check_records(records, kind)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(f"body: expected JSON in UTF-8: {error}") from None
    return lines
