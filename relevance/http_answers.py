"""JSON over HTTP, the same from every service of the project. Every error is `{"error": "..."}`."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from relevance.errors import DataError, DiskFullError, StoreBusyError, shortened
from relevance.images import PhotoError

APP: dict[str, Any] = {"docs_url": None, "redoc_url": None, "redirect_slashes": False}
"""What FastAPI is told for every service: no page of its own, which loads scripts from elsewhere, and no redirect where
an address has a slash too many, which would lead to whatever host the request names."""


class Json(JSONResponse):
    """JSON in ASCII: an answer repeats the query, and a query may hold halves of surrogates, which UTF-8 cannot. What
    JSON has no form for, a dataclass, is written as its fields."""

    def render(self, content: Any) -> bytes:
        # A third of the time that `dataclasses.asdict` takes: nothing is copied.
        return json.dumps(content, allow_nan=False, separators=(",", ":"), default=vars).encode()


class Refusal(BaseModel):
    """The body of every answer that is no success, for the descriptions."""

    error: str


def error_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": message}`."""
    return Json({"error": message}, status, headers)


def add_error_answers(app: FastAPI) -> None:
    """Turns whatever the app raises into an answer that gives away nothing of the inside."""

    @app.exception_handler(PhotoError)
    def unusable_photo(_: Request, error: PhotoError) -> Response:
        return error_answer(422, f"expected a photo in the body, but it is {error.reason}")

    @app.exception_handler(DataError)
    def bad_value(_: Request, error: DataError) -> Response:
        return error_answer(400, str(error))

    @app.exception_handler(StoreBusyError)
    def busy(_: Request, error: StoreBusyError) -> Response:
        return error_answer(503, str(error), {"Retry-After": "1"})

    @app.exception_handler(DiskFullError)
    def full(_: Request, error: DiskFullError) -> Response:
        return error_answer(507, str(error))

    @app.exception_handler(RequestValidationError)
    def bad_request(request: Request, error: RequestValidationError) -> Response:
        other = "json" not in request.headers.get("content-type", "")  # a form is what curl says of its --data
        if other and any(problem["loc"] == ("body",) for problem in error.errors()):
            return error_answer(422, "body: expected JSON, with the header Content-Type: application/json")
        places = (shortened(".".join(map(str, problem["loc"]))) + ": " + problem["msg"] for problem in error.errors())
        return error_answer(422, "; ".join(places))

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> Response:
        return error_answer(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(ClientDisconnect)
    def gone(_: Request, error: ClientDisconnect) -> Response:
        return error_answer(400, "the client left before the body was read")

    @app.exception_handler(Exception)
    def failed(_: Request, error: Exception) -> Response:
        # The server logs the exception; the client learns nothing of the inside.
        return error_answer(500, "internal error")
