"""What a filter may be: a value that no listing could ever pass is refused, rather than given up for the person."""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from relevance.errors import DataError, quoted


def check_filters(values: Mapping[str, Any]) -> None:
    """Raises DataError for the first of these filters (name -> value) that is malformed or impossible, with its name,
    what was expected and what came."""
    for name, value in values.items():
        fits, expected = _EXPECTED[name]
        if not fits(value):
            raise DataError(f"filters: {name}: expected {expected}, got {quoted(value)}")


def _is_number(value: Any) -> bool:
    """Whether it is a finite number; True and False are none."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _says_something(value: Any) -> bool:
    return _is_text(value) and bool(value.strip())


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _is_price(value: Any) -> bool:
    if not (isinstance(value, list | tuple) and len(value) == 2):
        return False
    if not all(end is None or _is_number(end) for end in value):
        return False
    low, high = value
    return high is None or bool(high >= max(0, 0 if low is None else low))


def _is_near(value: Any) -> bool:
    if not (isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_number, value))):
        return False
    latitude, longitude, kilometres = value
    return bool(abs(latitude) <= 90 and abs(longitude) <= 180 and kilometres >= 0)


def _is_age(value: Any) -> bool:
    return _is_number(value) and bool(value >= 0)


def _are_attributes(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    wanted = [each if isinstance(each, list | tuple) else [each] for each in value.values()]
    return all(map(_is_text, value)) and all(own and all(map(_is_value, own)) for own in wanted)


def _is_value(item: Any) -> bool:
    return _says_something(item) or isinstance(item, bool) or _is_number(item)


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "price": (_or_none(_is_price), "(lowest, highest), finite, the highest at least 0 and the lowest, either None"),
    "near": (_or_none(_is_near), "(latitude within ±90, longitude within ±180, kilometres of at least 0)"),
    "category": (_or_none(_is_text), "a category id, text"),
    "not_categories": (_is_text_list, "a list of category ids, text each"),
    "max_age_days": (_or_none(_is_age), "a finite number of days of at least 0"),
    "locale": (_or_none(_says_something), "some text"),
    "attributes": (
        _are_attributes,
        "names to some text, a number, true or false, or to a list of at least one of these",
    ),
}
"""What each filter has to be, and how to say so."""
