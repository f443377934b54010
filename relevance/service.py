"""The operations over HTTP: an app factory, and `serve` to run it. Every error is `{"error": "..."}`."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relevance.engine import Engine
from relevance.errors import RelevanceError
from relevance.filters import Filters

try:
    import uvicorn
    from fastapi import FastAPI, HTTPException, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.responses import Response
    from pydantic import BaseModel, ConfigDict, Field

    from relevance.http_answers import Json, add_error_answers, error_answer
except ImportError as error:
    raise RelevanceError("the service needs FastAPI and uvicorn: pip install 'relevance[serve]'") from error

MAX_BODY_BYTES = 20 * 2**20
"""Longest request body, in bytes: a photo, or a search with its filters."""


class FilterFields(BaseModel):
    """The filters of `relevance.Filters`, as JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    price: tuple[float | None, float | None] | None = None
    near: tuple[float, float, float] | None = None
    category: str | None = None
    max_age_days: float | None = None
    locale: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class SearchRequest(BaseModel):
    """The body of POST /search."""

    model_config = ConfigDict(extra="forbid")

    query: str
    k: int = 20
    filters: FilterFields = Field(default_factory=FilterFields)


def create_app(bundle: Path) -> FastAPI:
    """Returns the app over the bundle; raises BundleError for one that cannot be opened."""
    app = FastAPI(title="relevance", redoc_url=None)
    _add_operations(app, Engine(bundle))
    _bound_bodies(app)
    add_error_answers(app)
    return app


def serve(bundle: Path, host: str, port: int) -> None:
    """Runs the app in this process until it is interrupted."""
    uvicorn.run(create_app(bundle), host=host, port=port)


def _add_operations(app: FastAPI, engine: Engine) -> None:
    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    def ready() -> dict[str, Any]:
        return {"status": "ready", "listings": len(engine), "versions": engine.versions}

    @app.get("/search")
    def search(q: str, k: int = 20) -> Response:
        return Json(engine.search(q, k).to_dict())

    @app.post("/search")
    def search_filtered(body: SearchRequest) -> Response:
        filters = Filters(**body.filters.model_dump())
        return Json(engine.search(body.query, body.k, filters).to_dict())

    @app.get("/category-filter")
    def category_filter(q: str) -> Response:
        return Json(asdict(engine.category_filter(q)))

    @app.get("/fallback")
    def fallback(q: str, k: int = 20) -> Response:
        return Json(asdict(engine.fallback(q, k=k)))

    @app.get("/similar/{listing_id:path}")
    def similar(listing_id: str, k: int = 20) -> Response:
        if engine.store.find(listing_id) is None:
            raise HTTPException(404, f"no listing with id {listing_id!r} in this bundle")
        return Json([asdict(hit) for hit in engine.similar(listing_id, k=k)])

    @app.post("/similar")
    async def similar_to_photo(request: Request, k: int = 20) -> Response:
        photo = await request.body()
        hits = await run_in_threadpool(engine.similar, image=photo, k=k)
        return Json([asdict(hit) for hit in hits])


def _bound_bodies(app: FastAPI) -> None:
    @app.middleware("http")
    async def bounded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.method == "POST":
            length = request.headers.get("content-length", "")
            if not length.isdecimal():
                return error_answer(411, "expected a Content-Length header")
            if int(length) > MAX_BODY_BYTES:
                return error_answer(413, f"expected a body of at most {MAX_BODY_BYTES} bytes, got {length}")
        return await call_next(request)
