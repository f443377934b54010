"""Filters as masks against plain Python, one row at a time; the columns they read survive the disk."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.columns import MAX_ATTRIBUTES, MAX_VALUES, Coded, Columns, attribute_columns
from relevance.errors import DataError, DataWarning
from relevance.filters import RELAXATION_ORDER, Filters, kilometres
from relevance.ontology import Ontology

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONTOLOGY = Ontology.from_paths(
    ["cars", "home", "garden", "mowers", "kitchen"],
    [("Cars",), ("Home",), ("Home", "Garden"), ("Home", "Garden", "Mowers"), ("Home", "Kitchen")],
)
COLOURS = ["red", "blue", "deep blue"]

Row = dict[str, Any]
rows_of_a_catalogue = st.lists(
    st.fixed_dictionaries(
        {
            "category": st.sampled_from(ONTOLOGY.ids),
            "price": st.none() | st.floats(0, 100),
            "place": st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
            "age": st.none() | st.integers(-1, 40),
            "lasts": st.none() | st.integers(-3, 3),
            "locale": st.sampled_from(["", "en", "fr-BE"]),
            "attributes": st.fixed_dictionaries(
                {},
                optional={
                    "colour": st.sampled_from([*COLOURS, None, ["red", "blue"], []]),
                    "doors": st.sampled_from([3, 5.0, 2.5]),
                    "used": st.booleans(),
                    "locale": st.sampled_from(["xx", "en"]),
                },
            ),
        }
    ),
    min_size=1,
    max_size=30,
)


def _columns(rows: list[Row]) -> Columns:
    def instants(name: str, sign: int) -> np.ndarray[Any, Any]:
        moments = [None if r[name] is None else NOW + sign * timedelta(days=r[name]) for r in rows]
        texts = ["NaT" if moment is None else moment.replace(tzinfo=None).isoformat() for moment in moments]
        return np.array(texts, "datetime64[ms]")

    nowhere = (math.nan, math.nan)
    return Columns(
        category=np.array([ONTOLOGY.position(r["category"]) for r in rows], np.int32),
        price=np.array([math.nan if r["price"] is None else r["price"] for r in rows], np.float64),
        latitude=np.array([(r["place"] or nowhere)[0] for r in rows]),
        longitude=np.array([(r["place"] or nowhere)[1] for r in rows]),
        created_at=instants("age", -1),
        expires_at=instants("lasts", 1),
        locale=Coded.encode([r["locale"] for r in rows]),
        attributes=attribute_columns([r["attributes"] for r in rows]),
    )


def _mask(filters: Filters, columns: Columns) -> list[bool]:
    mask = filters.mask(columns, ONTOLOGY, np.datetime64(NOW.replace(tzinfo=None), "ms"))
    assert mask.dtype == np.bool_
    return list(mask.tolist())


def _lives(row: Row) -> bool:
    return row["lasts"] is None or row["lasts"] > 0


@given(rows_of_a_catalogue)
def test_expired_rows_never_pass(rows: list[Row]) -> None:
    assert _mask(Filters(), _columns(rows)) == [_lives(r) for r in rows]


@given(rows_of_a_catalogue, st.none() | st.floats(0, 100), st.none() | st.floats(0, 100))
def test_price(rows: list[Row], low: float | None, high: float | None) -> None:
    def passes(row: Row) -> bool:
        price = row["price"]
        if low is None and high is None:  # no filter at all
            return True
        return price is not None and (low is None or price >= low) and (high is None or price <= high)

    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    expected = [_lives(r) and passes(r) for r in rows]
    assert _mask(Filters(price=(low, high)), _columns(rows)) == expected


@given(rows_of_a_catalogue, st.sampled_from(ONTOLOGY.ids))
def test_category_holds_its_subtree(rows: list[Row], category: str) -> None:
    wanted = ONTOLOGY.paths[ONTOLOGY.position(category)]

    def passes(row: Row) -> bool:
        return ONTOLOGY.paths[ONTOLOGY.position(row["category"])][: len(wanted)] == wanted

    assert _mask(Filters(category=category), _columns(rows)) == [_lives(r) and passes(r) for r in rows]


@given(rows_of_a_catalogue, st.lists(st.sampled_from(ONTOLOGY.ids)))
def test_not_categories_leaves_out_each_subtree(rows: list[Row], away: list[str]) -> None:
    unwanted = [ONTOLOGY.paths[ONTOLOGY.position(category)] for category in away]

    def passes(row: Row) -> bool:
        path = ONTOLOGY.paths[ONTOLOGY.position(row["category"])]
        return not any(path[: len(names)] == names for names in unwanted)

    expected = [_lives(r) and passes(r) for r in rows]
    assert _mask(Filters(not_categories=away), _columns(rows)) == expected


@given(rows_of_a_catalogue, st.integers(0, 40) | st.sampled_from([1e6, 1e300]))
def test_age(rows: list[Row], days: float) -> None:
    expected = [_lives(r) and r["age"] is not None and r["age"] <= days for r in rows]
    assert _mask(Filters(max_age_days=days), _columns(rows)) == expected


@given(rows_of_a_catalogue, st.sampled_from(["en", "fr-BE", "de"]))
def test_locale(rows: list[Row], locale: str) -> None:
    expected = [_lives(r) and r["locale"] == locale for r in rows]
    assert _mask(Filters(locale=locale), _columns(rows)) == expected


@given(rows_of_a_catalogue, st.sampled_from([*COLOURS, ["red", "deep blue"]]))
def test_attribute_with_lists_on_either_side(rows: list[Row], wanted: str | list[str]) -> None:
    rows = [*rows, {**rows[0], "attributes": {"colour": "red"}}]
    accepted = [wanted] if isinstance(wanted, str) else wanted

    def passes(row: Row) -> bool:
        colour = row["attributes"].get("colour")
        return any(value in accepted for value in (colour if isinstance(colour, list) else [colour]))

    expected = [_lives(r) and passes(r) for r in rows]
    assert _mask(Filters(attributes={"colour": wanted}), _columns(rows)) == expected


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("doors", 5, [True, True, True, False]),
        ("doors", 5.0, [True, True, True, False]),
        ("doors", "5", [True, True, True, False]),
        ("used", True, [True, False, False, False]),
        ("used", "false", [False, True, False, False]),
        ("locale", "xx", [False, False, True, False]),  # an attribute of this name is not the listing's locale
    ],
)
def test_one_value_has_one_spelling(name: str, wanted: object, expected: list[bool]) -> None:
    given = [{"doors": 5, "used": True}, {"doors": 5.0, "used": False}, {"doors": "5", "locale": "xx"}, {"doors": 55}]
    row: Row = dict.fromkeys(("price", "place", "age", "lasts"))
    rows = [{**row, "category": "cars", "locale": "en", "attributes": attributes} for attributes in given]
    assert _mask(Filters(attributes={name: wanted}), _columns(rows)) == expected


@given(rows_of_a_catalogue, st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 20_000))
def test_near(rows: list[Row], latitude: float, longitude: float, radius: float) -> None:
    mask = _mask(Filters(near=(latitude, longitude, radius)), _columns(rows))
    for row, passes in zip(rows, mask, strict=True):
        if not _lives(row) or row["place"] is None:
            assert not passes
        elif abs(_central_angle_km(row["place"], (latitude, longitude)) - radius) > 1.0:
            assert passes == (_central_angle_km(row["place"], (latitude, longitude)) < radius)


def _central_angle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """By the angle between unit vectors: another formula than the one under test."""
    x, y = (
        np.array([math.cos(p) * math.cos(q), math.cos(p) * math.sin(q), math.sin(p)])
        for p, q in (map(math.radians, point) for point in (a, b))
    )
    return 6371.0 * math.atan2(float(np.linalg.norm(np.cross(x, y))), float(x @ y))


def test_kilometres_between_cities() -> None:
    amsterdam, paris, sydney = (52.3676, 4.9041), (48.8566, 2.3522), (-33.8688, 151.2093)
    latitudes, longitudes = np.array([paris, sydney, amsterdam, (np.nan, np.nan)]).T
    found = kilometres(latitudes, longitudes, *amsterdam)
    # 430 and 16 644 km by any route planner of great circles.
    np.testing.assert_allclose(found[:3], [430, 16_644, 0], rtol=5e-3, atol=1e-6)
    assert np.isnan(found[3])


@given(rows_of_a_catalogue)
def test_filters_add_up(rows: list[Row]) -> None:
    rows = [*rows, {**rows[0], "attributes": {"colour": "red"}}]
    columns = _columns(rows)
    price, category = Filters(price=(10, 60)), Filters(category="home")
    colour = Filters(attributes={"colour": "red"})
    together = Filters(price=(10, 60), category="home", attributes={"colour": "red"})
    masks = [np.array(_mask(filters, columns)) for filters in (price, category, colour)]
    assert _mask(together, columns) == (masks[0] & masks[1] & masks[2]).tolist()


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(category="mower"), "filters: category: unknown category 'mower'.*'mowers'"),
        (Filters(not_categories=["cars", "mower"]), "filters: not_categories: unknown category 'mower'.*'mowers'"),
        (Filters(attributes={"color": "red"}), "no attribute 'color'.*colour"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(filters: Filters, message: str) -> None:
    rows = [{"category": "cars", "locale": "", "attributes": {"colour": "red"}}]
    blank = dict.fromkeys(("price", "place", "age", "lasts"))
    with pytest.raises(DataError, match=message):
        _mask(filters, _columns([blank | row for row in rows]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"price": 10}, "price: expected"),
        ({"price": (1,)}, "price: expected"),
        ({"price": ("1", 2)}, "price: expected.*'1'"),
        ({"price": (math.nan, 2)}, "price: expected.*nan"),
        ({"price": (0, math.inf)}, "price: expected.*finite.*inf"),
        ({"price": (0, 10**400)}, "price: expected"),
        ({"price": (True, 2)}, "price: expected"),
        ({"price": (10, 5)}, r"price: expected \(lowest, highest\).*got \(10, 5\)"),
        ({"price": (None, -0.01)}, "price: expected.*at least 0"),
        ({"price": (-2, -1)}, "price: expected.*at least 0"),
        ({"near": (52.0, 4.9)}, "near: expected"),
        ({"near": (52.0, None, 5)}, "near: expected"),
        ({"near": "52,4,5"}, "near: expected"),
        ({"near": (90.1, 0, 5)}, "near: expected.*latitude within ±90.*got.*90.1"),
        ({"near": (-999, 0, 5)}, "near: expected"),
        ({"near": (0, 180.5, 5)}, "near: expected.*longitude within ±180"),
        ({"near": (0, -181, 5)}, "near: expected"),
        ({"near": (0, 0, -1)}, "near: expected.*kilometres of at least 0"),
        ({"near": (0, 0, math.inf)}, "near: expected"),
        ({"category": 5}, "category: expected a category id.*got 5"),
        ({"category": ["cars"]}, "category: expected"),
        ({"not_categories": "cars"}, "not_categories: expected a list.*got 'cars'"),
        ({"not_categories": None}, "not_categories: expected a list.*got None"),
        ({"not_categories": ["cars", 5]}, "not_categories: expected"),
        ({"locale": 5}, "locale: expected some text, got 5"),
        ({"locale": " "}, "locale: expected some text, got ' '"),
        (
            {"attributes": {"colour": []}},
            r"attributes: expected .* a list of at least one of these, got \{'colour': \[\]\}",
        ),
        ({"attributes": {"colour": ""}}, "attributes: expected names to some text"),
        ({"attributes": {"colour": ["red", " "]}}, "attributes: expected names to some text"),
        ({"attributes": "x"}, "attributes: expected names to.*got 'x'"),
        ({"attributes": None}, "attributes: expected"),
        ({"attributes": {5: "x"}}, "attributes: expected"),
        ({"attributes": {"colour": {"is": "red"}}}, "attributes: expected"),
        ({"attributes": {"colour": ["red", None]}}, "attributes: expected"),
        ({"attributes": {"doors": math.nan}}, "attributes: expected"),
        ({"max_age_days": -1}, "max_age_days: expected"),
        ({"max_age_days": math.nan}, "max_age_days: expected"),
        ({"max_age_days": math.inf}, "max_age_days: expected a finite"),
        ({"max_age_days": "3"}, "max_age_days: expected"),
        ({"max_age_days": True}, "max_age_days: expected"),
    ],
)
def test_malformed_filters_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Filters(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"price": (5, 5)},
        {"price": [0, 0]},
        {"price": (None, None)},
        {"near": (-90, 180, 0)},
        {"near": (90.0, -180.0, 1e9)},
        {"max_age_days": 0},
        {"attributes": {"doors": [5, "3"], "used": False}},
    ],
)
def test_what_lies_on_the_edge_is_a_filter(values: dict[str, Any]) -> None:
    ((name, value),) = values.items()
    assert getattr(Filters(**values), name) == value


def test_a_price_without_ends_is_no_filter() -> None:
    prices: tuple[Any, ...] = ((None, None), [None, None])  # as Python and as JSON has it
    assert [Filters(price=price).active() for price in prices] == [(), ()]


def test_a_category_that_is_ruled_out_is_refused() -> None:
    columns = _columns([])
    below = next(own for own in ONTOLOGY.ids if len(ONTOLOGY.paths[ONTOLOGY.position(own)]) > 1)
    top = ONTOLOGY.ids[ONTOLOGY.position(below) - 1]
    with pytest.raises(DataError, match=f"the category '{below}' is ruled out by not_categories"):
        _mask(Filters(category=below, not_categories=[top]), columns)
    _mask(Filters(category=top, not_categories=[below]), columns)


def test_what_is_ruled_out_cannot_be_given_up() -> None:
    full = Filters((1, 2), (0, 0, 1), "cars", 3, "en", {"colour": "red"}, ["mowers"])
    assert set(full.active()) == {*RELAXATION_ORDER, "not_categories"}
    assert full.relaxable() == RELAXATION_ORDER
    assert "not_categories" not in RELAXATION_ORDER
    assert Filters().active() == Filters(not_categories=[]).active() == ()
    for name in RELAXATION_ORDER:
        left = full.without(name)
        assert left.relaxable() == tuple(other for other in RELAXATION_ORDER if other != name)
        assert left.not_categories == ["mowers"]


@given(rows_of_a_catalogue)
def test_columns_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    folder = tmp_path_factory.mktemp("columns") / "columns"
    columns = _columns(rows)
    columns.write(folder)
    again = Columns.open(folder)
    assert len(again) == len(rows)
    for name in ("category", "price", "latitude", "longitude", "created_at", "expires_at"):
        np.testing.assert_array_equal(getattr(again, name), getattr(columns, name))
        assert getattr(again, name).dtype == getattr(columns, name).dtype
    assert again.attributes.keys() == columns.attributes.keys()
    for before, after in zip(columns.attributes.values(), again.attributes.values(), strict=True):
        assert before.values == after.values
        np.testing.assert_array_equal(before.codes, after.codes)


ROW = {"category": "cars", "price": None, "place": None, "age": None, "lasts": None, "locale": "", "attributes": {}}


def test_free_text_is_no_filter(tmp_path: Path) -> None:
    rows = [{"serial": f"s{i}", "colour": COLOURS[i % 3]} for i in range(MAX_VALUES + 1)]
    assert list(attribute_columns(rows)) == ["colour"]


def test_names_that_sellers_made_up_are_no_filters(tmp_path: Path) -> None:
    """1,248 names, of which 500 stand in two listings and the others in one."""
    often = [f"often-{i}" for i in range(MAX_ATTRIBUTES)]
    rows = [dict.fromkeys(often, "x"), {f"a-{i}": i for i in range(748)} | dict.fromkeys(often, "y")]
    with pytest.warns(DataWarning, match=r"attributes: 1,248 names; the 500 .* not a-0, a-1, .* and 728 more"):
        attributes = attribute_columns(rows)
    assert set(attributes) == set(often)
    assert [attributes[often[7]].value(row) for row in (0, 1)] == ["x", "y"]
    columns = replace(_columns([ROW] * 2), attributes=attributes)
    columns.write(tmp_path / "columns")
    before = len(list(Path("/proc/self/fd").iterdir()))
    again = Columns.open(tmp_path / "columns")
    assert len(list(Path("/proc/self/fd").iterdir())) - before < 10
    assert again.attributes[often[499]].among(["y"]).tolist() == [False, True]
