"""The operations over HTTP: an app factory, and `serve` to run it. Every error is `{"error": "..."}`."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relevance.engine import Engine
from relevance.errors import DataError, RelevanceError
from relevance.filters import Filters
from relevance.images import PhotoError

try:
    import uvicorn
    from fastapi import FastAPI, HTTPException, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse, Response
    from pydantic import BaseModel, ConfigDict, Field
    from starlette.exceptions import HTTPException as AnyHTTPException
except ImportError as error:
    raise RelevanceError("the service needs FastAPI and uvicorn: pip install 'relevance[serve]'") from error

MAX_BODY_BYTES = 20 * 2**20
"""Longest request body, in bytes: a photo, or a search with its filters."""


class Json(JSONResponse):
    """JSON in ASCII: an answer repeats the query, and a query may hold halves of surrogates, which UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


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
    _add_errors(app)
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


def _add_errors(app: FastAPI) -> None:
    @app.middleware("http")
    async def bounded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.method == "POST":
            length = request.headers.get("content-length", "")
            if not length.isdecimal():
                return _error(411, "expected a Content-Length header")
            if int(length) > MAX_BODY_BYTES:
                return _error(413, f"expected a body of at most {MAX_BODY_BYTES} bytes, got {length}")
        return await call_next(request)

    @app.exception_handler(PhotoError)
    def unusable_photo(_: Request, error: PhotoError) -> Response:
        return _error(422, f"expected a photo in the body, but it is {error.reason}")

    @app.exception_handler(DataError)
    def bad_value(_: Request, error: DataError) -> Response:
        return _error(400, str(error))

    @app.exception_handler(RequestValidationError)
    def bad_request(_: Request, error: RequestValidationError) -> Response:
        places = (".".join(map(str, problem["loc"])) + ": " + problem["msg"] for problem in error.errors())
        return _error(422, "; ".join(places))

    @app.exception_handler(AnyHTTPException)
    def refused(_: Request, error: AnyHTTPException) -> Response:
        return _error(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    def failed(_: Request, error: Exception) -> Response:
        # The server logs the exception; the client learns nothing of the inside.
        return _error(500, "internal error")


def _error(status: int, message: str) -> Response:
    return Json({"error": message}, status_code=status)
