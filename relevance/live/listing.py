"""A listing as it is written while people search: what a caller gives, checked, and what is kept of it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from relevance.dataset import Listings, parse_listings
from relevance.errors import DataError, RowsError, quoted
from relevance.ontology import Ontology
from relevance.parquet import Column
from relevance.tables import Table

MAX_TEXT = 100_000
"""Longest title, description or attributes, in bytes of JSON."""

MAX_LEVELS = 50
"""Most objects and lists within each other in attributes: whoever reads them later may go down by recursion."""

_PLACE = Path("listing")
_COLUMNS = (
    "listing_id", "title", "description", "category_id", "price", "latitude", "longitude", "created_at", "expires_at",
    "locale", "attributes",
)  # fmt: skip
_VERSIONS = 2**63
_TOO_DEEP = f"attributes: expected a JSON object with at most {MAX_LEVELS} levels, found more"


@dataclass(frozen=True)
class NewListing:
    """A listing to write, whole: what is not given is empty, whatever was stored before. title: "" where a photo, a
    category, a description or an attribute tells what it is.

    Times are ISO 8601, datetimes or epoch milliseconds. image: the bytes of its photo; None keeps the photo it has,
    b"" takes it away. version: a whole number that grows with each change of the listing; one not above the stored
    version is not applied, nor one not above that of a listing that was deleted. None is applied always.
    """

    listing_id: str
    title: str
    description: str = ""
    category_id: str | None = None
    price: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    created_at: datetime | str | int | None = None
    expires_at: datetime | str | int | None = None
    locale: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    image: bytes | None = None
    version: int | None = None


@dataclass(frozen=True)
class LiveListing:
    """A checked listing, as plain values: times in epoch milliseconds; category_id: the seller's; image: where its
    photo is found, None without one."""

    listing_id: str
    title: str
    description: str
    category_id: str | None
    price: float | None
    latitude: float | None
    longitude: float | None
    created_at: int | None
    expires_at: int | None
    locale: str
    attributes: dict[str, Any]
    image: str | None = None

    def to_json(self) -> str:
        """Returns the text that `from_json` reads."""
        return json.dumps(vars(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "LiveListing":
        """Reads what `to_json` wrote; a field that this version does not know is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})


def checked(new: NewListing, ontology: Ontology) -> LiveListing:
    """Returns `new` as it is kept, without an image; the rules are those of a dataset's listings file. It is taken to
    have a photo unless its image is b"".

    Raises DataError naming the field, what was expected and what was found.
    """
    if new.version is not None and (type(new.version) is not int or not -_VERSIONS <= new.version < _VERSIONS):
        raise DataError(f"version: expected a whole number of 64 bits, found {quoted(new.version)}")
    if new.image is not None and not isinstance(new.image, bytes):
        raise DataError(f"image: expected the bytes of a photo, found {type(new.image).__name__}")
    columns: dict[str, Column] = {name: [getattr(new, name)] for name in _COLUMNS}
    columns["image"] = [() if new.image == b"" else ("photo",)]
    table = Table(_PLACE, _COLUMNS, columns, [1])
    try:
        parsed = parse_listings(table, ontology)
    except RowsError as error:
        raise DataError(str(error).removeprefix(f"{_PLACE}, row 1, column ")) from None
    except (RecursionError, UnicodeError):
        raise DataError(_TOO_DEEP) from None
    listing = _plain(parsed)
    _refuse_deep(listing.attributes)
    for name in ("listing_id", "title", "description", "locale", "attributes"):
        _refuse_unfit(name, getattr(listing, name))
    return listing


def _refuse_deep(attributes: dict[str, Any]) -> None:
    level: list[Any] = [attributes]
    for _ in range(MAX_LEVELS):
        inner = (value.values() if isinstance(value, dict) else value for value in level)
        level = [each for values in inner for each in values if isinstance(each, (dict, list, tuple))]
        if not level:
            return
    raise DataError(_TOO_DEEP)


def _refuse_unfit(name: str, value: Any) -> None:
    """What SQLite and JSON cannot hold, or what is too long to be a listing."""
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError, RecursionError) as error:  # also of half a surrogate pair
        raise DataError(f"{name}: expected text or values that JSON has ({error})") from None
    if size > MAX_TEXT:
        raise DataError(f"{name}: expected at most {MAX_TEXT:,} bytes, found {size:,}")


def _plain(parsed: Listings) -> LiveListing:
    def number(column: Any) -> float | None:
        return None if math.isnan(column[0]) else float(column[0])

    def instant(column: Any) -> int | None:
        return None if np.isnat(column[0]) else int(column[0].astype("datetime64[ms]").astype(np.int64))

    return LiveListing(
        listing_id=parsed.ids[0],
        title=parsed.titles[0],
        description=parsed.descriptions[0],
        category_id=parsed.category_ids[0],
        price=number(parsed.price),
        latitude=number(parsed.latitude),
        longitude=number(parsed.longitude),
        created_at=instant(parsed.created_at),
        expires_at=instant(parsed.expires_at),
        locale=parsed.locales[0],
        attributes=parsed.attributes[0],
    )


def as_listings(listings: Sequence[LiveListing]) -> Listings:
    """Returns them as columns, as index building has them."""

    def numbers(name: str) -> Any:
        return np.array([getattr(listing, name) for listing in listings], np.float64)

    def instants(name: str) -> Any:
        given = [getattr(listing, name) for listing in listings]
        return np.array(["NaT" if value is None else value for value in given], "datetime64[ms]")

    return Listings(
        ids=[listing.listing_id for listing in listings],
        titles=[listing.title for listing in listings],
        descriptions=[listing.description for listing in listings],
        category_ids=[listing.category_id for listing in listings],
        images=[() if listing.image is None else (listing.image,) for listing in listings],
        price=numbers("price"),
        latitude=numbers("latitude"),
        longitude=numbers("longitude"),
        created_at=instants("created_at"),
        expires_at=instants("expires_at"),
        locales=[listing.locale for listing in listings],
        attributes=[listing.attributes for listing in listings],
    )
