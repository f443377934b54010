"""The app: the engine's operations over HTTP, a page to try them on, and what an operator watches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import Response

from relevance.http_answers import APP, Refusal, add_error_answers, error_answer
from relevance.service import intake, listings, page, queries
from relevance.service.access import Writer
from relevance.service.bounds import Bounds
from relevance.service.interpreter import short_turns
from relevance.service.observed import Observed
from relevance.service.settings import MAX_BODY_BYTES, Settings
from relevance.service.state import State

_DESCRIPTION = """Search relevance for classifieds and marketplaces. Every error is `{"error": "..."}`; any text is a
valid query; what changes or records anything needs a bearer token."""


_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal} for status in (400, 401, 403, 404, 413, 422, 500, 503, 504, 507)
}
_WRITTEN = ("/upsert", "/delete", "/ubi/queries", "/ubi/events")
_LARGE = ("/similar", "/upsert", "/delete", "/ubi/queries", "/ubi/events")
_WATCHED = ("/health/live", "/health/ready", "/metrics")


def create_app(settings: Settings) -> FastAPI:
    """Returns the app over an opened bundle; raises BundleError for one that cannot be opened and DataError for a
    folder that cannot be used."""
    state = State(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with short_turns():
            yield
            await asyncio.to_thread(state.close)

    app = FastAPI(title="relevance", description=_DESCRIPTION, lifespan=lifespan, responses=_REFUSALS, **APP)
    for routes in (queries.routes, listings.routes, intake.routes, _operation, page.routes):
        app.include_router(routes(state))
    app.add_middleware(
        Bounds,
        queue=settings.queue,
        deadline=settings.deadline,
        large=dict.fromkeys(_LARGE, MAX_BODY_BYTES),
        written=_WRITTEN,
        writer=Writer(settings.token),
        watched=_WATCHED,
        answering=state.answering,
    )
    app.add_middleware(Observed, metrics=state.metrics, paths=frozenset(app.openapi()["paths"]))
    add_error_answers(app)
    _add_allowed_methods(app)
    return app


def _add_allowed_methods(app: FastAPI) -> None:
    """An address may have several endpoints, one a method; FastAPI would name those of the first alone."""

    @app.exception_handler(405)
    def not_allowed(request: Request, error: HTTPException) -> Response:
        methods = app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", ""))
        headers = {"Allow": ", ".join(method.upper() for method in methods)} if methods else error.headers
        return error_answer(405, str(error.detail), headers)


def _operation(state: State) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health/live")
    @router.head("/health/live")
    async def live() -> dict[str, str]:
        """Whether the process runs."""
        return {"status": "live"}

    @router.get("/health/ready")
    @router.head("/health/ready")
    async def ready() -> dict[str, Any]:
        """Whether searches are answered, and from what."""
        engine, settings = state.engine.current, state.settings
        return {
            "status": "ready",
            "listings": len(engine),
            "photos": (settings.images or settings.live) is not None,
            "versions": engine.versions,
        }

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Counts, durations and drift, in Prometheus' text format."""
        return Response(state.metrics.text(state.gauges), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
