"""Searchers who ask in another language than the site's."""

from pathlib import Path

import pytest

from eval.simulate.languages import is_multilingual, read_languages
from relevance.errors import DataError

FILE = """language,kind,target,words_people_use
es,type,Chairs,silla|sillón
es,colour,Black,negro|negra
es,filler,,barato
ja,type,Chairs,椅子
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_reads_nouns_phrases_and_fillers(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "words.csv"
    path.write_text(FILE, encoding=encoding)
    assert is_multilingual(path)
    languages = read_languages([path])
    assert list(languages) == ["es", "ja"]
    assert languages["es"].nouns == {"Chairs": ["silla", "sillón"]}
    assert languages["es"].phrases["colour"] == {"black": ["negro", "negra"]}
    assert languages["es"].fillers == ["barato"]
    assert languages["ja"].nouns == {"Chairs": ["椅子"]}
    assert not languages["ja"].phrases.get("colour")


def test_another_kind_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text(FILE + "es,verb,Sit,sentar\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"words\.csv: line 6, kind: expected type, gender, colour, filler, found 'verb'"
    ):
        read_languages([path])


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("language,kind,target\nes,type,Chairs\n", encoding="utf-8")
    with pytest.raises(DataError, match="words_people_use"):
        read_languages([path])
