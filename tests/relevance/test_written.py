"""How words are shown: as people write them, and as what they are matched by."""
# ruff: noqa: RUF001 (letters that look like others are what this is about)

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.text import normalise, tokens
from relevance.written import WrittenWords, as_written, write_written, written_words

ANY_TEXT = st.text(max_size=60) | st.text(
    st.sampled_from("aßéİıςσΆłЙѐ'’`\u0301\u0307\u200c\u00ad\ufe0f27,.ガｶ靴🔥 "), max_size=20
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bürostuhl GRÖSSE Weiß", [("burostuhl", "bürostuhl"), ("grosse", "grösse"), ("weiss", "weiß")]),
        ("Robe d’été ÇA", [("robe", "robe"), ("dete", "d'été"), ("ca", "ça")]),
        (
            "İSTANBUL ışık I\u0307 i\u0307pek",
            [("istanbul", "istanbul"), ("ısık", "ışık"), ("i", "i"), ("ipek", "ipek")],
        ),
        ("łóżko", [("łozko", "łóżko")]),
        ("ΈΠΙΠΛΑ ΑΘΉΝΑΣ", [("επιπλα", "έπιπλα"), ("αθηνασ", "αθήνας")]),
        ("чёрный ЙОД", [("черныи", "чёрный"), ("иод", "йод")]),
        ("Women's women’s women`s 'boys'", [("womens", "women's")] * 3 + [("boys", "boys")]),
        ("❤\ufe0fkette, 🔥kette!", [("kette", "kette"), ("kette", "kette")]),
        ("می\u200cخواهم schuh\u00adschrank", [("میخواهم", "می\u200cخواهم"), ("schuhschrank", "schuhschrank")]),
        ("कुर्ता", [("कुर्ता", "कुर्ता")]),
        ("スニーカー nike 靴 ｶ", [("nike", "nike")]),
        ("ﷺ ½ \ud800 ''", []),  # what is several words, or none
        ("de\u0301ja\u0300\x00vu", [("deja", "déjà"), ("vu", "vu")]),
    ],
)
def test_words_and_how_they_are_written(text: str, words: list[tuple[str, str]]) -> None:
    assert list(written_words(text)) == words


@given(ANY_TEXT)
def test_what_is_written_is_the_same_word(text: str) -> None:
    for word, form in written_words(text):
        assert normalise(form) == word
        assert tokens(form) == [word]
        assert [own for own, _ in written_words(form)] == [word]
        assert normalise(WrittenWords({word: form}).shown(word)) == word
        assert normalise(WrittenWords({}).shown(word, typed=text)) == word


@given(ANY_TEXT)
def test_writing_alike_changes_no_word(text: str) -> None:
    text = re.sub("[’‘ʼ`´]", "'", text)  # two of one kind are a sign for inches, of two kinds they are none
    assert tokens(as_written(text)) == tokens(text)


@given(ANY_TEXT)
def test_what_nobody_has_written_otherwise_is_shown_as_it_is(text: str) -> None:
    words = tokens(text)
    shown = WrittenWords({}).shown(" ".join(words))
    assert shown.replace(" ", "").replace(".", "p") == "".join(words).replace(".", "p")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("burostuhl rot", "bürostuhl rot"),
        ("WOMENS jeans 27,5 inch", "women's jeans 27.5in"),
        ("スニーカー", "スニーカー"),
        ("nike スニーカー burostuhl", "nike スニーカー bürostuhl"),
        ("รองเท้า 38", "รองเท้า 38"),
        ("", ""),
    ],
)
def test_words_are_shown_as_people_write_them(typed: str, shown: str) -> None:
    written = WrittenWords({"burostuhl": "bürostuhl", "womens": "women's"})
    assert written.shown(" ".join(tokens(typed))) == shown


def test_what_somebody_typed_stays_as_it_was_typed() -> None:
    written = WrittenWords({"grosse": "größe", "burostuhl": "bürostuhl"})
    assert written.shown("burostuhl grosse schon", "burostul GROẞE schön") == "bürostuhl große schön"
    assert written.shown("burostuhl grosse", "burostuhl grosse") == "bürostuhl größe"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_written(tmp_path / "words.json", {"weiss": "weiß"})
    assert WrittenWords.read(tmp_path / "words.json").shown("weiss") == "weiß"
    assert json.loads((tmp_path / "words.json").read_text(encoding="utf-8")) == {"weiss": "weiß"}
