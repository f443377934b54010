import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.queries import Vocabulary, split
from eval.simulate.dice import Dice
from eval.simulate.languages import Language
from eval.simulate.marketplace import table

HEADER = ["query", "kind", "type", "gender", "colour", "title"]


def test_what_is_held_out_is_nowhere_else() -> None:
    nouns = {"Shoes": [f"shoe{i}" for i in range(400)], "Boots": [f"shoe{i}" for i in range(0, 400, 2)]}
    spoken = {"de": Language(nouns={"Shoes": ["Schuh", "Latschen"]}, fillers=["kaufen"])}
    kept, held = split(Vocabulary(nouns, spoken), 0.25, Dice((0,)))
    words = [{word for own in part.nouns.values() for word in own} for part in (kept, held)]
    assert words[0] | words[1] == set(nouns["Shoes"])
    assert not words[0] & words[1]
    assert len(words[1]) == pytest.approx(100, abs=35)  # four standard deviations
    assert kept.languages["de"].fillers == ["kaufen"]
    both = kept.languages["de"].nouns.get("Shoes", []) + held.languages["de"].nouns.get("Shoes", [])
    assert sorted(both) == ["Latschen", "Schuh"]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    rows = "\n".join(
        f"{i},Acme thing {i},{'Shoes' if i % 2 else 'Caps'},{'Men' if i % 3 else 'Women'}" for i in range(40)
    )
    (tmp_path / "rows.csv").write_text(f"id,title,kind,gender\n{rows}\n")
    from index.columns import ColumnNames
    from index.dataset import run

    run(
        tmp_path / "rows.csv",
        tmp_path / "catalogue",
        ColumnNames(listing_id="id", title="title", category=("kind",), attributes=("gender",)),
        ">",
        None,
        False,
    )
    return tmp_path / "catalogue"


def test_queries_of_every_kind(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("category,words_people_use\nShoes,sneakers|trainers|kicks\nCaps,hats|beanies\n")
    (tmp_path / "other.csv").write_text(
        "language,kind,target,words_people_use\nde,type,Shoes,Schuh|Latschen\nde,gender,Men,Herren\nde,filler,,kaufen\n"
    )
    (tmp_path / "absent.txt").write_text("infant car seat\n\nlawn mower\n")
    arguments = ["queries", "--dataset", catalogue, "--vocabulary", tmp_path / "words.csv", "--each", "4"]
    arguments += ["--vocabulary", tmp_path / "other.csv", "--absent", tmp_path / "absent.txt"]
    arguments += ["--hold-out", "0.5", "--out", tmp_path / "out"]
    ran = CliRunner().invoke(app, [str(each) for each in arguments])
    assert ran.exit_code == 0, ran.output
    rows = list(csv.DictReader((tmp_path / "out/queries.tsv").open(), delimiter="\t"))
    assert list(rows[0]) == HEADER
    assert len({row["query"] for row in rows}) == len(rows)
    kept = {
        row["category"]: row["words_people_use"] for row in csv.DictReader((tmp_path / "out/vocabulary.csv").open())
    }
    said = {word for words in kept.values() for word in words.split("|")}
    everything = {"sneakers", "trainers", "kicks", "hats", "beanies"}
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("synonym", "unseen", "none")}
    assert all(said & set(row["query"].split()) for row in by_kind["synonym"])
    assert all((everything - said) & set(row["query"].split()) for row in by_kind["unseen"])
    assert {"infant car seat"} < {row["query"] for row in by_kind["none"]}
    assert len(by_kind["none"]) == 2
    assert all(row["type"] in ("Shoes", "Caps") for row in rows if row["kind"] != "none")
    spoken = list(csv.DictReader((tmp_path / "out/languages.csv").open()))
    assert {("gender", "men"), ("filler", "")} <= {(row["kind"], row["target"]) for row in spoken}


def _asked(catalogue: Path, folder: Path, *words: str, each: int) -> list[dict[str, str]]:
    """The queries of each kind in a vocabulary of these lines, none of it held out."""
    (folder / "words.csv").write_text("\n".join(["category,words_people_use", *words, ""]))
    arguments = ["queries", "--dataset", catalogue, "--vocabulary", folder / "words.csv", "--each", each]
    ran = CliRunner().invoke(app, [str(each) for each in [*arguments, "--hold-out", "0", "--out", folder / "out"]])
    assert ran.exit_code == 0, ran.output
    return list(csv.DictReader((folder / "out/queries.tsv").open(), delimiter="\t"))


def test_all_categories_that_a_word_is_said_of_answer_it(catalogue: Path, tmp_path: Path) -> None:
    rows = _asked(catalogue, tmp_path, "Shoes,cap|kicks", each=8)
    named = {kind: {row["type"] for row in rows if row["kind"] == kind} for kind in ("head", "synonym")}
    # Caps are a category of that name, and some say so of shoes.
    assert named == {"head": {"Caps|Shoes", "Shoes"}, "synonym": {"Caps|Shoes", "Shoes"}}


def test_a_mistyped_query_has_an_error(catalogue: Path, tmp_path: Path) -> None:
    """Words of three letters are never mistyped."""
    rows = _asked(catalogue, tmp_path, "Shoes,dap|pum|tab", "Caps,hat|tam|fez", each=30)
    mistyped = [row["query"] for row in rows if row["kind"] == "typo"]
    right = {"shoes", "caps", "dap", "pum", "tab", "hat", "tam", "fez", "acme"}
    right |= {word for phrase in table("searchers")["gender"] for word in phrase.split()}
    assert mistyped
    assert not [query for query in mistyped if set(query.split()) <= right]
