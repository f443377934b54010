"""Text: one spelling, and words of any script."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.text import MAX_CHARACTERS, has_digits, legible, normalise, tokens

ANY_TEXT = st.text(st.characters(), max_size=80)  # control characters, surrogates and unassigned ones included
PIECES = [
    "5",
    " ",
    "gb",
    "m",
    "'",
    '"',
    "''",
    "inch",
    ",",
    ".",
    "ß",
    "é",
    "ﷺ",
    "İ",
    "½",
    "\u2019",
    "\u00b4",
    "\u2033",
    "㎏",
    "ก",
    "\u0301",
    "\u200b",
    "\ufe0f",
    "\u20e3",
    "\u3164",
]
MEASURES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(ANY_TEXT | MEASURES)
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ANY_TEXT)
def test_tokens_hold_letters_marks_and_digits_only(text: str) -> None:
    for word in tokens(text):
        assert word
        assert all(unicodedata.category(character)[0] in "LMN" for character in word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \t\n\x00\x1b[31m", ["31m"]),
        ("Samsung GALAXY", ["samsung", "galaxy"]),
        ("Chêne, Äpfel & Škoda", ["chene", "apfel", "skoda"]),
        ("l'écran d\u2019ordi d\u00b4or", ["lecran", "dordi", "dor"]),
        ("128 GB", ["128gb"]),
        ("128gb", ["128gb"]),
        ("1.5 TB 2,5 kg", ["1p5tb", "2p5kg"]),
        ('TV 43"', ["tv", "43in"]),
        ("TV 43''", ["tv", "43in"]),
        ("TV 43\u201d", ["tv", "43in"]),
        ("TV 43\u2033", ["tv", "43in"]),
        ("tv 43 inches", ["tv", "43in"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("\uff26\uff35\uff2c\uff2c width", ["full", "width"]),
        ("Ｎｉｎｔｅｎｄｏ任天堂 switch", ["nintendo", "任", "天", "堂", "switch"]),
        ("ゲーム機・新品", ["ゲ", "ー", "ム", "機", "新", "品"]),
        ("노트북 컴퓨터", ["노트북", "컴퓨터"]),
        ("كرسي أطفال", ["كرسي", "أطفال"]),
        ("דלת (עץ)", ["דלת", "עץ"]),
        ("велосипед Ёлка", ["велосипед", "елка"]),
        ("🎮 keyboard 🎮🎮", ["keyboard"]),
        ("\ud800broken\udfff", ["broken"]),
        # An emoji's variation selector is a mark, by its category; a keycap is a digit with one and a frame.
        ("❤\ufe0f❤\ufe0fkeyboard ☎\ufe0f", ["keyboard"]),
        ("1\ufe0f\u20e3 keyboard 🚬\u20e0", ["1", "keyboard"]),
        ("👩\u200d👩\u200d👧 \U0001f3f4\U000e0067\U000e0062\U000e007f", []),
        ("葛\U000e0100飾", ["葛", "飾"]),
        ("key\u00adboard head\u200bphones \ufeffmouse\u2060", ["keyboard", "headphones", "mouse"]),
        ("क्\u200dष نمی\u200cشود", ["क्ष", "نمیشود"]),
        ("\u2067דלת\u200f \u2069\u202btable\u202c\u061c", ["דלת", "table"]),
        ("\u3164 \uffa0", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    "code", [0x00AD, 0x061C, 0x180E, 0x200B, 0x200F, 0x202E, 0x2060, 0xFE00, 0xFE0F, 0xFEFF, 0xE01EF]
)
def test_a_character_that_nobody_sees_changes_nothing(code: int) -> None:
    assert normalise(f"4\u00e9{chr(code)}0 G{chr(code)}B") == normalise("4\u00e90 GB")


def test_every_character_of_an_unspaced_script_is_a_token() -> None:
    assert tokens("โต๊ะไม้") == list("โต๊ะไม้")


def test_long_text_is_cut_unless_told_otherwise() -> None:
    text = "a " * 10_000
    assert len(tokens(text)) == MAX_CHARACTERS // 2
    assert len(tokens(text, limit=None)) == 10_000


@pytest.mark.parametrize(
    ("word", "has"),
    [("sofa", False), ("चड्डी", False), ("靴一", False), ("5g", True), ("٣", True), ("४k", True), ("", False)],
)
def test_words_with_digits(word: str, has: bool) -> None:
    assert has_digits(word) == has


@pytest.mark.parametrize(
    ("written", "read"), [("27,5 Zoll", "27.5 zoll"), ("pump 1.5.2", "pump 1.5.2"), ("mp3 p30 3p", "mp3 p30 3p")]
)
def test_words_are_shown_as_people_write_numbers(written: str, read: str) -> None:
    assert legible(" ".join(tokens(written))) == read
    assert tokens(read) == tokens(written)
