"""Reading the nouns of a lexical database."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import DataError
from relevance.text import tokens
from tests.training.lexical_database import ARTIFACT, PLANT, write_database
from training.towers.lexicon import NAMES, read_lexicon

SENSES = [
    ("entity", ["entity"], []),
    ("thing", ["thing", "Object"], ["entity"]),
    ("covering", ["covering"], ["thing"]),
    ("scarf", ["scarf"], ["covering"]),
    ("glasses", ["sun glasses", "shades"], ["covering", "thing"]),
    ("shade", ["shade"], ["entity"]),
    ("watch", ["watch"], ["thing"]),
    ("vigil", ["watch"], ["entity"]),
    ("rose", ["rose"], ["thing"]),
    ("ada", ["Ada_Lovelace"], ["thing"]),
]


def test_nouns_have_senses_and_senses_have_kinds(tmp_path: Path) -> None:
    lexicon = read_lexicon(write_database(tmp_path, SENSES, instances=["ada"], plants=["rose"]))
    keys = [key for key, _, _ in SENSES]
    assert [keys[sense] for sense in lexicon.senses["watch"]] == ["watch", "vigil"]
    assert [keys[sense] for sense in lexicon.above(keys.index("glasses"))] == ["glasses", "covering", "thing", "entity"]
    assert lexicon.nouns[keys.index("thing")] == ("thing", "object")
    assert lexicon.nouns[keys.index("glasses")] == ("sun glasses", "shades")
    assert lexicon.file[keys.index("watch")] == ARTIFACT
    assert lexicon.file[keys.index("rose")] == PLANT
    # A name is an instance, and a kind of nothing.
    assert lexicon.file[keys.index("ada")] == NAMES
    assert lexicon.above(keys.index("ada")) == [keys.index("ada")]


@pytest.mark.parametrize(
    ("words", "noun"),
    [
        ("scarf", "scarf"), ("scarves", "scarf"), ("watches", "watch"), ("roses", "rose"), ("entities", "entity"),
        ("shades", "shades"), ("sun glasses", "sun glasses"), ("sunglasses", None), ("s", None), ("", None),
    ],
)  # fmt: skip
def test_a_plural_is_its_singular_unless_it_is_a_noun_itself(tmp_path: Path, words: str, noun: str | None) -> None:
    assert read_lexicon(write_database(tmp_path, SENSES)).noun(words) == noun


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("scarf", "scarves"), ("watch", "watches"), ("brolly", "brollies"), ("toy", "toys"), ("dress", "dresses"),
        ("anorak", "anoraks"), ("slacks", "slacks"), ("woman", "women"),
    ],
)  # fmt: skip
def test_plurals(tmp_path: Path, noun: str, plural: str) -> None:
    assert read_lexicon(write_database(tmp_path, SENSES)).plural(noun) == plural


@pytest.mark.parametrize("missing", ["index.noun", "data.noun", "noun.exc"])
def test_a_folder_without_one_of_the_files_is_refused(tmp_path: Path, missing: str) -> None:
    (write_database(tmp_path, SENSES) / missing).unlink()
    with pytest.raises(DataError, match=f"--lexicon .*cannot read {missing}.*expected a folder with WordNet's"):
        read_lexicon(tmp_path)


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("data.noun", "00000100 06 n zz watch 0 000 | gloss", "the words and pointers of a sense"),
        ("data.noun", "watch", "the words and pointers of a sense"),
        ("index.noun", "watch n 1 1 @ 1 0 99999999", "a noun and its senses"),
        ("index.noun", "watch", "a noun and its senses"),
        ("noun.exc", "scarves", "a plural and its singular"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, file: str, line: str, told: str) -> None:
    path = write_database(tmp_path, SENSES) / file
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, line]), encoding="utf-8")
    with pytest.raises(DataError, match=f"{file}, line {len(lines) + 1}: expected {told}.*found '{line[:5]}"):
        read_lexicon(tmp_path)


def test_no_text_is_no_lexicon(tmp_path: Path) -> None:
    (write_database(tmp_path, SENSES) / "data.noun").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"cannot read data.noun"):
        read_lexicon(tmp_path)


WORDNET = Path("/usr/share/wordnet")


@pytest.mark.skipif(not WORDNET.is_dir(), reason=f"no WordNet in {WORDNET}; Debian's wordnet-base brings it")
def test_wordnet_itself() -> None:
    lexicon = read_lexicon(WORDNET)
    assert len(lexicon.nouns) > 80_000
    assert len(lexicon.senses) > 110_000
    above = [lexicon.nouns[sense] for sense in lexicon.above(lexicon.senses["brolly"][0])]
    assert ("umbrella",) in above
    assert above[-1] == ("entity",)
    assert lexicon.noun("scarves") == "scarf"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=60))
def test_any_line_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    folder = write_database(tmp_path_factory.mktemp("lexicon"), SENSES)
    path = folder / "index.noun"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    try:
        lexicon = read_lexicon(folder)
    except DataError:
        return
    assert all(noun == " ".join(tokens(noun)) for noun in lexicon.senses)
