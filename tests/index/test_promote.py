"""Putting a bundle in use: swapped under those who answer, taken back, and refused where it cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import relevance
from index.promote import promote, roll_back
from relevance import LiveEngine, NewListing
from relevance.artifacts import write_manifest
from relevance.deployment import Deployment, bundle_at
from relevance.engine import Engine
from relevance.errors import ArtifactError, BundleError, DataError
from tests.index.answers import answered
from tests.live_engines import WORD


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
        assert held.search(answered(held, 1)[0][0]).hits
        assert roll_back(root) == first
        engine.refresh()
        assert engine.versions["fingerprint"] == before
        assert roll_back(root) == second


def test_a_swap_mixes_and_drops_nothing(bundle: Path, other: Path, root: Path) -> None:
    """Threads ask all the while; each answer is that of the bundle it names."""
    promote(bundle, root)
    title, _ = answered(Engine(bundle), 1)[0]
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


def test_bundles_of_others_are_not_removed(bundle: Path, other: Path, tmp_path: Path) -> None:
    own = tmp_path / "builds"
    shutil.copytree(bundle, own / "bundles" / "v1", copy_function=os.link)
    before = _files(own / "bundles")
    for new in (other, own / "bundles" / "v1"):
        with pytest.raises(DataError, match="holds v1, none in use; choose another folder"):
            promote(new, own)
    assert _files(own / "bundles") == before


def test_what_somebody_put_among_the_bundles_stays(bundle: Path, other: Path, root: Path) -> None:
    promote(bundle, root)
    bundles = root / "bundles"
    (bundles / "notes").mkdir()
    (bundles / "notes" / "n.txt").write_text("mine")
    promote(other, root)
    promote(bundle, root)
    promote(other, root)
    assert (bundles / "notes" / "n.txt").read_text() == "mine"
    assert len(list(bundles.iterdir())) == 1 + 2
    shutil.copytree(bundle, bundles / "mine", copy_function=os.link)
    with pytest.raises(DataError, match=r"lies in .*, where promote removes what is not in use; move it elsewhere"):
        promote(bundles / "mine", root)
    assert (bundles / "mine").is_dir()


def test_a_file_is_no_deployment(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArtifactError, match="expected a folder for bundles, or one to make"):
        promote(bundle, tmp_path / "file")
    with pytest.raises(BundleError, match="no previous bundle"):
        roll_back(tmp_path / "file")
    with pytest.raises(BundleError, match="no previous bundle"):
        roll_back(tmp_path / "typo" / "here")
    assert not (tmp_path / "typo").exists()


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
