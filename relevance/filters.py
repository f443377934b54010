"""Hard filters: what a person has ticked. A filter becomes a mask over the rows of the snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.columns import Columns
from relevance.errors import DataError, listed, quoted
from relevance.filter_checks import check_filters
from relevance.ontology import Ontology

Mask = NDArray[np.bool_]
EARTH_RADIUS_KM = 6371.0
MAX_AGE_DAYS = 1_000_000
"""Older than any listing, and still a number of milliseconds that int64 holds."""

RELAXATION_ORDER = ("max_age_days", "near", "price", "attributes", "locale", "category")
"""In which order the fallback gives up filters when nothing passes them all."""

NEVER_RELAXED = ("not_categories",)
"""What somebody has ruled out does not come back, even if there is nothing else."""

_UNSET: tuple[Any, ...] = (None, {}, (), [], (None, None), [None, None])


@dataclass(frozen=True)
class Filters:
    """price: (lowest, highest), either None; near: (latitude, longitude, kilometres); category: a category id, its
    whole subtree; max_age_days: days since the listing was made; locale; attributes: name -> value or list of values;
    not_categories: category ids, each left out with its whole subtree.

    Raises DataError, naming the field, for a value of another type and for one that nothing could pass.
    """

    price: tuple[float | None, float | None] | None = None
    near: tuple[float, float, float] | None = None
    category: str | None = None
    max_age_days: float | None = None
    locale: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    not_categories: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_filters(vars(self))

    def active(self) -> tuple[str, ...]:
        """Returns the names of the filters that are set."""
        return tuple(name for name in RELAXATION_ORDER + NEVER_RELAXED if getattr(self, name) not in _UNSET)

    def relaxable(self) -> tuple[str, ...]:
        """Returns those that the fallback may give up, in its order."""
        return tuple(name for name in self.active() if name not in NEVER_RELAXED)

    def without(self, name: str) -> "Filters":
        """Returns these filters less a relaxable one."""
        cleared: Any = {} if name == "attributes" else None
        return replace(self, **{name: cleared})

    def mask(self, columns: Columns, ontology: Ontology, now: np.datetime64) -> Mask:
        """Returns bool `[rows]`: the rows that have not expired at `now` and pass every filter. A row that lacks the
        value asked for does not pass. Raises DataError for an unknown category or attribute name."""
        mask: Mask = ~(columns.expires_at <= now)
        if self.price is not None:
            low, high = self.price
            if low is not None:
                mask &= columns.price >= low
            if high is not None:
                mask &= columns.price <= high
        if self.near is not None:
            mask &= within(columns.latitude, columns.longitude, *self.near)
        if self.category is not None:
            first = _position(ontology, "category", self.category)
            mask &= (columns.category >= first) & (columns.category < ontology.end[first])
        if self.not_categories:
            out = _under(self.not_categories, ontology)
            if self.category is not None and out[first : ontology.end[first]].all():
                ruled = f"the category {quoted(self.category)} is ruled out by not_categories"
                raise DataError(f"filters: {ruled}, so nothing could pass; leave one of them out")
            mask &= ~out[columns.category]
        if self.max_age_days is not None:
            oldest = now - np.timedelta64(round(min(self.max_age_days, MAX_AGE_DAYS) * 86_400_000), "ms")
            mask &= columns.created_at >= oldest
        if self.locale is not None:
            mask &= columns.locale.among([self.locale])
        for name, wanted in self.attributes.items():
            if name not in columns.attributes:
                known = listed(sorted(columns.attributes)) or "none"
                raise DataError(f"filters: no attribute {quoted(name)} in this catalogue; it has: {known}")
            mask &= columns.attributes[name].among(wanted if isinstance(wanted, list | tuple) else [wanted])
        return mask


def _under(category_ids: Sequence[str], ontology: Ontology) -> Mask:
    """Returns bool `[categories]`: those in one of the subtrees. One look at each row, however many ids there are."""
    under = np.zeros(len(ontology), np.bool_)
    for category_id in category_ids:
        first = _position(ontology, "not_categories", category_id)
        under[first : ontology.end[first]] = True
    return under


def _position(ontology: Ontology, name: str, category_id: str) -> int:
    """Of a category of the filter of that name."""
    try:
        return ontology.position(category_id)
    except DataError as error:
        raise DataError(f"filters: {name}: {error}") from None


def within(
    latitudes: NDArray[np.float64], longitudes: NDArray[np.float64], latitude: float, longitude: float, radius: float
) -> Mask:
    """Returns bool `[rows]`: at most `radius` km away. Only rows of the right latitude are measured."""
    # A little more than the radius, so that rounding loses no row on the edge.
    band = np.degrees(radius / EARTH_RADIUS_KM) * (1 + 1e-9) + 1e-9
    mask: Mask = np.asarray(np.abs(latitudes - latitude) <= band)
    near = np.flatnonzero(mask)
    mask[near] = kilometres(latitudes[near], longitudes[near], latitude, longitude) <= radius
    return mask


def kilometres(
    latitudes: NDArray[np.float64], longitudes: NDArray[np.float64], latitude: float, longitude: float
) -> NDArray[np.float64]:
    """Great-circle distance in km (haversine formula); NaN where the row has no place."""
    a, b = np.radians(latitudes), np.radians(latitude)
    half = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(longitudes - longitude) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0))))
