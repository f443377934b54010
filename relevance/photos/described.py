"""What the photo service answers, for its description alone; `relevance.photos.answers` makes it."""

from typing import Any

from pydantic import BaseModel

from relevance.http_answers import Refusal
from relevance.photos.answers import AttributeScore
from relevance.photos.requests import REQUEST_BODY
from relevance.results import CategoryScore


class PhotoAnswer(BaseModel):
    """What one photo shows; `embedding` where it is asked for."""

    categories: list[CategoryScore]
    answer: CategoryScore | None
    attributes: dict[str, AttributeScore]
    embedding: list[float] | None = None


class Rows(BaseModel):
    """One a photo of `instances`: what it shows, or why it cannot be used."""

    predictions: list[PhotoAnswer | Refusal]


class Fields(BaseModel):
    """One a photo in each; null where the photo cannot be used, and in `error` where it can."""

    categories: list[list[CategoryScore] | None]
    answer: list[CategoryScore | None]
    attributes: list[dict[str, AttributeScore] | None]
    embedding: list[list[float] | None] | None = None
    error: list[str | None]


class Columns(BaseModel):
    """The fields of the photos of `inputs`."""

    outputs: Fields


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal} for status in (400, 404, 413, 415, 422, 500, 503, 504)
}
"""By status."""

_JSON_ALONE = {**REQUEST_BODY, "content": {"application/json": REQUEST_BODY["content"]["application/json"]}}
_ANSWERS: dict[str, Any] = {"response_model": PhotoAnswer | Rows | Columns}

PHOTO_OR_JSON: dict[str, Any] = _ANSWERS | {"openapi_extra": {"requestBody": REQUEST_BODY}}
"""The options of an endpoint that takes a photo as well as JSON."""

JSON_ALONE: dict[str, Any] = _ANSWERS | {"openapi_extra": {"requestBody": _JSON_ALONE}}
"""Those of one that takes JSON."""
