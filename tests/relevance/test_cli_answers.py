"""The command `relevance` answers as the engine does, in JSON and in words, and says what a bundle holds."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import relevance
from relevance import cli
from relevance.engine import Engine
from tests.relevance.command_line import run


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    return engine.store.rows([0])[0].title


def test_json_is_the_engines_answer(engine: Engine, tiny_bundle: Path, title: str) -> None:
    found = json.loads(run("search", title, "-k", "3", "--json", bundle=tiny_bundle).stdout)
    expected = json.loads(json.dumps(engine.search(title, 3).to_dict()))
    assert found.pop("timings").keys() == expected.pop("timings").keys()
    assert found == expected
    ran = run("category-filter", title, "--json", bundle=tiny_bundle)
    assert json.loads(ran.stdout) == json.loads(json.dumps(asdict(engine.category_filter(title))))
    ran = run("fallback", "zzzz qqqq", "--json", bundle=tiny_bundle)
    assert json.loads(ran.stdout) == json.loads(json.dumps(asdict(engine.fallback("zzzz qqqq", k=10))))


def test_table_has_a_line_for_each_hit(engine: Engine, tiny_bundle: Path, title: str) -> None:
    ran = run("search", title, "-k", "3", bundle=tiny_bundle)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    hits = engine.search(title, 3).hits
    assert len([line for line in lines if line[:1].isdigit()]) == len(hits)
    for hit in hits:
        assert any(hit.listing_id in line for line in lines)


def test_abstention_is_said_in_words(tiny_bundle: Path) -> None:
    ran = run("search", "🎮", bundle=tiny_bundle)
    assert ran.returncode == 0
    assert "nothing in this catalogue answers the query" in ran.stdout


def test_bundle_by_option_goes_before_the_environment(tiny_bundle: Path, tmp_path: Path) -> None:
    assert run("inspect", "--bundle", str(tiny_bundle), bundle=tmp_path / "none").returncode == 0


def test_filters_reach_the_engine(tiny_bundle: Path, title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    search = Engine.search

    def spy(self: Engine, query: str, k: int, filters: relevance.Filters, *_: object) -> relevance.SearchResult:
        asked.extend((query, k, filters))
        return search(self, query, k)

    monkeypatch.setattr(Engine, "search", spy)
    options = (
        "--price-min 5 --price-max 80 --near 52.37,-4.89,25 --category 7 --max-age-days 30 --locale fr-BE "
        "--attribute colour=red --attribute colour=blue --attribute size=a=b --not-category 8 --not-category 9"
    )
    monkeypatch.setattr(sys, "argv", ["relevance", "search", title, "--bundle", str(tiny_bundle), *options.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    attributes = {"colour": ["red", "blue"], "size": ["a=b"]}
    expected = relevance.Filters((5.0, 80.0), (52.37, -4.89, 25.0), "7", 30.0, "fr-BE", attributes, ["8", "9"])
    assert asked == [title, 10, expected]


def test_one_open_end_of_the_price(tiny_bundle: Path, engine: Engine, title: str) -> None:
    ran = run("search", title, "--price-max", "0", "--json", "-k", "50", bundle=tiny_bundle)
    expected = engine.search(title, 50, relevance.Filters(price=(None, 0.0)))
    assert [hit["listing_id"] for hit in json.loads(ran.stdout)["hits"]] == [hit.listing_id for hit in expected.hits]


def test_similar_to_a_listing_and_to_a_file(engine: Engine, tiny_chain: Path, tiny_bundle: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    listing = engine.store.rows([row])[row]
    ran = run("similar", listing.listing_id, "-k", "3", "--json", bundle=tiny_bundle)
    expected = engine.similar(listing.listing_id, k=3)
    assert [hit["listing_id"] for hit in json.loads(ran.stdout)] == [hit.listing_id for hit in expected]
    photo = tiny_chain / "dataset" / str(listing.image)
    ran = run("similar", "--image", str(photo), "-k", "3", bundle=tiny_bundle)
    assert ran.returncode == 0
    for hit in engine.similar(image=photo.read_bytes(), k=3):
        assert hit.listing_id in ran.stdout


def test_inspect_counts(engine: Engine, tiny_bundle: Path) -> None:
    report = json.loads(run("inspect", "--json", bundle=tiny_bundle).stdout)
    assert report["manifest"]["fingerprint"] == engine.manifest["fingerprint"]
    assert report["counts"]["listings"] == len(engine)
    assert report["counts"]["files"] == len([p for p in tiny_bundle.rglob("*") if p.is_file()]) - 2  # manifest, marker
    assert report["calibration"]["relevance"]["threshold"] == engine.relevance.threshold
    table = run("inspect", bundle=tiny_bundle).stdout
    assert "calibration.category.coverage" in table
    (line,) = [line for line in table.splitlines() if line.startswith("manifest.class_ids")]
    assert line.split()[1:] == [str(len(engine.manifest["class_ids"])), "classes"]
    assert report["manifest"]["class_ids"] == engine.manifest["class_ids"]


def test_inspect_follows_a_deployment(tiny_bundle: Path, tmp_path: Path) -> None:
    """A folder as `python -m index promote` keeps it."""
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "one").symlink_to(tiny_bundle, target_is_directory=True)
    (tmp_path / "current").symlink_to("bundles/one", target_is_directory=True)
    ran = run("inspect", "--json", bundle=tmp_path)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report.pop("bundle") == str(tmp_path / "bundles" / "one")
    plain = json.loads(run("inspect", "--json", bundle=tiny_bundle).stdout)
    assert report == {name: value for name, value in plain.items() if name != "bundle"}


def test_export_is_a_bulk_request(engine: Engine, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "bulk.ndjson"
    assert run("export", "products", "--out", str(out), "--no-embeddings", bundle=tiny_bundle).returncode == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["update"]["_index"] == "products"
    assert len(lines) == 2 * int(engine.catalogue.online(np.datetime64("now", "ms")).sum())
    ran = run("export", "products", "--no-embeddings", bundle=tiny_bundle)
    assert ran.stdout == out.read_text()
