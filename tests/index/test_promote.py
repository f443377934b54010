"""Putting a bundle in use: checked first, swapped under those who answer, and taken back."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import index.promote
import relevance
from index.promote import promote, roll_back
from relevance import LiveEngine, NewListing
from relevance.artifacts import write_manifest
from relevance.deployment import Deployment, bundle_at
from relevance.engine import MAX_K, Engine
from relevance.errors import ArtifactError, BundleError, DataError

WORD = "flibberwock"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle of this test's own, of hard links: replace a file, never write into it."""
    shutil.copytree(tiny_bundle, tmp_path / "bundle", copy_function=os.link)
    return tmp_path / "bundle"


@pytest.fixture
def other(bundle: Path, tmp_path: Path) -> Path:
    """A bundle of other models: its towers answer with all vectors mirrored, and so do its listings."""
    return _of_other_models(bundle, tmp_path / "other")


def _of_other_models(bundle: Path, out: Path) -> Path:
    from relevance.bundle import KIND, VERSION, fingerprint

    shutil.copytree(bundle, out, copy_function=os.link)
    words = json.loads((out / "text.json").read_text(encoding="utf-8"))
    (out / "text.json").unlink()
    (out / "text.json").write_text(json.dumps(words | {"note": "other"}), encoding="utf-8")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").unlink()
    fields = {n: v for n, v in manifest.items() if n not in ("kind", "version", "created_at", "files", "fingerprint")}
    write_manifest(out, KIND, VERSION, **fields, fingerprint=fingerprint(out, manifest["ontology_fingerprint"]))
    return out


def _csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def _answered(engine: Engine, n: int) -> list[tuple[str, str]]:
    """Titles of listings that have not expired, as queries, each with the id of its first hit."""
    online = np.flatnonzero(engine.catalogue.online(np.datetime64("now", "ms")))[:n].tolist()
    titles = [listing.title for listing in engine.store.rows(online).values()]
    return [(title, engine.search(title).hits[0].listing_id) for title in titles]


# Promoting.


def test_the_first_bundle_is_put_in_use(bundle: Path, root: Path) -> None:
    done = promote(bundle, root)
    assert bundle_at(root) == done.bundle
    assert done.bundle.parent == root / "bundles"
    assert done.listings == len(Engine(bundle))
    shutil.rmtree(bundle)  # what is in use does not depend on what was given
    with relevance.open(root) as engine:
        assert len(engine) == done.listings
    with pytest.raises(BundleError, match="no previous bundle"):
        roll_back(root)


def test_who_answers_swaps_and_goes_back(bundle: Path, other: Path, root: Path) -> None:
    first = promote(bundle, root).bundle
    with relevance.open(root) as engine:
        before = engine.versions["fingerprint"]
        held = engine.current
        second = promote(other, root).bundle
        assert engine.refresh() or bundle_at(root) == second
        assert engine.versions["fingerprint"] != before
        assert held.versions["fingerprint"] == before
        assert held.search(_answered(held, 1)[0][0]).hits
        assert roll_back(root) == first
        engine.refresh()
        assert engine.versions["fingerprint"] == before
        assert roll_back(root) == second


