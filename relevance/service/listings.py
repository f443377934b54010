"""Listings that come, change and go while people search."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from relevance.errors import quoted
from relevance.http_answers import Json
from relevance.live.results import UpsertResult
from relevance.service.access import Writer
from relevance.service.observed import note
from relevance.service.settings import MAX_BATCH
from relevance.service.state import State

Result = TypeVar("Result")


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

    async def written(kind: str, work: Callable[[], "Future[Result]"], number: Callable[[Result], int]) -> Result:
        if state.settings.live is None:
            raise HTTPException(403, "listings cannot be changed here: start the service with --live DIR")
        # Begun is done: whoever leaves before the answer cannot know, and may send it again with the same version.
        return await asyncio.wrap_future(state.metrics.counted(kind, work(), number))

    @router.post("/upsert", response_model=UpsertResult, dependencies=writes)
    async def upsert(request: Request, body: UpsertRequest) -> Response:
        """Writes listings, new ones and changed ones; tells which were refused, and why, and which are not newer."""
        result = await written("listing", lambda: state.upsert(body.listings), lambda result: result.accepted)
        note(request, accepted=result.accepted, rejected=len(result.rejected), ignored=len(result.ignored))
        return Json(result)

    @router.post("/delete", dependencies=writes)
    async def delete(request: Request, body: DeleteRequest) -> dict[str, int]:
        """Deletes listings; tells how many there were."""
        deleted = await written("deletion", lambda: state.writer.submit(state.engine.delete, body.ids), int)
        note(request, deleted=deleted)
        return {"deleted": deleted}

    @router.get("/listings/{listing_id:path}")
    async def get(listing_id: str) -> Response:
        """A listing, once it is written and until it is deleted or expires."""
        found = state.engine.get(listing_id)
        if found is None:
            raise HTTPException(404, f"no listing with id {quoted(listing_id)}")
        return Json(found)

    return router
