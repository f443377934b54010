"""The command `relevance`, as people and programs run it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import relevance
from relevance import cli
from relevance.engine import Engine
from relevance.parquet import write_parquet

COMMANDS = (
    "search", "category-filter", "fallback", "related", "similar", "upsert", "delete", "inspect", "serve", "export",
    "photos",
)  # fmt: skip
MAIN = "from relevance.cli import main; main()"


def _run(*arguments: str, bundle: Path | None = None, live: Path | None = None) -> subprocess.CompletedProcess[str]:
    ours = ("RELEVANCE_BUNDLE", "RELEVANCE_LIVE")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {name: str(path) for name, path in zip(ours, (bundle, live), strict=True) if path is not None}
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def _refused(ran: subprocess.CompletedProcess[str]) -> str:
    """The message of a refusal: exit code 2, nothing on stdout, one line of error, no traceback."""
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ran.stderr.splitlines()[-1:]
    return errors[0].removeprefix("error: ")


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    return engine.store.rows([0])[0].title


def test_help_names_every_command_and_is_quick() -> None:
    start = time.monotonic()
    ran = _run("--help")
    assert time.monotonic() - start < 10
    assert ran.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in ran.stdout
        assert CliRunner().invoke(cli.app, [command, "--help"]).exit_code == 0


def test_json_is_the_engines_answer(engine: Engine, tiny_bundle: Path, title: str) -> None:
    found = json.loads(_run("search", title, "-k", "3", "--json", bundle=tiny_bundle).stdout)
    expected = json.loads(json.dumps(engine.search(title, 3).to_dict()))
    assert found.pop("timings").keys() == expected.pop("timings").keys()
    assert found == expected
    ran = _run("category-filter", title, "--json", bundle=tiny_bundle)
    assert json.loads(ran.stdout) == json.loads(json.dumps(asdict(engine.category_filter(title))))
    ran = _run("fallback", "zzzz qqqq", "--json", bundle=tiny_bundle)
    assert json.loads(ran.stdout) == json.loads(json.dumps(asdict(engine.fallback("zzzz qqqq", k=10))))


def test_table_has_a_line_for_each_hit(engine: Engine, tiny_bundle: Path, title: str) -> None:
    ran = _run("search", title, "-k", "3", bundle=tiny_bundle)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    hits = engine.search(title, 3).hits
    assert len([line for line in lines if line[:1].isdigit()]) == len(hits)
    for hit in hits:
        assert any(hit.listing_id in line for line in lines)


def test_abstention_is_said_in_words(tiny_bundle: Path) -> None:
    ran = _run("search", "🎮", bundle=tiny_bundle)
    assert ran.returncode == 0
    assert "nothing in this catalogue answers the query" in ran.stdout


def test_bundle_by_option_goes_before_the_environment(tiny_bundle: Path, tmp_path: Path) -> None:
    assert _run("inspect", "--bundle", str(tiny_bundle), bundle=tmp_path / "none").returncode == 0


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
    ran = _run("search", title, "--price-max", "0", "--json", "-k", "50", bundle=tiny_bundle)
    expected = engine.search(title, 50, relevance.Filters(price=(None, 0.0)))
    assert [hit["listing_id"] for hit in json.loads(ran.stdout)["hits"]] == [hit.listing_id for hit in expected.hits]


def test_similar_to_a_listing_and_to_a_file(engine: Engine, tiny_chain: Path, tiny_bundle: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    listing = engine.store.rows([row])[row]
    ran = _run("similar", listing.listing_id, "-k", "3", "--json", bundle=tiny_bundle)
    expected = engine.similar(listing.listing_id, k=3)
    assert [hit["listing_id"] for hit in json.loads(ran.stdout)] == [hit.listing_id for hit in expected]
    photo = tiny_chain / "dataset" / str(listing.image)
    ran = _run("similar", "--image", str(photo), "-k", "3", bundle=tiny_bundle)
    assert ran.returncode == 0
    for hit in engine.similar(image=photo.read_bytes(), k=3):
        assert hit.listing_id in ran.stdout


def test_inspect_counts(engine: Engine, tiny_bundle: Path) -> None:
    report = json.loads(_run("inspect", "--json", bundle=tiny_bundle).stdout)
    assert report["manifest"]["fingerprint"] == engine.manifest["fingerprint"]
    assert report["counts"]["listings"] == len(engine)
    assert report["counts"]["files"] == len([p for p in tiny_bundle.rglob("*") if p.is_file()]) - 2  # manifest, marker
    assert report["calibration"]["relevance"]["threshold"] == engine.relevance.threshold
    table = _run("inspect", bundle=tiny_bundle).stdout
    assert "calibration.category.coverage" in table
    (line,) = [line for line in table.splitlines() if line.startswith("manifest.class_ids")]
    assert line.split()[1:] == [str(len(engine.manifest["class_ids"])), "classes"]
    assert report["manifest"]["class_ids"] == engine.manifest["class_ids"]


def test_inspect_follows_a_deployment(tiny_bundle: Path, tmp_path: Path) -> None:
    """A folder as `python -m index promote` keeps it."""
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "one").symlink_to(tiny_bundle, target_is_directory=True)
    (tmp_path / "current").symlink_to("bundles/one", target_is_directory=True)
    ran = _run("inspect", "--json", bundle=tmp_path)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report.pop("bundle") == str(tmp_path / "bundles" / "one")
    plain = json.loads(_run("inspect", "--json", bundle=tiny_bundle).stdout)
    assert report == {name: value for name, value in plain.items() if name != "bundle"}


def test_export_is_a_bulk_request(engine: Engine, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "bulk.ndjson"
    assert _run("export", "products", "--out", str(out), "--no-embeddings", bundle=tiny_bundle).returncode == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["update"]["_index"] == "products"
    assert len(lines) == 2 * int(engine.catalogue.online(np.datetime64("now", "ms")).sum())
    ran = _run("export", "products", "--no-embeddings", bundle=tiny_bundle)
    assert ran.stdout == out.read_text()


def test_listings_are_written_from_a_file_and_deleted(tiny_chain: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    photo = next((tiny_chain / "dataset" / "images").iterdir())
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    file = tmp_path / "new.csv"
    file.write_text(
        "listing_id,title,price,image,attributes,version\n"
        'n1,Zanzibar hat,3.5,photo.jpg,"{""colour"": ""red""}",1\n'
        "n2,Zanzibar coat,dear,,,1\n"
        "n1,Older hat,3,,,0\n"
    )
    live = ("--live", str(tmp_path / "live"))
    ran = _run("upsert", str(file), *live, "--json", bundle=tiny_bundle)
    assert ran.returncode == 1
    total = json.loads(ran.stdout)
    assert (total["accepted"], [each["row"] for each in total["rejected"]]) == (1, [3])
    assert "price" in total["rejected"][0]["reason"]
    assert [each["row"] for each in total["ignored"]] == [4]
    again = _run("upsert", str(file), *live, bundle=tiny_bundle)
    assert again.stdout.splitlines()[0] == "written 0"
    assert "version 1 is not above the stored 1" in again.stdout
    with relevance.open(tiny_bundle, live=tmp_path / "live") as live_engine:
        (hit,) = live_engine.lexical_search("zanzibar hat")
        assert (hit.listing_id, hit.price, hit.image) == ("n1", 3.5, "live:n1")
    ran = _run("delete", "n1", "nobody", *live, bundle=tiny_bundle)
    assert (ran.returncode, ran.stdout) == (0, "deleted 1 of 2\n")


def _told(bundle: Path, live: Path, *arguments: str) -> object:
    """The answer of a reading command, which is the same whichever way the folder is named; times left out."""
    by_variable = _run(*arguments, "--json", bundle=bundle, live=live)
    by_option = _run(*arguments, "--json", "--live", str(live), bundle=bundle)
    assert (by_variable.returncode, by_option.returncode) == (0, 0), by_option.stderr
    first, second = json.loads(by_variable.stdout), json.loads(by_option.stdout)
    if isinstance(first, dict):
        assert (first.pop("timings", None) is None) == (second.pop("timings", None) is None)
    assert first == second
    return first


def _plain(answer: object) -> object:
    return json.loads(json.dumps(answer))


def test_what_was_written_is_read_by_every_command(tiny_chain: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    """While another process has the folder open."""
    photo, live = next((tiny_chain / "dataset" / "images").iterdir()).read_bytes(), tmp_path / "live"
    with relevance.open(tiny_bundle, live=live) as writer:
        writer.upsert([relevance.NewListing("n1", "Zorblax quux", image=photo)])
        searched = writer.search("zorblax quux", 10).to_dict()
        assert [hit["listing_id"] for hit in searched["hits"]] == ["n1"]
        searched.pop("timings")
        fallback = asdict(writer.fallback("zorblax quux", k=10))
        similar = [asdict(hit) for hit in writer.similar("n1", k=10)]
        assert _told(tiny_bundle, live, "search", "zorblax quux") == _plain(searched)
        assert _told(tiny_bundle, live, "fallback", "zorblax quux") == _plain(fallback)
        assert _told(tiny_bundle, live, "similar", "n1") == _plain(similar)
        assert _told(tiny_bundle, live, "related", "lamp") == _plain(writer.related("lamp"))
        assert _told(tiny_bundle, live, "category-filter", "lamp") == _plain(asdict(writer.category_filter("lamp")))


def test_what_was_written_is_exported_and_what_was_deleted_is_not(tiny_bundle: Path, tmp_path: Path) -> None:
    before = _exported(tiny_bundle, None)
    gone = min(before)
    with relevance.open(tiny_bundle, live=tmp_path / "live") as writer:
        writer.upsert([relevance.NewListing("n1", "Zorblax quux")])
        writer.delete([gone])
    assert _exported(tiny_bundle, tmp_path / "live") == before - {gone} | {"n1"}


def _exported(bundle: Path, live: Path | None) -> set[str]:
    """The ids of the documents in a bulk request."""
    ran = _run("export", "products", bundle=bundle, live=live)
    assert ran.returncode == 0, ran.stderr
    return {json.loads(line)["update"]["_id"] for line in ran.stdout.splitlines()[::2]}


def test_live_listings_that_are_not_there_are_not_made(tiny_bundle: Path, tmp_path: Path) -> None:
    for command in (["search", "x"], ["similar", "x"], ["export", "x"]):
        refused = _refused(_run(*command, "--live", str(tmp_path / "none"), bundle=tiny_bundle))
        assert refused.startswith(f"{tmp_path / 'none'}: no live listings there")
    assert not (tmp_path / "none").exists()


def test_a_file_of_listings_that_cannot_be_read_is_named(tiny_bundle: Path, tmp_path: Path) -> None:
    live = ("--live", str(tmp_path / "live"))
    assert "no such file" in _refused(_run("upsert", str(tmp_path / "none.csv"), *live, bundle=tiny_bundle))
    (tmp_path / "new.jsonl").write_text("no table\n")
    assert "expected" in _refused(_run("upsert", str(tmp_path / "new.jsonl"), *live, bundle=tiny_bundle))


def _upserted(file: Path, bundle: Path, live: Path) -> tuple[int, list[tuple[int, str, str]]]:
    """How many were written, and row, id and reason of those that were refused, which the exit code tells too."""
    ran = _run("upsert", str(file), "--json", bundle=bundle, live=live)
    total = json.loads(ran.stdout)
    assert ran.returncode == (1 if total["rejected"] else 0)
    return total["accepted"], [(each["row"], each["listing_id"], each["reason"]) for each in total["rejected"]]


def test_of_several_photos_the_first_usable_one_is_taken(tiny_chain: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    first, second, *_ = sorted((tiny_chain / "dataset" / "images").iterdir())
    (tmp_path / "images").mkdir()
    for name, photo in (("a.jpg", first), ("b.jpg", second)):
        (tmp_path / "images" / name).write_bytes(photo.read_bytes())
    (tmp_path / "text.jpg").write_text("no photo")
    images = {
        "list": ["images/a.jpg", "images/b.jpg"],
        "text": "images/b.jpg|images/a.jpg",
        "lacking": [str(first), "nope.jpg", "text.jpg", "images", "nul\x00.jpg", "images/b.jpg", "never.jpg"],
        "one": ["images/a.jpg"],
        "without": [],
    }
    rows = [{"listing_id": name, "title": "Zanzibar", "image": image} for name, image in images.items()]
    file = tmp_path / "new.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert _upserted(file, tiny_bundle, tmp_path / "live") == (5, [])
    expected = {"list": first, "text": second, "lacking": second, "one": first}
    with relevance.open(tiny_bundle, live=tmp_path / "live", read_only=True) as engine:
        photos = {name: engine.photo(name) for name in images}
    assert photos == {name: path.read_bytes() for name, path in expected.items()} | {"without": None}


def test_what_is_wrong_with_one_row_never_loses_the_rest(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.jpg").touch()
    bad = {
        2: ({"image": "nope.jpg"}, "image: expected a photo, but 'nope.jpg' is missing"),
        3: (
            {"image": ["nope.jpg", "text.jpg"]},
            "image: expected a photo, but 'nope.jpg' is missing, 'text.jpg' is not an image",
        ),
        5: ({"image": 5}, "image: expected paths beside the file, such as images/1.jpg, found 5"),
        6: (
            {"image": "../secret.jpg|/etc/passwd"},
            "image: expected a photo, but '../secret.jpg' is outside the file's folder, "
            "'/etc/passwd' is outside the file's folder",
        ),
        7: ({"version": "x"}, "version: expected a whole number of 64 bits, found 'x'"),
        8: ({"attributes": "x"}, "attributes: expected a JSON object, found 'x'"),
        9: ({"image": "text.jpg"}, "image: expected a photo, but it is not an image"),
        10: ({"image": "empty.jpg"}, "image: expected a photo, but 'empty.jpg' is empty"),
        1203: ({"image": "."}, "image: expected a photo, but '.' is unreadable"),
    }
    lines = [
        json.dumps({"listing_id": f"n{row}", "title": "Zanzibar"} | bad.get(row, ({}, ""))[0]) for row in range(1, 1205)
    ]
    lines[3] = '{"listing_id": "n4", "tit'  # the file was cut here
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    accepted, rejected = _upserted(tmp_path / "new.jsonl", tiny_bundle, tmp_path / "live")
    assert accepted == 1204 - len(bad) - 1
    (cut,) = [each for each in rejected if each[0] == 4]
    assert cut[1] == ""
    assert cut[2].startswith("malformed JSON")
    reasons = {row: reason for row, listing_id, reason in rejected if listing_id == f"n{row}"}
    assert reasons == {row: reason for row, (_, reason) in bad.items()}
    assert [row for row, _, _ in rejected] == sorted([4, *bad])


def test_a_parquet_file_is_written_from(tiny_bundle: Path, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(
        {
            "listing_id": ["p1", "p2"],
            "title": ["Zanzibar hat", "Zanzibar coat"],
            "price": [1.5, None],
            "version": [3, 4],
            "expires_at": pyarrow.array([1_906_459_200_000, None], pyarrow.timestamp("ms", "UTC")),
            "image": pyarrow.array([[], None], pyarrow.list_(pyarrow.string())),
        }
    )
    write_parquet(tmp_path / "new.parquet", table)
    assert _upserted(tmp_path / "new.parquet", tiny_bundle, tmp_path / "live") == (2, [])
    again = _run("upsert", str(tmp_path / "new.parquet"), bundle=tiny_bundle, live=tmp_path / "live")
    assert "version 3 is not above the stored 3" in again.stdout


def test_a_shell_can_complete() -> None:
    environment = os.environ | {"_RELEVANCE_COMPLETE": "complete_bash", "COMP_WORDS": "relevance s", "COMP_CWORD": "1"}
    ran = subprocess.run([sys.executable, "-c", MAIN], capture_output=True, text=True, env=environment, timeout=60)
    assert set(ran.stdout.split()) == {"search", "similar", "serve"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "x", "-k", "0"], "k: expected 1 to 1000, got 0"),
        (["search", "x", "--category", "nope"], "unknown category 'nope'"),
        (["search", "x", "--attribute", "nope=1"], "filters: no attribute 'nope'"),
        (["search", "x", "--near", "1,2"], "--near: expected LAT,LON,KM"),
        (["search", "x", "--near", "a,b,c"], "--near: expected LAT,LON,KM"),
        (["search", "x", "--attribute", "colour"], "--attribute: expected NAME=VALUE"),
        (["search", "x", "--price-min", "nan"], "filters: price: expected"),
        (["similar", "no such\nlisting"], "similar: no listing with id 'no such\\nlisting'"),
        (["similar"], "similar: give either"),
        (["similar", "x", "--image", "y"], "similar: give either"),
        (["similar", "--image", "/no/such/file"], "/no/such/file: cannot be read (No such file or directory)"),
        (["similar", "--image", __file__], "expected a photo, but it is not an image"),
    ],
)
def test_refusals(tiny_bundle: Path, arguments: list[str], message: str) -> None:
    assert message in _refused(_run(*arguments, bundle=tiny_bundle))


def test_no_bundle() -> None:
    assert _refused(_run("search", "x")) == "no bundle named: give --bundle PATH or set RELEVANCE_BUNDLE"


@pytest.mark.parametrize("command", [["search", "x", "--bundle"], ["inspect", "--bundle"], ["serve"]])
def test_what_is_no_bundle_is_named(tmp_path: Path, command: list[str]) -> None:
    assert _refused(_run(*command, str(tmp_path / "none"))) == f"{tmp_path / 'none'}: no such folder"
    assert str(tmp_path) in _refused(_run(*command, str(tmp_path)))


def test_interrupting_gives_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "open_bundle", interrupted)
    monkeypatch.setattr(sys, "argv", ["relevance", "search", "x"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 130


def test_output_that_the_terminal_cannot_show_does_not_fail(tiny_bundle: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "RELEVANCE_BUNDLE": str(tiny_bundle)}
    command = [sys.executable, "-c", MAIN, "search", "任天堂 \udcff", "--json"]
    ran = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["query"].endswith(" ?")


def test_a_title_cannot_drive_the_terminal() -> None:
    hit = relevance.Hit("1", 0.5, 0.5, "lexical", "reason", "\x1b[2Jred\r\nchair\u202e", None, None, "", None)
    table = cli.terminal.hits([hit])
    assert table.isprintable() is False  # line breaks of the table itself
    assert all(line.isprintable() for line in table.splitlines())
    assert len(table.splitlines()) == 2
