"""Corrections against an edit distance written out."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jellyfish import metaphone

from relevance.featuriser import Featuriser
from relevance.spelling import CORRECTION_SIMILARITY, LEAST_SIMILARITY, MOST_UNKNOWN, SOUNDS_ALIKE, Speller
from tests.relevance.edit_distance import errors

# As training orders them: the most frequent first.
WORDS = ("keyboard", "gaming", "bike", "table", "cable", "lamp", "chair", "washing", "machine", "tv", "gpu5")
FEATURISER = Featuriser(WORDS, (), pieces=("taxi", "cab", "##le"))


@pytest.fixture
def speller() -> Speller:
    return Speller(FEATURISER, lambda word: word != "cable")


def _likeness(a: str, b: str) -> float:
    return 1 - errors(a, b) / max(len(a), len(b))


def _alike(typed: str, known: str) -> float:
    sound, letters = metaphone(typed), _likeness(typed, known)
    return max(letters, SOUNDS_ALIKE) if len(sound) > 2 and sound == metaphone(known) and letters >= 0.45 else letters


@given(st.sampled_from(WORDS[:9]), st.data())
def test_nearest_occurring_word(word: str, data: st.DataObject) -> None:
    speller = Speller(FEATURISER, lambda word: word != "cable")
    letters = list(word)
    at = data.draw(st.integers(0, len(word) - 2))
    letters[at], letters[at + 1] = letters[at + 1], letters[at]
    typed = "".join(letters) + data.draw(st.sampled_from(["", "e", "x"]))
    reading = speller.read(typed)
    if typed in WORDS:
        assert (reading.familiar, reading.corrected) == (1.0, None)
        return
    known = [known for known in WORDS if known.isalpha() and len(known) > 2 and known != "cable"]
    best = max(_alike(typed, other) for other in known)
    if best < CORRECTION_SIMILARITY:
        assert reading.familiar == pytest.approx(best if best > LEAST_SIMILARITY + 1e-9 else 0.0)
        assert reading.corrected is None
        return
    offered = [other for other in known if _alike(typed, other) >= CORRECTION_SIMILARITY]
    assert reading.corrected in offered
    assert reading.familiar == pytest.approx(_alike(typed, reading.corrected))
    assert errors(typed, reading.corrected) == min(errors(typed, other) for other in offered)


@pytest.mark.parametrize(
    ("query", "familiar", "corrected"),
    [
        ("", 0.0, None),
        ("?!", 0.0, None),
        ("Gaming KEYBOARD", 1.0, None),
        ("gaming keybaord", (1 + 7 / 8) / 2, "gaming keyboard"),
        ("gamingkeyboard", 1.0, "gaming keyboard"),
        ("washingmachine", 1.0, "washing machine"),
        ("caple", 0.0, None),  # cable is one edit away but occurs nowhere; table, two of five letters, is too far
        ("tabel", 0.8, "table"),
        ("keybxxrd", 6 / 8, "keyboard"),
        ("keyxxxrd", 5 / 8, None),  # alike enough to be less strange, not to be offered
        ("xylophone", 0.0, None),
        ("tx", 0.0, None),  # too short to tell
        ("gpu6", 0.0, None),  # a number is no typing error
        ("keybaord xylophone", 7 / 16, "keyboard xylophone"),
        ("клавиатура 任", 0.0, None),
    ],
)
def test_reading(speller: Speller, query: str, familiar: float, corrected: str | None) -> None:
    reading = speller.read(query)
    assert reading.familiar == pytest.approx(familiar)
    assert reading.corrected == corrected


def test_more_frequent_word_wins_a_tie() -> None:
    for words in (("table", "cable"), ("cable", "table")):
        assert Speller(Featuriser(words, (), ()), lambda _: True).read("fable").corrected == words[0]


def test_a_missing_letter_is_as_bad_as_a_wrong_one() -> None:
    """Of their letters "reign" has four of five, "ring" three of four: longer words would always win."""
    for words in (("ring", "reign"), ("reign", "ring")):
        assert Speller(Featuriser(words, (), ()), lambda _: True).read("rign").corrected == words[0]
    # Two errors come after one, however frequent; what may not be offered comes after what may.
    assert Speller(Featuriser(("ringing", "rings"), (), ()), lambda _: True).read("riging").corrected == "ringing"
    assert Speller(Featuriser(("cap", "capacity"), (), ()), lambda _: True).read("capecitey").corrected == "capacity"


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("hand beg brown", "handbag brown"),
        ("brown hand bg", "brown handbag"),
        ("hand bagg wasist coat", "handbag waistcoat"),
        ("waste coat", None),  # by ear alone
        ("hand bag", None),  # both known; training reads them as one as well
        ("hand for", None),  # "for" says little
        ("hand brown", None),
        ("hat bog", None),  # two errors
        ("brown s", None),  # a letter, as of a size
        ("hand ba6", None),  # a number
        ("wasst coad", None),  # two of nine letters
        ("beg hand beg", "beg handbag"),
    ],
)
def test_a_word_written_apart_with_an_error(query: str, corrected: str | None) -> None:
    words = ("handbag", "hand", "bag", "brown", "waistcoat", "hanford")
    common = tuple(a + b for a in "qwxz" for b in "abcdefghijklmnop")  # the first words of a language say little
    featuriser = Featuriser(words, (), pieces=(*common, "waste", "coat"), fillers=frozenset({"for"}))
    assert Speller(featuriser, lambda word: True).read(query).corrected == corrected


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    reading = Speller(FEATURISER, lambda _: True).read(text)
    assert 0.0 <= reading.familiar <= 1.0


def test_a_text_of_unknown_words_costs_a_bounded_number_of_lookups() -> None:
    looked_up: list[str] = []

    def occurs(word: str) -> bool:
        looked_up.append(word)
        return False

    words = [f"keyboar{letter}{other}" for letter in "abcefghijklm" for other in "opqrstuvwxyz"]
    start = time.perf_counter()
    Speller(FEATURISER, occurs).read(" ".join(words))
    assert looked_up.count("keyboard") == MOST_UNKNOWN
    assert time.perf_counter() - start < 1.0


def test_words_written_apart_are_sought_in_queries_only() -> None:
    """Each two neighbours cost a lookup."""
    speller = Speller(Featuriser(("handbag", "hand"), ()), lambda word: True)
    least = " ".join(["hand"] * (MOST_UNKNOWN - 2))
    assert speller.read(f"{least} hand bg").corrected == f"{least} handbag"
    assert speller.read(f"{least} hand hand bg").corrected is None


def test_a_word_of_the_language_is_not_corrected(speller: Speller) -> None:
    """But for its meaning to the prior, "taxi" would be nearest to nothing, and "tabli" to "table"."""
    reading = speller.read("taxi lamp")
    assert (reading.corrected, reading.foreign, reading.familiar) == (None, 0.5, 0.5)
    assert speller.read("tabli lamp").corrected == "table lamp"
    assert speller.read("tabli lamp").foreign == 0.0
    assert speller.read("cab").foreign == 0.0  # too short to be sure


def test_a_word_of_a_lexicon_is_not_corrected() -> None:
    featuriser = Featuriser(("jacket", "table"), (), others=frozenset({"racket", "cot"}))
    speller = Speller(featuriser, lambda word: True)
    for word in ("racket", "rackets"):
        reading = speller.read(word)
        assert (reading.corrected, reading.foreign) == (None, 0.0)
        # It may still be an error: how strange it is goes by what it is like.
        assert reading.familiar == pytest.approx(_likeness(word.removesuffix("s"), "jacket"))
    assert speller.read("backet").corrected == "jacket"


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [
        ("pantys", "panty"),  # and not "pants", with one letter wrong
        ("jumkas", "jhumka"),  # two errors of six letters, one of five
        ("jeens", "jeans"),  # one wrong letter comes before one and a plural
    ],
)
def test_a_word_may_be_the_plural_of_what_is_known(typed: str, corrected: str) -> None:
    words = ("pants", "panty", "jhumka", "jean", "jeans")
    assert Speller(Featuriser(words, ()), lambda word: True).read(typed).corrected == corrected


def test_a_typing_error_is_likelier_than_a_forgotten_space() -> None:
    speller = Speller(Featuriser(("cap", "pal", "chappal", "brace", "late", "bracelet"), ()), lambda word: True)
    assert speller.read("cappal").corrected == "chappal"
    assert speller.read("bracelate").corrected == "bracelet"
    assert speller.read("latebrace").corrected == "late brace"


def test_words_known_together_and_written_as_one_are_two() -> None:
    """Titles have "flip flops", and so training knows "flipflops", which stands nowhere."""
    speller = Speller(Featuriser(("flip", "flops", "flipflops"), ()), {"flip", "flops"}.__contains__)
    assert speller.read("flipflpos").corrected == "flip flops"
    assert speller.read("flipflop").corrected == "flip flops"


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [
        ("loshun", "lotion"),  # half of the letters
        ("neckless", "necklace"),  # and not "necktees", which has one letter more in common
        ("bels", "belts"),  # and not "bulls": one letter alone is wrong
        ("sox", "socks"),  # and not "sexy", which sounds so, too, and has more of the letters
        ("lotun", None),  # it sounds otherwise
        ("shuh", None),  # too little sound to tell
    ],
)
def test_words_are_spelt_by_ear(typed: str, corrected: str | None) -> None:
    words = ("lotion", "necklace", "necktees", "bulls", "belts", "show", "sexy", "socks")
    assert Speller(Featuriser(words, ()), lambda word: True).read(typed).corrected == corrected


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [
        ("चप्पन", "चप्पल"),  # vowels that are marks count as letters
        ("шорти", "шорты"),
        ("блейзер", "blazer"),  # in Latin letters it sounds the same
        ("سكارف", "scarf"),  # the sound comes before the letters, "surf"
        ("صندل", "sandal"),
        ("कुर्ता", "kurta"),
        ("сендвич", None),
        ("वाट", None),
    ],
)
def test_words_of_other_scripts(typed: str, corrected: str | None) -> None:
    words = ("sand", "surf", "sandal", "blazer", "scarf", "kurta", "шорты", "चप्पल")
    assert Speller(Featuriser(words, ()), lambda _: True).read(typed).corrected == corrected


def test_two_words_written_as_one_are_likelier_than_two_errors() -> None:
    speller = Speller(Featuriser(("scream", "cream", "sun", "bracelet", "brace", "late"), ()), lambda _: True)
    assert speller.read("suncream").corrected == "sun cream"
    assert speller.read("scraem").corrected == "scream"
    # With as many errors, but it sounds the same.
    assert speller.read("bracelate").corrected == "bracelet"


def test_a_word_comes_before_two_that_are_known_as_one_and_as_near() -> None:
    words = ("necktee", "neck", "tee", "necktie")
    assert (
        Speller(Featuriser(words, ()), {"neck", "tee", "necktie"}.__contains__).read("necktye").corrected == "necktie"
    )
    assert Speller(Featuriser(words, ()), {"neck", "tee"}.__contains__).read("necktye").corrected == "neck tee"


def test_an_error_in_latin_letters_is_not_sought_among_those_of_other_scripts() -> None:
    speller = Speller(Featuriser(("шорты", "sport"), ()), lambda _: True)
    assert speller.read("shorty").corrected is None
    assert speller.read("sportt").corrected == "sport"
