"""Listings that come, change and go while people search."""

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from relevance.errors import DataError
from relevance.http_answers import Json
from relevance.live.listing import NewListing
from relevance.live.results import Refused, UpsertResult
from relevance.service.access import Writer
from relevance.service.observed import note
from relevance.service.settings import MAX_BATCH
from relevance.service.state import State

Result = TypeVar("Result")
_FIELDS = frozenset(NewListing.__dataclass_fields__)


class Listing(BaseModel):
    """A listing as it is sent: whole, what is not given is empty. For the description alone: one bad listing is
    refused by itself and does not stop the others."""

    model_config = ConfigDict(extra="forbid")

    listing_id: str
    title: str
    description: str = ""
    category_id: str | None = Field(default=None, description="Not given: told by the photo, or else by the text.")
    price: float | None = Field(default=None, ge=0)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    created_at: str | int | None = Field(default=None, description="ISO 8601 or epoch milliseconds.")
    expires_at: str | int | None = Field(default=None, description="From then on it is found no more.")
    locale: str | None = None
    attributes: dict[str, Any] = {}
    image: str | None = Field(default=None, description="Its photo in base 64; null keeps the one it has, '' none.")
    version: int | None = Field(default=None, description="Grows with each change; one that does not is ignored.")


class UpsertRequest(BaseModel):
    """The body of POST /upsert."""

    model_config = ConfigDict(extra="forbid")

    listings: Annotated[
        list[dict[str, Any]],
        Field(min_length=1, max_length=MAX_BATCH, json_schema_extra={"items": Listing.model_json_schema()}),
    ]


class DeleteRequest(BaseModel):
    """The body of POST /delete."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[str], Field(min_length=1, max_length=MAX_BATCH)]


def routes(state: State) -> APIRouter:
    """Returns the endpoints; an answer to a writer means that it is on disk."""
    router = APIRouter(tags=["listings"])
    writes = [Depends(Writer(state.settings.token))]

    async def written(work: Callable[[], Result]) -> Result:
        if state.settings.live is None:
            raise HTTPException(403, "listings cannot be changed here: start the service with --live DIR")
        # Begun is done: whoever leaves before the answer cannot know, and may send it again with the same version.
        return await asyncio.get_running_loop().run_in_executor(state.writer, work)

    @router.post("/upsert", response_model=UpsertResult, dependencies=writes)
    async def upsert(request: Request, body: UpsertRequest) -> Response:
        """Writes listings, new ones and changed ones; tells which were refused, and why, and which are not newer."""
        result = await written(lambda: _upserted(state, body.listings))
        state.metrics.written("listing", result.accepted)
        note(request, accepted=result.accepted, rejected=len(result.rejected), ignored=len(result.ignored))
        return Json(result)

    @router.post("/delete", dependencies=writes)
    async def delete(request: Request, body: DeleteRequest) -> dict[str, int]:
        """Deletes listings; tells how many there were."""
        deleted = await written(lambda: state.engine.delete(body.ids))
        state.metrics.written("deletion", deleted)
        note(request, deleted=deleted)
        return {"deleted": deleted}

    @router.get("/listings/{listing_id:path}")
    async def get(listing_id: str) -> Response:
        """A listing, once it is written and until it is deleted or expires."""
        found = state.engine.get(listing_id)
        if found is None:
            raise HTTPException(404, f"no listing with id {listing_id!r}")
        fields = found._asdict() | {"attributes": json.loads(found.attributes)}
        del fields["row"]
        return Json(fields)

    return router


def _upserted(state: State, sent: list[dict[str, Any]]) -> UpsertResult:
    """Writes what can be read; places in the result are those of `sent`."""
    refused, places, listings = [], [], []
    for index, fields in enumerate(sent):
        try:
            listings.append(_listing(fields))
            places.append(index)
        except DataError as error:
            refused.append(Refused(index, str(fields.get("listing_id", "")), str(error)))
    result = state.engine.upsert(listings)

    def placed(those: tuple[Refused, ...]) -> list[Refused]:
        return [Refused(places[each.index], each.listing_id, each.reason) for each in those]

    rejected = sorted([*refused, *placed(result.rejected)], key=lambda each: each.index)
    return UpsertResult(result.accepted, tuple(rejected), tuple(placed(result.ignored)))


def _listing(fields: dict[str, Any]) -> NewListing:
    unknown = sorted(fields.keys() - _FIELDS)
    if unknown:
        raise DataError(f"{unknown[0]}: no such field; expected {', '.join(sorted(_FIELDS))}")
    missing = [name for name in ("listing_id", "title") if name not in fields]
    if missing:
        raise DataError(f"{missing[0]}: expected some text, found nothing")
    image = fields.get("image")
    if image is None:
        return NewListing(**fields)
    try:
        return NewListing(**{**fields, "image": base64.b64decode(image, validate=True)})
    except (TypeError, ValueError, binascii.Error):
        raise DataError("image: expected a photo in base 64") from None
