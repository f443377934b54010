"""The page at `/` and the photos on it: a few files of the package, those of the folder that the operator names, and
those that live listings were written with."""

import hashlib
import os
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from relevance.errors import quoted
from relevance.service.state import State

_READING = ["GET", "HEAD"]
_TYPES = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_PHOTOS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".bmp": "image/bmp",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
}
"""What a photo's file may end in: the folder may hold files that are nobody's business. One that ends in nothing is
told by its first bytes."""

_SIGNATURES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG", "image/png"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (4, b"ftypavif", "image/avif"),
    (0, b"BM", "image/bmp"),
)
"""Where in a photo's file which bytes stand."""

_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def routes(state: State) -> APIRouter:
    """Returns the endpoints of the page; no part of the API's description."""
    router = APIRouter(include_in_schema=False)
    folder = resources.files("relevance.service") / "static"
    for name, kind in _TYPES.items():
        path = "/" if name == "index.html" else f"/page/{name}"
        router.add_api_route(path, _file((folder / name).read_bytes(), kind), methods=_READING)
    router.add_api_route("/images/live:{listing_id:path}", _live_photos(state), methods=_READING)
    router.add_api_route("/images/{path:path}", _Photos(state.settings.images), methods=_READING)
    return router


def _file(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers one file, or that it is still the same."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = _SAFE | {"ETag": tag, "Cache-Control": "no-cache"}

    async def file(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)

    return file


def _live_photos(state: State) -> Callable[[str], Response]:
    """An endpoint that answers the photo that a listing was written with."""

    def photo(listing_id: str) -> Response:
        shown = state.engine.get(listing_id)
        content = state.engine.photo(listing_id) if shown is not None else None
        if not content:
            raise HTTPException(404, f"no photo of a listing {quoted(listing_id)}")
        kind = _told_by(content[:16]) or "application/octet-stream"
        return Response(content, media_type=kind, headers=_SAFE | {"Cache-Control": "no-cache"})

    return photo


def _told_by(start: bytes) -> str | None:
    """The type of a photo by its first bytes, None for what is none."""
    return next((kind for at, mark, kind in _SIGNATURES if start.startswith(mark, at)), None)


class _Photos:
    """An endpoint that answers the photos of a folder: nothing that lies outside it, and nothing but photos."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        # The dataset's `images/` may itself be a link to where the operator keeps the photos.
        places = () if folder is None else (folder, folder / "images")
        self._roots = tuple(f"{os.path.realpath(place)}{os.sep}" for place in places)

    async def __call__(self, path: str) -> Response:
        ending = os.path.splitext(path)[1].lower()
        if self._folder is None or not (ending in _PHOTOS or not ending) or "\0" in path:
            raise HTTPException(404, f"no photo {quoted(path)}")
        file = os.path.realpath(self._folder / path)
        if not file.startswith(self._roots) or not os.path.isfile(file):
            raise HTTPException(404, f"no photo {quoted(path)}")
        kind = _PHOTOS.get(ending) or _read_kind(file)
        if kind is None:
            raise HTTPException(404, f"no photo {quoted(path)}")
        return FileResponse(file, media_type=kind, headers=_SAFE | {"Cache-Control": "max-age=86400"})


def _read_kind(file: str) -> str | None:
    with open(file, "rb") as opened:
        return _told_by(opened.read(16))
