"""What words of queries say of attributes is learned from choices."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from index.wanted import NAMED, NAMED_AMONG_OTHERS, _words, learn_wanted
from relevance.columns import Coded, Columns
from relevance.interactions import Interactions
from relevance.ontology import Ontology

NOTHING: defaultdict[int, frozenset[str]] = defaultdict(frozenset)
"""Listings without words."""

KINDS = ("bag", "watch", "shoe", "belt", "dress")
ONTOLOGY = Ontology.from_paths(list(KINDS), [(f"{kind}s",) for kind in KINDS])
EACH = 20


def _columns() -> Columns:
    """Of each kind of thing half are for women and half for men, but dresses are for women."""
    category = np.repeat(np.arange(len(KINDS)), EACH).astype(np.int32)
    gender = ["Women" if i % 2 or KINDS[kind] == "dress" else "Men" for i, kind in enumerate(category.tolist())]
    n = len(category)
    nothing, never = np.full(n, np.nan), np.full(n, "NaT", "datetime64[ms]")
    style = Coded.encode([f"{KINDS[kind]}s style" for kind in category.tolist()])
    attributes = {"gender": Coded.encode(gender), "style": style}
    return Columns(category, nothing, nothing, nothing, never, never, Coded.encode([None] * n), attributes)


def _choices(columns: Columns, n: int = 600) -> Interactions:
    """People who say "ladies" choose what is for women, nine times in ten; others choose either."""
    rng = np.random.default_rng(0)
    gender = columns.attributes["gender"]
    women = gender.codes == gender.values.index("Women")
    queries, query, listing = [], [], []
    for number in range(n):
        kind = int(rng.integers(len(KINDS)))
        said = ("ladies", "cheap", "")[number % 3]
        rows = np.flatnonzero(columns.category == kind)
        if said == "ladies":
            rows = rows[women[rows] == (rng.random() < 0.9)] if not women[rows].all() else rows
        queries.append(f"{said} {KINDS[kind]} {number}".strip())
        query.append(number)
        listing.append(int(rng.choice(rows)))
    ones = np.ones(len(query), np.float32)
    return Interactions(queries, np.array(query, np.int32), np.array(listing, np.int32), ones)


def _embed(texts: Sequence[str]) -> list[NDArray[np.float32]]:
    """Where nothing is near anything."""
    return [np.zeros((len(texts), 4), np.float32)]


def test_words_say_what_people_chose_with_them() -> None:
    columns = _columns()
    said = learn_wanted(_choices(columns), columns, ONTOLOGY, NOTHING, _embed)
    # "Cheap" says nothing of the gender, nor does "dress", and "style" is the kind's.
    assert set(said) == {"ladies", "women", "men"}
    assert said["ladies"] == {"gender": {"Women": pytest.approx(1, abs=0.01)}}


def test_letters_beside_words_make_no_word_but_characters_do() -> None:
    assert _words("as a navy blue gift", {"navyblue"}) == ["as", "a", "navy", "blue", "gift", "navyblue"]
    assert _words("女装", set()) == ["女", "装", "女装"]


def test_a_word_means_one_thing() -> None:
    """Of two attributes that go together, as gender and a cut, a word cannot mean both; a name means its own alone."""
    columns = _columns()
    gender = columns.attributes["gender"]
    cut = Coded.encode([("Slim", "Wide")[code] for code in gender.codes.tolist()])
    both = replace(columns, attributes={"gender": gender, "cut": cut})
    said = learn_wanted(_choices(columns), both, ONTOLOGY, NOTHING, _embed)
    assert sum(chance for values in said["ladies"].values() for chance in values.values()) <= 1
    assert set(said["women"]) == {"gender"}


def test_without_behaviour_only_the_values_own_names_say_them() -> None:
    nobody = Interactions([], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    said = learn_wanted(nobody, _columns(), ONTOLOGY, NOTHING, _embed)
    assert said == {"men": {"gender": {"Men": NAMED}}, "women": {"gender": {"Women": NAMED}}}


def test_a_value_is_said_by_each_word_of_its_name_and_a_longer_name_by_all() -> None:
    columns = _columns()
    colours = {"colour": Coded.encode(["Blue", "Navy Blue"] * (len(columns.category) // 2))}
    nobody = Interactions([], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    said = learn_wanted(nobody, replace(columns, attributes=colours), ONTOLOGY, NOTHING, _embed)
    assert said["blue"]["colour"] == {"Blue": NAMED, "Navy Blue": NAMED_AMONG_OTHERS}
    assert said["navyblue"]["colour"] == {"Navy Blue": NAMED}


def test_a_value_without_words_is_said_by_none() -> None:
    columns = _columns()
    sizes = {"size": Coded.encode(["S", "-"] * (len(columns.category) // 2))}
    nobody = Interactions([], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    said = learn_wanted(nobody, replace(columns, attributes=sizes), ONTOLOGY, NOTHING, _embed)
    assert said == {"s": {"size": {"S": NAMED}}}


def test_a_word_of_a_name_that_stands_with_other_values_says_nothing() -> None:
    columns = _columns()
    sizes = {"size": Coded.encode(["Small and light", "Large"] * (len(columns.category) // 2))}
    texts = {row: {"and", "light"} if row % 2 == 0 else {"and"} for row in range(10)}
    texts[11] = {"and"}
    nobody = Interactions([], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    said = learn_wanted(nobody, replace(columns, attributes=sizes), ONTOLOGY, texts, _embed)
    assert set(said) == {"small", "light", "large", "smallandlight"}


def test_what_only_the_words_had_brought_says_nothing() -> None:
    """The lexical engine shows who says "ladies" what has the word, and here that is for women."""
    columns = _columns()
    gender = columns.attributes["gender"]
    written = {row: {"ladies"} if gender.values[code] == "Women" else set() for row, code in enumerate(gender.codes)}
    choices = _choices(columns)
    kept = np.array(
        [number % 3 != 0 or "ladies" in written[row] for number, row in enumerate(choices.listing.tolist())]
    )
    shown = replace(choices, query=choices.query[kept], listing=choices.listing[kept], weight=choices.weight[kept])
    assert "ladies" in learn_wanted(shown, columns, ONTOLOGY, NOTHING, _embed)
    assert "ladies" not in learn_wanted(shown, columns, ONTOLOGY, written, _embed)


def test_choices_of_one_listing_are_one_piece_of_evidence() -> None:
    """Everybody who says "cheap" chooses the same two listings, which happen to be for women."""
    columns = _columns()
    choices = _choices(columns)
    women = np.flatnonzero(columns.attributes["gender"].codes == columns.attributes["gender"].values.index("Women"))
    popular = {kind: int(women[columns.category[women] == kind][0]) for kind in range(len(KINDS))}
    listing = choices.listing.copy()
    for number in range(1, len(listing), 3):
        listing[number] = popular[number % 2]
    said = learn_wanted(replace(choices, listing=listing), columns, ONTOLOGY, NOTHING, _embed)
    assert "cheap" not in said
    assert "ladies" in said


def test_a_long_log_is_learned_from_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = _columns()
    monkeypatch.setattr("index.wanted.MOST_EVIDENCE", 1000)
    said = learn_wanted(_choices(columns, 2000), columns, ONTOLOGY, NOTHING, _embed)
    assert set(said) == {"ladies", "women", "men"}
