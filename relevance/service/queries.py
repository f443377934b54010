"""What people and search engines ask: searches, category filters, fallbacks, similar listings, suggestions."""

import asyncio
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from relevance import results
from relevance.engine import MAX_K
from relevance.errors import listed, quoted, shortened
from relevance.filters import Filters
from relevance.http_answers import Json
from relevance.service.metrics import fallback_outcome, outcome
from relevance.service.observed import note
from relevance.service.state import State
from relevance.suggestions import Suggestion

Text = Annotated[str, Query(description="The query; any text is one.")]
_COUNTS: dict[str, Any] = {"minimum": 1, "maximum": MAX_K}
"""For the description alone: the engine says in words what it refuses."""
Count = Annotated[int, Query(description="Most listings in the answer.", json_schema_extra=_COUNTS)]
QueryId = Annotated[
    str | None,
    Query(max_length=100, description="The id to log the search under, as UBI's `query_id`; default: a new one."),
]
Deadline = Annotated[
    float | None,
    Query(ge=0, description="Milliseconds after which the answer is the category filter alone, or not even that."),
]
PHOTO_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}


Number = Annotated[float, Field(strict=True)]
"""A number of a body: neither true nor "1"."""


class FilterFields(BaseModel):
    """The filters of `relevance.Filters`, as JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    price: tuple[Number | None, Number | None] | None = Field(default=None, description="Lowest and highest price.")
    near: tuple[Number, Number, Number] | None = Field(default=None, description="Latitude, longitude, kilometres.")
    category: str | None = Field(default=None, description="A category id: what lies in it and under it.")
    max_age_days: Number | None = None
    locale: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict, description="Name to value, or to a list: any of them.")
    not_categories: list[str] = Field(
        default_factory=list, description="Category ids: what lies in one or under it is left out, and never relaxed."
    )

    def filters(self) -> Filters:
        """The same as the engine takes it; raises DataError for values out of range."""
        return Filters(**dict(self))


class Filtered(BaseModel):
    """The body of POST /lexical: a query with filters."""

    model_config = ConfigDict(extra="forbid")

    query: str
    k: int = Field(default=20, strict=True, json_schema_extra=_COUNTS)
    filters: FilterFields = Field(default_factory=FilterFields)


class FallbackRequest(Filtered):
    """The body of POST /fallback. Without a deadline: there is no lesser answer to be had in time."""

    query_id: str | None = Field(default=None, max_length=100)


class SearchRequest(FallbackRequest):
    """The body of POST /search."""

    deadline_ms: Number | None = Field(default=None, ge=0, description="Time after which less is answered.")


class Rescue(BaseModel):
    """What was done where the words found nothing; the listings are the answer's `hits`."""

    trigger: str
    corrected_query: str | None
    relaxed: tuple[str, ...]
    abstained: bool


class SearchAnswer(BaseModel):
    """The answer of /search, for the description alone; see `relevance.SearchResult`."""

    query_id: str
    query: str
    hits: tuple[results.Hit, ...]
    category_filter: results.CategoryFilter
    fallback: Rescue | None
    abstained: bool
    versions: dict[str, str]
    timings: dict[str, float]
    timed_out: bool


class FallbackAnswer(BaseModel):
    """The answer of /fallback, for the description alone; see `relevance.Fallback`."""

    query_id: str
    trigger: str
    corrected_query: str | None
    relaxed: tuple[str, ...]
    hits: tuple[results.Hit, ...]
    abstained: bool


def routes(state: State) -> APIRouter:
    """Returns the endpoints. Searches run on the event loop: they take less than a change of threads costs."""
    router = APIRouter(tags=["queries"], dependencies=[Depends(_known_parameters)])
    _add_search(router, state)
    _add_fallback(router, state)
    _add_parts(router, state)
    _add_similar(router, state)
    return router


