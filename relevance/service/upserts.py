"""What several requests send, written together: a commit costs the same for one listing and for a hundred."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from relevance.errors import DataError, shortened
from relevance.live.engine import LiveEngine
from relevance.live.listing import NewListing
from relevance.live.results import Refused, UpsertResult, id_told

Sent = Sequence[dict[str, Any]]
"""The listings of one request, as they came."""

_FIELDS = frozenset(NewListing.__dataclass_fields__)


class _Read(NamedTuple):
    """The listings that can be read, the place of each in the request, and the others."""

    listings: list[NewListing]
    places: list[int]
    refused: list[Refused]


def upsert_together(engine: LiveEngine, requests: Sequence[Sent]) -> list[UpsertResult]:
    """Writes what can be read; returns what each request would have been told alone. Raises as `engine.upsert` does."""
    read = [_read(sent) for sent in requests]
    result = engine.upsert([listing for each in read for listing in each.listings])
    rejected = {each.index: each for each in result.rejected}
    ignored = {each.index: each for each in result.ignored}
    results, first = [], 0
    for own in read:
        places = dict(enumerate(own.places, start=first))
        first += len(places)
        refused = sorted([*own.refused, *_placed(rejected, places)], key=lambda each: each.index)
        passed = _placed(ignored, places)
        accepted = len(places) + len(own.refused) - len(refused) - len(passed)
        results.append(UpsertResult(accepted, tuple(refused), tuple(passed)))
    return results


def _placed(those: Mapping[int, Refused], places: Mapping[int, int]) -> list[Refused]:
    """Those of one request, by their place in it; places: by the place among all."""
    return [
        Refused(place, those[index].listing_id, those[index].reason)
        for index, place in places.items()
        if index in those
    ]


def _read(sent: Sent) -> _Read:
    read = _Read([], [], [])
    for place, fields in enumerate(sent):
        try:
            read.listings.append(_listing(fields))
            read.places.append(place)
        except DataError as error:
            read.refused.append(Refused(place, id_told(fields.get("listing_id")), str(error)))
    return read


def _listing(fields: dict[str, Any]) -> NewListing:
    unknown = sorted(fields.keys() - _FIELDS)
    if unknown:
        raise DataError(f"{shortened(unknown[0])}: no such field; expected {', '.join(sorted(_FIELDS))}")
    missing = [name for name in ("listing_id", "title") if name not in fields]
    if missing:
        raise DataError(f"{missing[0]}: expected some text, found nothing")
    image = fields.get("image")
    if image is None:
        return NewListing(**fields)
    try:
        return NewListing(**{**fields, "image": base64.b64decode(image, validate=True)})
    except (TypeError, ValueError, binascii.Error):
        raise DataError("image: expected a photo in base 64") from None
