import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.filter_figures import filter_figures
from eval.page import page
from eval.replay import HeldOut, LogClock, Outcome, held_out
from eval.report import artifacts, built, classifier_line, example_queries, examples, printed
from eval.zero_results import SIMULATED, Figures, evaluate, summary
from relevance import towers as search_towers
from relevance.artifacts import write_manifest
from relevance.dataset import Dataset
from relevance.errors import ArtifactError
from relevance.events import read_behaviour
from tests.colours import write_classifier, write_dataset


@pytest.fixture
def held(marketplace: Dataset) -> HeldOut:
    return held_out(marketplace, marketplace.read_listings(), read_behaviour(marketplace.root))


@pytest.fixture
def replayed(engine: object, held: HeldOut) -> tuple[list[Outcome], Figures]:
    return evaluate(engine, LogClock(), held)  # type: ignore[arg-type]


@pytest.fixture
def facts(marketplace: Dataset, replayed: tuple[list[Outcome], Figures]) -> dict[str, object]:
    return {
        "simulated": SIMULATED,
        "built": built(marketplace.read_listings(), 5, read_behaviour(marketplace.root)),
        "artifacts": {"classifier": {"created_at": "2024-01-01", "metrics": {"test": {"top_1": 0.75}}}},
        "zero_results": summary(*replayed, filter_figures(replayed[0])),
    }


def test_built(facts: dict[str, dict[str, int]]) -> None:
    assert facts["built"] == {
        "listings": 5,
        "categories": 5,
        "photos": 0,
        "searches": 40,
        "sessions": 38,
        "clicks": 0,
        "messages": 0,
    }


def test_artifacts(tmp_path: Path) -> None:
    (tmp_path / "towers").mkdir()
    (tmp_path / "towers" / "metrics.json").write_text('{"recall": 0.5}')
    write_manifest(tmp_path / "towers", search_towers.KIND, search_towers.VERSION)
    found = artifacts({"towers": tmp_path / "towers", "classifier": None})
    assert found["towers"]["metrics"] == {"recall": 0.5}
    assert list(found) == ["towers"]
    with pytest.raises(ArtifactError, match="expected an artifact of kind 'bundle'"):
        artifacts({"bundle": tmp_path / "towers"})


def test_a_classifier_of_this_release_is_read(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "images/1.jpg")])
    folder = write_classifier(tmp_path / "classifier", dataset, metrics={"test": {"top_1": 0.75}})
    found = artifacts({"classifier": folder})["classifier"]["metrics"]
    assert classifier_line(found) == "top-1 0.750"


def test_examples_show_a_rescue_and_an_abstention(replayed: tuple[list[Outcome], Figures]) -> None:
    assert example_queries(replayed[0]) == ["red shose", "piano", "red shoes"]


def test_printed_summary_is_short(
    engine: object, facts: dict[str, object], replayed: tuple[list[Outcome], Figures]
) -> None:
    shown = examples(engine, ["red shose", "piano", "red shoes"])  # type: ignore[arg-type]
    text = printed(facts, replayed[1], shown)
    lines = text.splitlines()
    assert len(lines) <= 30
    assert "5 listings" in lines[0]
    assert "top-1 0.750" in lines[1]
    assert "66.7 %" in lines[2]
    assert lines[4].endswith(" of the answerable")  # not of all that the catalogue has a category for
    assert "simulated" in text
    assert "nothing in the catalogue answers it" in text
    assert "  filter: Wear > Shoes (0.90)" in lines


def test_classifier_line() -> None:
    assert classifier_line({"test": {"top_1": 0.5, "top_5": 0.9, "macro": None}}) == "top-1 0.500, top-5 0.900"
    assert classifier_line({}) is None


def test_page(engine: object, facts: dict[str, object], replayed: tuple[list[Outcome], Figures]) -> None:
    shown = examples(engine, ["red shose", "piano"])  # type: ignore[arg-type]
    html = page(facts, replayed[1], filter_figures(replayed[0]), shown, Path("/data/set"), Path("/data/report"))
    again = page(facts, replayed[1], filter_figures(replayed[0]), shown, Path("/data/set"), Path("/data/report"))
    assert html == again
    assert SIMULATED.split(":")[0] in html
    assert "a &lt;b-red&gt;" in html  # a title is text, not markup
    assert "<svg" in html
    assert "Made to hold 95% of what people choose" in html  # not a true category in 95 % of all searches
    assert not re.findall(r'(?:src|href)="(?!\.\./set/|#)', html)  # nothing from elsewhere
    HTMLParser().feed(html)
