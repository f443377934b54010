"""The photo classifier over HTTP: SageMaker's container contract, TensorFlow Serving's `:predict`, KServe's health.

One bad photo is answered with its reason and costs the others of its request nothing. Every error is
`{"error": "..."}`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from relevance.errors import RelevanceError
from relevance.photos.answers import MOST_CATEGORIES, PhotoReader, to_json
from relevance.photos.worker import BusyError, DeadlineError, Limits, PhotoResult, PhotoWorker

try:
    from fastapi import FastAPI, HTTPException, Query, Request
    from fastapi.responses import PlainTextResponse, Response

    from relevance.http_answers import APP, Json, add_error_answers, error_answer
    from relevance.photos.described import JSON_ALONE, PHOTO_OR_JSON, REFUSALS
    from relevance.photos.requests import Form, read_photos
    from relevance.serving import serve_until_signal
except ImportError as error:
    raise RelevanceError("the service needs FastAPI and uvicorn: pip install 'relevance[serve]'") from error

NAME = "photos"
"""The model's name in the addresses of TensorFlow Serving."""

MAX_BODY_BYTES = 25 * 2**20
"""Longest request body, in bytes: as much as SageMaker passes on."""

GRACE = 25
"""Seconds that running requests have after SIGTERM; a container is killed after 30."""

_JSON = "application/json"
_PHOTO = ("application/octet-stream", "application/x-image")
_FIELDS = ("categories", "answer", "attributes", "embedding", "error")


def create_app(reader: PhotoReader, limits: Limits) -> FastAPI:
    """Returns the app over an opened model."""
    worker = PhotoWorker(reader, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        worker.close()

    app = FastAPI(title="relevance photos", lifespan=lifespan, responses=REFUSALS, **APP)
    _add_health(app, worker)
    _add_predictions(app, worker)
    _add_errors(app)
    return app


def serve(reader: PhotoReader, limits: Limits, host: str, port: int) -> None:
    """Runs the app in this process until SIGTERM or SIGINT; returns when the running requests are answered."""
    app = create_app(reader, limits)
    serve_until_signal(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=GRACE)


def _add_health(app: FastAPI, worker: PhotoWorker) -> None:
    @app.get("/ping")
    @app.get("/v2/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/v2/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/v1/models/{name}")
    @app.get("/v1/models/{name}/versions/{version}")
    async def status(name: str, version: int = 1) -> dict[str, Any]:
        _refuse_other_model(name, version)
        ok = {"error_code": "OK", "error_message": ""}
        return {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": ok}]}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        """Counters as Prometheus reads them."""
        lines = [f"relevance_photos_{name}_total {count}" for name, count in worker.numbers().items()]
        return "\n".join([*lines, f"relevance_photos_running {worker.running}", ""])


def _add_predictions(app: FastAPI, worker: PhotoWorker) -> None:
    categories = Query(5, ge=1, le=MOST_CATEGORIES, description="Categories of an answer.")

    async def predict(request: Request, kind: str, k: int, embedding: bool) -> Response:
        async with worker.request():
            body = await _read(request)
            if kind != _JSON:
                return _written("single", await worker.answers([body]), k, embedding)
            asked = await worker.in_thread(read_photos, body)
            return _written(asked.form, await worker.answers(asked.photos), k, embedding)

    @app.post("/invocations", **PHOTO_OR_JSON)
    async def invocations(request: Request, k: int = categories, embedding: bool = True) -> Response:
        return await predict(request, _kind(request), k, embedding)

    @app.post("/v1/models/{name}:predict", **JSON_ALONE)
    @app.post("/v1/models/{name}/versions/{version}:predict", **JSON_ALONE)
    async def rows(
        request: Request, name: str, version: int = 1, k: int = categories, embedding: bool = True
    ) -> Response:
        _refuse_other_model(name, version)
        return await predict(request, _JSON, k, embedding)


def _add_errors(app: FastAPI) -> None:
    add_error_answers(app)

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:
        return error_answer(503, str(error), {"Retry-After": "1"})

    @app.exception_handler(DeadlineError)
    async def late(_: Request, error: DeadlineError) -> Response:
        return error_answer(504, str(error))


def _kind(request: Request) -> str:
    """The body's media type: `_JSON`, or "" for a photo."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        return _JSON
    if kind and kind not in _PHOTO and not kind.startswith("image/"):
        raise HTTPException(415, f"expected the content type {_JSON}, {', '.join(_PHOTO)} or image/*, found {kind!r}")
    return ""


async def _read(request: Request) -> bytes:
    """The body; what is too long is refused before it is read, or, of no declared length, when it gets so."""
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    if not declared.isdecimal() or int(declared) <= MAX_BODY_BYTES:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                break
        else:
            return bytes(body)
    raise HTTPException(413, f"expected a body of at most {MAX_BODY_BYTES} bytes")


def _written(form: Form, results: list[PhotoResult], k: int, embedding: bool) -> Response:
    """The results in the form they were asked for; a photo asked for alone is an error of the request."""
    if form == "single" and isinstance(results[0], Exception):
        raise results[0]
    rows = [{"error": str(r)} if isinstance(r, Exception) else to_json(r, k, embedding) for r in results]
    if form == "single":
        return Json(rows[0])
    if form == "rows":
        return Json({"predictions": rows})
    fields = [name for name in _FIELDS if embedding or name != "embedding"]
    return Json({"outputs": {name: [row.get(name) for row in rows] for name in fields}})


def _refuse_other_model(name: str, version: int) -> None:
    if (name, version) != (NAME, 1):
        raise HTTPException(404, f"expected the model {NAME!r}, version 1, found {name!r}, version {version}")
