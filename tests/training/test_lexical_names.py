"""Names that a lexicon adds to those by which things are called already."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from relevance.errors import DataWarning
from relevance.ontology import Ontology
from tests.training.lexical_database import Sense, write_database
from training.towers.lexical_names import NO_NAMES, LexicalNames, lexical_names
from training.towers.lexicon import read_lexicon

WEAR = ("hat", "coat", "scarf", "shirt", "shoe", "watch", "umbrella")
SENSES: list[Sense] = [
    ("entity", ["entity"], []),
    ("wear", ["wear", "apparel"], ["entity"]),
    ("plant", ["plant"], ["entity"]),
    ("instrument", ["instrument"], ["entity"]),
    ("machine", ["machine"], ["entity"]),
    # "hat" and "coat" have commoner senses that have nothing to do with clothes, "oxford" a rarer one that has.
    *((f"rank of {noun}", [noun], ["plant"]) for noun in ("hat", "coat")),
    *((noun, [noun], ["timepiece" if noun == "watch" else "wear"]) for noun in WEAR),
    ("timepiece", ["timepiece"], ["wear"]),
    ("city", ["oxford"], ["entity"]),
    ("oxford", ["oxford"], ["shoe"]),
    ("fedora", ["fedora"], ["hat"]),
    ("brolly", ["brolly", "gamp"], ["umbrella"]),
    ("parka", ["parka", "windcheater"], ["coat"]),
    ("fan belt", ["fan belt"], ["machine"]),
    ("sun hat", ["sun hat"], ["hat"]),
    ("watch coat", ["watch coat"], ["coat"]),
    ("gown", ["gown"], ["plant"]),
    ("dressing gown", ["dressing gown"], ["coat"]),
    ("rig", ["rig"], ["machine"]),
    ("lorry", ["lorry"], ["rig"]),
    ("sash", ["sash"], ["wear"]),
    *((noun, [noun], ["instrument"]) for noun in ("guitar", "violin", "tuba")),
    *((f"flower {number}", [f"flower {number}"], ["plant"]) for number in range(1500)),
    ("ada", ["ada"], ["entity"]),
]
ONTOLOGY = Ontology.from_paths(
    ["clothes", "hats", "coats", "scarves", "shirts", "shoes", "watches", "umbrellas"],
    [
        ("Clothes",),
        *(
            ("Clothes", name)
            for name in ("Hats", "Coats", "Woollen Scarves", "Shirts", "Shoes", "Watches", "Umbrellas")
        ),
    ],
)


def named(
    tmp_path: Path,
    called: Mapping[str, Mapping[str, float]],
    ontology: Ontology = ONTOLOGY,
    known: frozenset[str] = frozenset(),
    often: frozenset[str] | None = None,
) -> LexicalNames:
    """What the lexicon adds; `called`: of each name the weight of categories, by their ids; often: as `known` if not
    said."""
    by_position = {name: {ontology.position(i): w for i, w in weights.items()} for name, weights in called.items()}
    lexicon = read_lexicon(write_database(tmp_path, SENSES, instances=["ada"]))
    return lexical_names(lexicon, ontology, by_position, known, known if often is None else often)


def shares(found: LexicalNames, noun: str) -> dict[str, float]:
    return {ONTOLOGY.ids[category]: round(share, 3) for category, share in found.names[noun].items()}


def test_a_word_is_what_it_is_a_kind_of(tmp_path: Path) -> None:
    found = named(tmp_path, {})
    assert shares(found, "fedora") == {"hats": 1.0}
    assert shares(found, "brolly") == shares(found, "gamp") == {"umbrellas": 1.0}
    assert shares(found, "windcheater") == shares(found, "windcheaters") == {"coats": 1.0}
    assert shares(found, "brollies") == {"umbrellas": 1.0}
    # Not a city, although that is its commoner sense.
    assert shares(found, "oxford") == {"shoes": 1.0}


def test_a_wider_word_is_what_lies_beneath_it(tmp_path: Path) -> None:
    found = named(tmp_path, {})
    assert shares(found, "timepiece") == {"watches": 1.0}
    assert set(shares(found, "apparel")) == {"hats", "coats", "scarves", "shirts", "shoes", "watches", "umbrellas"}


def test_what_people_call_things_counts_too(tmp_path: Path) -> None:
    found = named(tmp_path, {"sashes": {"scarves": 3.0, "shirts": 1.0}, "parka": {"coats": 4.0}})
    # Neither is added: there are such names already.
    assert not {"sash", "parka"} & {*found.names, *found.absent}
    assert shares(found, "windcheater") == {"coats": 1.0}


def test_a_noun_of_known_words_says_itself_what_it_is(tmp_path: Path) -> None:
    found = named(tmp_path, {}, known=frozenset({"parka", "guitar", "flower", "7"}))
    assert not {"parka", "guitar", "flower 7"} & {*found.names, *found.absent}
    assert "fedoras" not in named(tmp_path, {}, known=frozenset({"fedoras"})).names
    assert {"windcheater", "fedora", "flower 8"} <= {*found.names, *found.absent}


def test_a_word_that_few_have_may_still_be_told(tmp_path: Path) -> None:
    found = named(tmp_path, {}, known=frozenset({"parka", "guitar", "flower", "7"}), often=frozenset({"7"}))
    assert shares(found, "parka") == shares(found, "parkas") == {"coats": 1.0}
    # What a title has is not absent, and several words say it themselves.
    assert not {"guitar", "flower 7"} & {*found.names, *found.absent}


def test_a_rare_name_may_be_a_typing_error(tmp_path: Path) -> None:
    found = named(tmp_path, {"hats": {"hats": 100.0}, "rig": {"hats": 3.0}})
    assert "lorry" not in found.names
    assert "lorry" in found.absent


def test_what_is_like_nothing_here_is_absent(tmp_path: Path) -> None:
    found = named(tmp_path, {})
    assert {"guitar", "violin", "tuba", "flower 7"} <= set(found.absent)
    # A name of a person is no thing, and a sash is clothing, although nobody knows which.
    assert not {"ada", "sash", "fedora"} & set(found.absent)
    assert "sash" not in found.names


def test_other_nouns_are_words_too(tmp_path: Path) -> None:
    found = named(tmp_path, {"parka": {"coats": 4.0}}, known=frozenset({"guitar"}))
    assert {"sash", "violin", "lorry"} <= found.others
    # Names, what is known, names of persons, and several words of which none is known.
    assert not {"fedora", "parka", "guitar", "ada", "flower 7"} & found.others


def test_a_noun_whose_last_word_is_a_name_of_something_else_is_learned(tmp_path: Path) -> None:
    known = frozenset({"dressing", "gown", "sun", "hat", "watch", "coat"})
    found = named(tmp_path, {"gown": {"shirts": 2.0}}, known=known)
    assert shares(found, "dressing gown") == shares(found, "dressing gowns") == {"coats": 1.0}
    # A hat is a hat, and of a watch coat the watch tells, too.
    assert not {"sun hat", "watch coat"} & found.names.keys()
    # Where no gown is called so, its words say nothing else.
    assert "dressing gown" not in named(tmp_path, {}, known=known).names


def test_nouns_of_several_words_for_other_things(tmp_path: Path) -> None:
    found = named(tmp_path, {}, known=frozenset({"belt", "sun", "flower"}))
    assert {"fan belt", "flower 7"} <= found.others
    assert "sun hat" not in found.others
    assert "fan belt" not in named(tmp_path, {}).others


def test_a_catalogue_of_another_language_gets_nothing(tmp_path: Path) -> None:
    ontology = Ontology.from_paths(["a", "b"], [("Диваны",), ("Велосипеды",)])
    with pytest.warns(DataWarning, match="is it of another language"):
        assert named(tmp_path, {"диван": {"a": 2.0}}, ontology) == NO_NAMES


def test_a_name_of_things_without_a_category_says_nothing_of_them(tmp_path: Path) -> None:
    """Its weight is all of listings that nobody has filed."""
    known = frozenset({"dressing", "gown"})
    lexicon = read_lexicon(write_database(tmp_path, SENSES, instances=["ada"]))
    assert lexical_names(lexicon, ONTOLOGY, {"gown": {-1: 2.0}}, known, known) == named(tmp_path, {}, known=known)


def test_a_lexicon_without_words_adds_nothing(tmp_path: Path) -> None:
    lexicon = read_lexicon(write_database(tmp_path, []))
    with pytest.warns(DataWarning, match="tells nothing of the catalogue's names"):
        assert lexical_names(lexicon, ONTOLOGY, {"hat": {1: 2.0}}, frozenset(), frozenset()) == NO_NAMES