def test_a_swap_mixes_and_drops_nothing(bundle: Path, other: Path, root: Path) -> None:
    """Threads ask all the while; each answer is that of the bundle it names."""
    promote(bundle, root)
    title, _ = _answered(Engine(bundle), 1)[0]
    hits = {e.versions["fingerprint"]: e.search(title).hits for e in (Engine(bundle), Engine(other))}
    stop, wrong, seen = threading.Event(), [], set()

    def ask(engine: LiveEngine) -> None:
        while not stop.is_set():
            try:
                result = engine.search(title)
                seen.add(result.versions["fingerprint"])
                if result.hits != hits[result.versions["fingerprint"]]:
                    wrong.append(result.versions)
            except Exception as error:
                wrong.append(error)

    with relevance.open(root) as engine:
        threads = [threading.Thread(target=ask, args=(engine,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for new in (other, bundle):
            promote(new, root)
            engine.refresh()
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert seen == set(hits)


def test_live_listings_are_carried_over(bundle: Path, other: Path, root: Path, tmp_path: Path) -> None:
    promote(bundle, root, tmp_path / "live")
    with relevance.open(root, live=tmp_path / "live") as engine:
        gone = engine.current.store.rows([0])[0].listing_id
        engine.upsert([NewListing("before", f"{WORD} before", version=4)])
        engine.delete([gone])
        promote(other, root, tmp_path / "live")
        # Written by a process that has not swapped yet: encoded by the models of the old bundle.
        engine.upsert([NewListing("meanwhile", f"{WORD} meanwhile")])
        engine.refresh()
        with relevance.open(root, live=tmp_path / "live") as late:
            for opened in (engine, late):
                found = sorted(hit.title for hit in opened.lexical_search(WORD))
                assert found == [f"{WORD} before", f"{WORD} meanwhile"]
                assert opened.get(gone) is None
                assert opened.status().fresh <= 1
            assert engine.versions == late.versions
            assert engine.upsert([NewListing("before", WORD, version=4)]).accepted == 0
        roll_back(root)
        engine.refresh()
        assert sorted(hit.title for hit in engine.lexical_search(WORD)) == found
        assert engine.get(gone) is None


def test_old_bundles_are_removed(bundle: Path, root: Path) -> None:
    for _ in range(4):
        promote(bundle, root)
    assert len(list((root / "bundles").iterdir())) == 2


def test_a_broken_bundle_changes_nothing(bundle: Path, other: Path, root: Path) -> None:
    in_use = promote(bundle, root).bundle
    (other / "vectors.npy").unlink()
    with pytest.raises(BundleError, match=r"vectors\.npy is missing"):
        promote(other, root)
    assert bundle_at(root) == in_use
    assert [path.name for path in (root / "bundles").iterdir()] == [in_use.name]


def test_a_broken_bundle_in_use_leaves_the_last_one_answering(bundle: Path, root: Path, tmp_path: Path) -> None:
    promote(bundle, root)
    with relevance.open(root, live=tmp_path / "live") as engine:
        answer = engine.search("lamp").hits
        (root / "bundles" / "broken").mkdir()
        Deployment(root).switch(root / "bundles" / "broken")
        with pytest.raises(BundleError, match=r"manifest\.json"):
            engine.refresh()
        assert engine.search("lamp").hits == answer
        assert engine.upsert([NewListing("new", WORD)]).accepted == 1
        assert [hit.listing_id for hit in engine.lexical_search(WORD)] == ["new"]
        assert engine.delete(["new"]) == 1


def _files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("inside", ["", "serving", "a/b", "lexical/../serving"])
def test_a_bundle_is_not_put_in_use_inside_itself(bundle: Path, inside: str, tmp_path: Path) -> None:
    before = _files(bundle)
    (tmp_path / "link").symlink_to(bundle, target_is_directory=True)
    for at in (bundle / inside, tmp_path / "link" / inside):
        with pytest.raises(DataError, match="--at: expected a folder outside the bundle"):
            promote(bundle, at)
    assert _files(bundle) == before


def test_a_bundle_is_no_deployment(bundle: Path, other: Path) -> None:
    before = _files(other)
    for change in (lambda: promote(bundle, other), lambda: roll_back(other)):
        with pytest.raises(DataError, match="--at: expected a folder that `promote` keeps, or one to make, found an"):
            change()
    assert _files(other) == before


def test_what_another_deployment_has_in_use_is_promoted(bundle: Path, other: Path, root: Path, tmp_path: Path) -> None:
    promote(bundle, tmp_path / "staging")
    promote(other, tmp_path / "staging")
    with relevance.open(promote(tmp_path / "staging", root).bundle) as engine:
        assert engine.versions == Engine(other).versions
    with pytest.raises(DataError, match="outside the bundle"):
        promote(root, bundle_at(root) / "deeper")


def test_a_bundle_of_the_deployment_itself_is_put_in_use_again(bundle: Path, other: Path, root: Path) -> None:
    first = promote(bundle, root).bundle
    promote(other, root)
    again = promote(first, root).bundle
    assert bundle_at(root) == again != first
    assert Engine(again).versions == Engine(bundle).versions


def test_one_at_a_time(bundle: Path, root: Path) -> None:
    with Deployment(root).changing(), pytest.raises(ArtifactError, match="another process is promoting"):
        promote(bundle, root)


# Checks.


def test_a_smoke_set_is_asked(bundle: Path, root: Path, tmp_path: Path) -> None:
    (title, own), *_ = _answered(Engine(bundle), 1)
    good = _csv(tmp_path / "good.csv", ("query", "expected"), [(title, ""), (title, own), ("!!!", "none")])
    assert "3 queries answered as expected" in promote(bundle, root, smoke=good).checks[-1]
    bad = _csv(
        tmp_path / "bad.csv", ("query", "expected"), [(title, "none"), ("!!!", ""), (title, "other"), (title, own)]
    )
    in_use = bundle_at(root)
    with pytest.raises(DataError) as refused:
        promote(bundle, root, smoke=bad)
    assert "bad.csv: 3 of 4 queries fail: row 2" in str(refused.value)
    assert "expected no answer, found" in str(refused.value)
    assert "row 3, query '!!!': expected an answer, found none" in str(refused.value)
    assert "expected 'other' among the first 20" in str(refused.value)
    assert bundle_at(root) == in_use


def test_a_worse_bundle_is_refused(bundle: Path, root: Path, tmp_path: Path) -> None:
    pairs = _answered(Engine(bundle), 6)
    judgments = _csv(tmp_path / "j.csv", ("query", "listing_id", "grade"), [(t, i, 3) for t, i in pairs])
    promote(bundle, root)
    assert "NDCG@10" in promote(bundle, root, judgments=judgments).checks[-1]
    with LiveEngine(bundle, live=tmp_path / "live") as engine:
        engine.delete([listing_id for _, listing_id in pairs[:3]])
        engine.write_snapshot(tmp_path / "worse")
    in_use = bundle_at(root)
    with pytest.raises(DataError, match=r"answers worse than the one in use: NDCG@10 [01]\.\d+ -> 0\.\d+ on 6 judged"):
        promote(tmp_path / "worse", root, judgments=judgments)
    assert bundle_at(root) == in_use
    assert promote(tmp_path / "worse", root, judgments=judgments, tolerance=1.0).bundle != in_use


def test_judgments_without_a_relevant_listing_are_refused(bundle: Path, root: Path, tmp_path: Path) -> None:
    promote(bundle, root)
    for rows, message in (([("a", "b", 0)], "grade above 0"), ([("a", "b", 11)], "a number from 0 to 10")):
        judgments = _csv(tmp_path / "j.csv", ("query", "listing_id", "grade"), rows)
        with pytest.raises(DataError, match=message):
            promote(bundle, root, judgments=judgments)


# Compaction.


def _state(engine: Engine) -> dict[str, Any]:
    """Everything that is known of each listing that has not expired."""
    catalogue = engine.catalogue
    rows = np.flatnonzero(catalogue.online(np.datetime64("now", "ms")))
    listings = catalogue.listings(rows.tolist())
    state = {}
    for row in rows.tolist():
        one = np.array([row])
        columns = [
            catalogue.gather(one, lambda segment, name=name: getattr(segment.columns, name))[0]
            for name in ("category", "price", "latitude", "longitude", "created_at", "expires_at")
        ]
        vectors = catalogue.embeddings(one)[0].tobytes(), catalogue.looks(one)[0].tobytes()
        state[listings[row].listing_id] = (listings[row]._replace(row=0), str(columns), vectors)
    return state


def test_a_snapshot_holds_the_state_it_was_written_of(bundle: Path, tmp_path: Path) -> None:
    with LiveEngine(bundle, live=tmp_path / "live") as engine:
        now = engine.current
        names = list(now.columns.attributes)
        stored = list(now.store.rows(range(20)).values())
        engine.upsert(
            NewListing(
                f"n{n}",
                f"{WORD} {n}",
                price=n,
                locale="xx",
                expires_at="2999-01-01",
                attributes={names[0]: f"v{n % 3}"},
            )
            for n in range(30)
        )
        engine.upsert(
            [NewListing("gone", WORD, expires_at="2000-01-01"), NewListing(stored[0].listing_id, f"{WORD} again")]
        )
        engine.delete(["n3", *(listing.listing_id for listing in stored[1:5])])
        engine.write_snapshot(tmp_path / "next")
        after = Engine(tmp_path / "next")
        assert _state(after) == _state(engine.current)
        assert (np.diff(after.columns.category) >= 0).all()
        assert after.manifest["listings"] == len(after)
        for filters in (relevance.Filters(locale="xx"), relevance.Filters(attributes={names[0]: ["v1", "v2"]})):
            found = {hit.listing_id for hit in engine.lexical_search(WORD, MAX_K, filters)}
            assert {hit.listing_id for hit in after.lexical_search(WORD, MAX_K, filters)} == found
            assert found
        # Over the next snapshot nothing is fresh, and what is written from now on is.
        with LiveEngine(tmp_path / "next", live=tmp_path / "live") as later:
            assert (later.status().fresh, later.status().removed) == (0, 0)
            engine.upsert([NewListing("late", WORD)])
            later.refresh()
            assert later.status().fresh == 1
            assert _state(later.current) == _state(engine.current)
        # Another store's numbers mean nothing here.
        with LiveEngine(tmp_path / "next", live=tmp_path / "fresh store") as elsewhere:
            elsewhere.upsert([NewListing("x", WORD)])
            assert elsewhere.get("x") is not None


def test_a_deployment_is_compacted_in_place(bundle: Path, root: Path, tmp_path: Path) -> None:
    live = tmp_path / "live"
    first = promote(bundle, root).bundle
    with relevance.open(root, live=live) as engine:
        for number in itertools.count():
            engine.upsert([NewListing(f"n{number}", WORD)])
            if number == 2:
                break
        assert index.promote.compact_bundle(root, live, None) == len(_state(engine.current))
        engine.refresh()
        assert (engine.status().fresh, engine.status().removed) == (0, 0)
        assert len(engine.lexical_search(WORD)) == 3
        assert bundle_at(root) != first
        assert Deployment(root).previous is None
    with pytest.raises(DataError, match="leave out --out"):
        index.promote.compact_bundle(root, live, tmp_path / "out")
    with pytest.raises(DataError, match="name the bundle to write by --out"):
        index.promote.compact_bundle(bundle, live, None)
    assert index.promote.compact_bundle(bundle, live, tmp_path / "out") == len(_state(Engine(tmp_path / "out")))


def test_compacting_needs_a_deployment(bundle: Path, tmp_path: Path) -> None:
    with LiveEngine(bundle, live=tmp_path / "live") as engine, pytest.raises(DataError, match="not a folder kept by"):
        engine.compact()


# The command line.


def test_commands(bundle: Path, root: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "index", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    ran = run("promote", bundle, "--at", root, "--live", tmp_path / "live")
    assert (ran.returncode, "in use: " in ran.stdout) == (0, True), ran.stderr
    ran = run("promote", "--at", root, "--rollback")
    assert ran.returncode == 2
    assert "no previous bundle" in ran.stderr
    assert "Traceback" not in ran.stderr
    ran = run("promote", "--at", root)
    assert (ran.returncode, "either the bundle to put in use or --rollback" in ran.stderr) == (2, True)
    ran = run("compact", root, "--live", tmp_path / "live")
    assert ran.stdout.startswith("wrote a snapshot of "), ran.stderr
