"""The JSON in which photos come over HTTP: one photo, TensorFlow Serving's rows or its columns.

Mental model: `{"photo_bytes": {"b64": "..."}}`, `{"instances": [{"b64": "..."}, ...]}` or
`{"inputs": {"photo_bytes": [{"b64": "..."}, ...]}}`, to bytes.
"""

import base64
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from relevance.errors import DataError

MAX_PHOTOS = 32
"""Photos a request, at most."""


def _without_name(value: Any) -> Any:
    """`{"photo_bytes": x}` is x: a name may be left out where a model has one input only."""
    return value["photo_bytes"] if isinstance(value, dict) and value.keys() == {"photo_bytes"} else value


class EncodedPhoto(BaseModel):
    """The bytes of a photo's file (JPEG, PNG, WebP, GIF, BMP or AVIF), in base 64."""

    model_config = ConfigDict(extra="forbid")

    b64: str


Photos = Annotated[
    list[Annotated[EncodedPhoto, BeforeValidator(_without_name)]], Field(min_length=1, max_length=MAX_PHOTOS)
]


class PhotoRequest(BaseModel):
    """One of the three: `photo_bytes` (answered with one object), `instances` (with a list `predictions`, one object a
    photo) and `inputs` (with an object `outputs`, one list a field)."""

    model_config = ConfigDict(extra="forbid")

    photo_bytes: EncodedPhoto | None = None
    instances: Photos | None = None
    inputs: Annotated[Photos, BeforeValidator(_without_name)] | None = None
    signature_name: Literal["serving_default"] = "serving_default"


_B64 = {"type": "object", "properties": {"b64": {"type": "string", "format": "byte"}}, "required": ["b64"]}
_ROWS = {"type": "array", "items": _B64, "minItems": 1, "maxItems": MAX_PHOTOS}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "image/*": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {"type": "object", "properties": {"photo_bytes": _B64, "instances": _ROWS, "inputs": _ROWS}}
        },
    },
}
"""The same for OpenAPI."""

Form = Literal["single", "rows", "columns"]


@dataclass(frozen=True)
class RequestedPhotos:
    """What was asked: the photos' bytes, None where the base 64 is none, and the form of the answer."""

    form: Form
    photos: list[bytes | None]


def read_photos(body: bytes) -> RequestedPhotos:
    """Reads a request's JSON; raises DataError naming the place of what is wrong with it."""
    try:
        request = PhotoRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise DataError(f"{place}: {first['msg']}") from None
    photo = request.photo_bytes
    forms: dict[Form, list[EncodedPhoto] | None] = {
        "single": None if photo is None else [photo],
        "rows": request.instances,
        "columns": request.inputs,
    }
    asked = [RequestedPhotos(form, list(map(_decoded, photos))) for form, photos in forms.items() if photos]
    if len(asked) != 1:
        raise DataError("body: expected one of photo_bytes, instances and inputs")
    return asked[0]


def _decoded(photo: EncodedPhoto) -> bytes | None:
    try:
        return base64.b64decode(photo.b64, validate=True)
    except ValueError:
        return None