async def _known_parameters(request: Request) -> None:
    """Refuses what the address says and nobody reads: a filter there would be ignored in silence. A coroutine, since
    anything else would be run in a thread, which takes as long as a search."""
    known = [own.alias for own in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            hint = "; filters go into the body of POST" if name in FilterFields.model_fields or "price" in name else ""
            raise HTTPException(422, f"query.{shortened(name)}: no such parameter; expected {listed(known)}{hint}")


def _add_search(router: APIRouter, state: State) -> None:
    def searched(request: Request, asked: SearchRequest) -> Response:
        result = state.engine.search(asked.query, asked.k, asked.filters.filters(), asked.deadline_ms)
        query_id = asked.query_id or uuid4().hex
        state.metrics.search(result)
        note(request, query_id=query_id, outcome=outcome(result), hits=len(result.hits))
        return Json({"query_id": query_id} | result.fields())

    @router.get("/search", response_model=SearchAnswer)
    async def search(
        request: Request, q: Text, k: Count = 20, query_id: QueryId = None, deadline_ms: Deadline = None
    ) -> Response:
        """Listings for a query, its category filter, and what the fallback did where the words found nothing."""
        return searched(request, SearchRequest(query=q, k=k, query_id=query_id, deadline_ms=deadline_ms))

    @router.post("/search", response_model=SearchAnswer)
    async def search_filtered(request: Request, body: SearchRequest) -> Response:
        """The same with filters."""
        return searched(request, body)


def _add_fallback(router: APIRouter, state: State) -> None:
    def answered(request: Request, asked: FallbackRequest) -> Response:
        found = state.engine.fallback(asked.query, asked.filters.filters(), asked.k)
        query_id = asked.query_id or uuid4().hex
        state.metrics.fallback(asked.query, found)
        note(request, query_id=query_id, outcome=fallback_outcome(found), hits=len(found.hits))
        return Json({"query_id": query_id} | vars(found))

    @router.get("/fallback", response_model=FallbackAnswer)
    async def fallback(request: Request, q: Text, k: Count = 20, query_id: QueryId = None) -> Response:
        """Listings for a query whose words found none in a search engine of your own, or an abstention."""
        return answered(request, FallbackRequest(query=q, k=k, query_id=query_id))

    @router.post("/fallback", response_model=FallbackAnswer)
    async def fallback_filtered(request: Request, body: FallbackRequest) -> Response:
        """The same with filters."""
        return answered(request, body)


def _add_parts(router: APIRouter, state: State) -> None:
    @router.get("/category-filter", response_model=results.CategoryFilter)
    async def category_filter(request: Request, q: Text) -> Response:
        """The categories that a query is about, for a search engine of your own."""
        found = state.engine.category_filter(q)
        state.metrics.category_filter(q, found)
        note(request, mode=found.mode)
        return Json(found)

    @router.get("/related", response_model=list[str])
    async def related(
        q: Text, k: Annotated[int, Query(description="Most queries in the answer.", json_schema_extra=_COUNTS)] = 5
    ) -> Response:
        """Queries to try next: searched in the same session, or near in meaning."""
        return Json(state.engine.related(q, k))

    @router.get("/lexical", response_model=list[results.Hit])
    async def lexical(q: Text, k: Count = 20) -> Response:
        """What the words alone find: the state of things without this system."""
        return Json(state.engine.lexical_search(q, k))

    @router.post("/lexical", response_model=list[results.Hit])
    async def lexical_filtered(body: Filtered) -> Response:
        """The same with filters."""
        return Json(state.engine.lexical_search(body.query, body.k, body.filters.filters()))

    @router.get("/suggest", response_model=list[Suggestion])
    def suggest(q: Text, k: Annotated[int, Query(ge=1, le=20)] = 8) -> Response:
        """What somebody who has typed this may want to search."""
        return Json(state.suggester.suggest(q, k))


def _add_similar(router: APIRouter, state: State) -> None:
    @router.get("/similar/{listing_id:path}", response_model=list[results.Hit])
    async def similar(listing_id: str, k: Count = 20) -> Response:
        """Listings that look like a listing's first photo; none where it has no usable one."""
        engine = state.engine.current
        if engine.get(listing_id) is None:
            raise HTTPException(404, f"no listing with id {quoted(listing_id)}")
        return Json(engine.similar(listing_id, k=k))

    @router.post("/similar", response_model=list[results.Hit], openapi_extra=PHOTO_BODY)
    async def similar_to_photo(request: Request, k: Count = 20) -> Response:
        """Listings that look like the photo in the body."""
        photo = await request.body()
        loop = asyncio.get_running_loop()
        hits = await loop.run_in_executor(state.threads, lambda: state.engine.similar(image=photo, k=k))
        return Json(hits)
