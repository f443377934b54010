"""Listings written on the command line: what a file holds is taken row by row, and every other command reads it."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import relevance
from relevance.parquet import write_parquet
from tests.relevance.command_line import refused, run


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
    ran = run("upsert", str(file), *live, "--json", bundle=tiny_bundle)
    assert ran.returncode == 1
    total = json.loads(ran.stdout)
    assert (total["accepted"], [each["row"] for each in total["rejected"]]) == (1, [3])
    assert "price" in total["rejected"][0]["reason"]
    assert [each["row"] for each in total["ignored"]] == [4]
    again = run("upsert", str(file), *live, bundle=tiny_bundle)
    assert again.stdout.splitlines()[0] == "written 0"
    assert "version 1 is not above the stored 1" in again.stdout
    with relevance.open(tiny_bundle, live=tmp_path / "live") as live_engine:
        (hit,) = live_engine.lexical_search("zanzibar hat")
        assert (hit.listing_id, hit.price, hit.image) == ("n1", 3.5, "live:n1")
    ran = run("delete", "n1", "nobody", *live, bundle=tiny_bundle)
    assert (ran.returncode, ran.stdout) == (0, "deleted 1 of 2\n")


def _told(bundle: Path, live: Path, *arguments: str) -> object:
    """The answer of a reading command, which is the same whichever way the folder is named; times left out."""
    by_variable = run(*arguments, "--json", bundle=bundle, live=live)
    by_option = run(*arguments, "--json", "--live", str(live), bundle=bundle)
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
        assert searched["hits"][0]["listing_id"] == "n1"
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
    ran = run("export", "products", bundle=bundle, live=live)
    assert ran.returncode == 0, ran.stderr
    return {json.loads(line)["update"]["_id"] for line in ran.stdout.splitlines()[::2]}


def test_live_listings_that_are_not_there_are_not_made(tiny_bundle: Path, tmp_path: Path) -> None:
    for command in (["search", "x"], ["similar", "x"], ["export", "x"]):
        message = refused(run(*command, "--live", str(tmp_path / "none"), bundle=tiny_bundle))
        assert message.startswith(f"{tmp_path / 'none'}: no live listings there")
    assert not (tmp_path / "none").exists()


def test_a_file_of_listings_that_cannot_be_read_is_named(tiny_bundle: Path, tmp_path: Path) -> None:
    live = ("--live", str(tmp_path / "live"))
    assert "no such file" in refused(run("upsert", str(tmp_path / "none.csv"), *live, bundle=tiny_bundle))
    (tmp_path / "new.jsonl").write_text("no table\n")
    assert "expected" in refused(run("upsert", str(tmp_path / "new.jsonl"), *live, bundle=tiny_bundle))


def _upserted(file: Path, bundle: Path, live: Path) -> tuple[int, list[tuple[int, str, str]]]:
    """How many were written, and row, id and reason of those that were refused, which the exit code tells too."""
    ran = run("upsert", str(file), "--json", bundle=bundle, live=live)
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


def test_a_listing_without_an_id_is_told_by_its_row_alone(tiny_bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    file.write_text(
        '{"listing_id": null, "title": "Zanzibar"}\n{"listing_id": null, "title": "Zanzibar", "image": "no.jpg"}\n'
    )
    accepted, rejected = _upserted(file, tiny_bundle, tmp_path / "live")
    assert (accepted, [each[:2] for each in rejected]) == (0, [(1, ""), (2, "")])
    assert rejected[0][2] == "listing_id: expected an id, found None"


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
    again = run("upsert", str(tmp_path / "new.parquet"), bundle=tiny_bundle, live=tmp_path / "live")
    assert "version 3 is not above the stored 3" in again.stdout


def test_a_version_is_whole_however_a_column_with_gaps_has_it(tiny_bundle: Path, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    rows = [("n1", 2.0), ("n2", None), ("n3", 2.5), ("n4", 2.0**60)]
    columns = {"listing_id": [name for name, _ in rows], "title": ["Zanzibar hat"] * 4}
    files = [tmp_path / name for name in ("new.parquet", "new.csv", "new.jsonl")]
    write_parquet(files[0], pa.table(columns | {"version": [version for _, version in rows]}))
    lines = [f"{name},Zanzibar hat,{'' if version is None else version}\n" for name, version in rows]
    files[1].write_text("listing_id,title,version\n" + "".join(lines))
    records = [{"listing_id": name, "title": "Zanzibar hat", "version": version} for name, version in rows]
    files[2].write_text("".join(f"{json.dumps(record)}\n" for record in records))
    for file in files:
        accepted, rejected = _upserted(file, tiny_bundle, tmp_path / file.suffix)
        assert (accepted, [name for _, name, _ in rejected]) == (2, ["n3", "n4"])
        with relevance.open(tiny_bundle, live=tmp_path / file.suffix) as engine:
            written = engine.get("n1")
            assert written is not None
            assert written.version == 2
