"""Where former categories went: read, followed, and refused where it cannot be."""

import sys
import warnings
from pathlib import Path

import pytest
import typer

from relevance.dataset import Dataset, read_listings
from relevance.entry import run
from relevance.errors import DataError, DataWarning
from relevance.live.listing import NewListing, checked
from relevance.moved import read_moved, write_moved
from relevance.ontology import Ontology

CATEGORIES = "category_id,path\nhome,Home\nsofas,Home > Sofas\nlamps,Home > Lamps\n"


def _ontology(folder: Path, moved: str) -> Ontology:
    folder.mkdir(exist_ok=True)
    (folder / "categories.csv").write_text(CATEGORIES)
    (folder / "moved.csv").write_text(f"category_id,moved_to\n{moved}")
    return Ontology.read(folder / "categories.csv")


def test_former_ids_lead_where_they_went(tmp_path: Path) -> None:
    # Couches became settees, which became sofas; fax machines are gone, and so is what once moved to them.
    tree = _ontology(tmp_path, "couches,settees\nsettees,sofas\nfax,\ntelex,fax\n")
    assert tree.moved == {"couches": "sofas", "settees": "sofas", "fax": None, "telex": None}
    assert tree.get("couches") == tree.position("settees") == tree.position("sofas")
    assert tree.get("telex") is None
    with pytest.raises(DataError, match=r"category 'fax' is gone, and moved.csv names none in its place"):
        tree.position("fax")
    with pytest.raises(DataError, match="unknown category 'sofa'; close to 'sofas'"):
        tree.position("sofa")


def test_nothing_may_have_moved(tmp_path: Path) -> None:
    assert _ontology(tmp_path, "").moved == {}


def test_positions_and_fingerprint_are_those_of_the_categories_there_are(tmp_path: Path) -> None:
    tree = _ontology(tmp_path, "couches,sofas\n")
    (tmp_path / "moved.csv").unlink()
    plain = Ontology.read(tmp_path / "categories.csv")
    assert (tree.ids, tree.fingerprint) == (plain.ids, plain.fingerprint)
    assert plain.moved == {}


def test_it_is_written_beside_the_categories(tmp_path: Path) -> None:
    tree = _ontology(tmp_path, "couches,settees\nsettees,sofas\nfax,\n")
    again = tmp_path / "again"
    again.mkdir()
    tree.write(again / "categories.csv")
    assert Ontology.read(again / "categories.csv").moved == tree.moved
    write_moved(tmp_path / "nothing.csv", {})
    assert not (tmp_path / "nothing.csv").exists()
    assert read_moved(tmp_path / "nothing.csv", ()) == {}


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        (
            "sofas,lamps\n",
            r"row 2, column category_id: expected an id that categories.csv no longer has, found 'sofas'",
        ),
        ("couches,sofa\n", r"row 2, column moved_to: expected a category_id of categories.csv .*, found 'sofa'"),
        ("couches,sofas\ncouches,lamps\n", "row 3, column category_id: expected each id once"),
        ("a,b\nb,c\nc,b\n", "expected categories to move somewhere, found a -> b -> c -> b"),
        ("a,a\n", "expected categories to move somewhere, found a -> a"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, moved: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _ontology(tmp_path, moved)


def test_listings_of_former_categories_are_kept_and_counted(tmp_path: Path) -> None:
    tree = _ontology(tmp_path, "couches,sofas\nfax,\n")
    (tmp_path / "listings.csv").write_text(
        "listing_id,title,category_id\n1,A couch,couches\n2,A sofa,sofas\n3,A fax,fax\n4,Old couch,couches\n5,What,\n"
    )
    told = (
        r"listings.csv: 3 listings name a former category, 1 of them one that is gone and so none "
        r"\(couches -> sofas: 2, fax is gone: 1\)"
    )
    with pytest.warns(DataWarning, match=told):
        listings = Dataset.open(tmp_path).read_listings(tree)
    assert listings.category_ids == ["sofas", "sofas", None, "sofas", None]


def test_an_unknown_category_is_refused_still(tmp_path: Path) -> None:
    tree = _ontology(tmp_path, "couches,sofas\n")
    (tmp_path / "listings.csv").write_text("listing_id,title,category_id\n1,A couch,couch\n")
    with pytest.raises(DataError, match=r"found 'couch'.*; where a former one went is for moved.csv to tell"):
        read_listings(tmp_path / "listings.csv", tree)


def test_a_live_listing_of_a_former_category_is_taken(tmp_path: Path) -> None:
    tree = _ontology(tmp_path, "couches,sofas\nfax,\n")
    assert checked(NewListing("1", "A couch", category_id="couches"), tree).category_id == "sofas"
    assert checked(NewListing("1", "A fax", category_id="fax"), tree).category_id is None
    with pytest.raises(DataError, match="found 'tv'"):
        checked(NewListing("1", "A tv", category_id="tv"), tree)


def test_commands_tell_it_in_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def read() -> None:
        warnings.warn("3 listings name a former category", DataWarning, stacklevel=1)

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # is put back after the test
    monkeypatch.setattr(sys, "argv", ["read"])
    with pytest.raises(SystemExit, match="0"):
        run(app, "read")
    assert capsys.readouterr().err == "note: 3 listings name a former category\n"
