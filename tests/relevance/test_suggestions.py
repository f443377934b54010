"""Suggestions: what begins so, and finds something."""

from relevance.suggestions import Suggester, Suggestion
from relevance.written import WrittenWords

WORDS = ("chair", "red", "charger", "chalk", "charm", "keyboard")  # the most frequent first
CATEGORIES = [
    ("Gaming keyboard", "Electronics > Gaming keyboard"),
    ("Keyboards and Mouse", "Electronics > Keyboards and Mouse"),
    ("Chairs", "Furniture > Chairs"),
]
AS_THEY_ARE = WrittenWords({})
LISTINGS = {"chair": 5, "charger": 9, "red chair": 2, "red charger": 0, "keyboard": 3, "charm": 1}


def _suggester() -> Suggester:
    return Suggester(WORDS, CATEGORIES, AS_THEY_ARE, lambda text: LISTINGS.get(text, 0))


def test_words_that_find_something_those_with_more_listings_first() -> None:
    words = [each for each in _suggester().suggest("cha") if each.category is None]
    assert words == [Suggestion("charger", None, 9), Suggestion("chair", None, 5), Suggestion("charm", None, 1)]


def test_only_the_last_word_is_completed_and_only_to_what_occurs_with_the_others() -> None:
    assert _suggester().suggest("Red CHA") == [Suggestion("red chair", None, 2)]


def test_categories_come_first_by_the_beginning_of_any_word_of_their_name() -> None:
    found = _suggester().suggest("keyb")
    assert [each.text for each in found] == ["Keyboards and Mouse", "Gaming keyboard", "keyboard"]
    assert found[1].category == "Electronics > Gaming keyboard"


def test_several_words_find_a_category() -> None:
    assert [each.text for each in _suggester().suggest("gaming k")] == ["Gaming keyboard"]


def test_a_number_is_suggested_as_it_is_written() -> None:
    suggester = Suggester(["27p5"], [], AS_THEY_ARE, {"tyre 27p5": 2}.__getitem__)
    assert suggester.suggest("tyre 27") == [Suggestion("tyre 27.5", None, 2)]


def test_words_are_suggested_as_they_are_written() -> None:
    written = WrittenWords({"burostuhl": "bürostuhl"})
    suggester = Suggester(["burostuhl"], [], written, {"schoner burostuhl": 2, "burostuhl": 3}.__getitem__)
    assert suggester.suggest("BURO") == suggester.suggest("Büro") == [Suggestion("bürostuhl", None, 3)]
    assert suggester.suggest("Schöner büro") == [Suggestion("schöner bürostuhl", None, 2)]


def test_a_category_whose_name_has_no_spaces_is_not_said_twice() -> None:
    suggester = Suggester(("ス", "ー"), [("スニーカー", "靴 > スニーカー")], AS_THEY_ARE, lambda _: 1)
    assert suggester.suggest("スニーカー") == [Suggestion("スニーカー", "靴 > スニーカー", None)]


def test_at_most_k() -> None:
    assert len(_suggester().suggest("cha", k=2)) == 2
    assert len(_suggester().suggest("cha", k=1)) == 1


def test_nothing_typed_or_nothing_known_suggests_nothing() -> None:
    for typed in ("", "  ", "!?", "zzz", "\ud800", "x" * 10_000):
        assert _suggester().suggest(typed) == []


def test_a_word_suggestion_that_is_a_category_is_not_said_twice() -> None:
    suggester = Suggester(("chairs",), [("Chairs", "Furniture > Chairs")], AS_THEY_ARE, lambda _: 1)
    assert suggester.suggest("chai") == [Suggestion("Chairs", "Furniture > Chairs", None)]


def test_a_name_of_several_categories_is_said_once_and_the_first_stands() -> None:
    paths = ("Jewellery > Watches", "Sport > WATCHES", "Accessories > Watches", "Accessories > Watch straps")
    categories = [(path.split(" > ")[1], path) for path in paths]
    found = Suggester(("watches", "watch"), categories, AS_THEY_ARE, lambda _: 1).suggest("watc")
    assert [(each.text, each.category) for each in found] == [
        ("WATCHES", "Sport > WATCHES"), ("Watch straps", "Accessories > Watch straps"), ("watch", None),
    ]  # fmt: skip
    assert len(Suggester((), categories, AS_THEY_ARE, lambda _: 1).suggest("watc", k=4)) == 2, (
        "one name takes one place"
    )
