"""How people write words: umlauts, accents and apostrophes, which matching leaves out and people are to see."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from relevance.scripts import unspaced
from relevance.text import MAX_CHARACTERS, legible, normalise, tokens

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\u0060\u00b4", "'"))
_SECOND_DOT = re.compile("(?<=i)\u0307+")
"""What the lower case of a Turkish İ has over its i."""

_WITHIN = "'\u200c\u200d"
"""Parts of a word that are no letters: an apostrophe, and what joins or parts letters in Persian or Hindi."""

_AROUND = _WITHIN + "\ufe0f"  # the last makes an emoji of the symbol before it


class WrittenWords:
    """Think `{"burostuhl": "bürostuhl", "womens": "women's"}`: how normalised words are written, where that differs."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        self._forms = forms

    @classmethod
    def read(cls, path: Path) -> "WrittenWords":
        """Reads what `write_written` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def shown(self, words: str, typed: str = "") -> str:
        """Returns normalised words (as `tokens` gives them, with spaces between) as people read them. typed: what
        somebody asked, whose own umlauts, accents and apostrophes are kept."""
        typed_so = {word: form for word, form in written_words(typed) if form != word}
        shown, joins = "", True
        for word in words.split():
            alone = unspaced(word[0])
            shown += "" if joins and (alone or not shown) else " "
            shown += typed_so.get(word) or self._forms.get(word) or legible(word)
            joins = alone
        return shown


def write_written(path: Path, forms: Mapping[str, str]) -> None:
    """Writes how words are written."""
    path.write_text(json.dumps(forms, ensure_ascii=False), encoding="utf-8")


def as_written(text: str) -> str:
    """Returns `text` without what only differs from one keyboard to the next: NFC, lower case, one kind of apostrophe,
    single spaces."""
    text = text[:MAX_CHARACTERS].lower().translate(_APOSTROPHES)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _SECOND_DOT.sub("", text))
    return " ".join(text.split())


def written_words(text: str) -> Iterator[tuple[str, str]]:
    """Yields words of `text`, as `tokens` gives them, and how each is written there. Left out is what `tokens` takes
    apart: so are the scripts that put no space between words."""
    for piece in "".join(map(_part, as_written(text))).split():
        form = piece.strip(_AROUND)
        word = normalise(form)
        if tokens(form) == [word] and not unspaced(word[0]):
            yield word, form


def _part(character: str) -> str:
    """What a character is of a word: itself, nothing where nobody sees it, or the end of it."""
    kind = unicodedata.category(character)
    if kind[0] in "LNM" or character in _WITHIN:
        return character
    return "" if kind == "Cf" else " "
