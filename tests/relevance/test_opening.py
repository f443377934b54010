"""Opening a bundle: whatever is missing, altered or made by another version is refused by name."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import relevance
from relevance.artifacts import file_sha256
from relevance.engine import Engine
from relevance.errors import BundleError


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle to spoil. Its files are links: replace a file, never write into it."""
    shutil.copytree(tiny_bundle, tmp_path / "bundle", copy_function=os.link)
    return tmp_path / "bundle"


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def _edit_manifest(bundle: Path, **changes: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    _replace(bundle / "manifest.json", json.dumps(manifest | changes).encode())


def test_opens_by_path_and_by_text(tiny_bundle: Path, engine: Engine) -> None:
    assert len(relevance.open(str(tiny_bundle))) == len(engine) == engine.manifest["listings"]


def test_every_missing_or_altered_file_is_named(copy: Path) -> None:
    names = list(json.loads((copy / "manifest.json").read_text())["files"])
    assert len(names) > 10
    for name in names:
        content = (copy / name).read_bytes()
        altered = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
        _replace(copy / name, altered)
        with pytest.raises(BundleError, match=rf"{name} was altered"):
            relevance.open(copy)
        (copy / name).unlink()
        with pytest.raises(BundleError, match=rf"{name} is missing"):
            relevance.open(copy)
        (copy / name).write_bytes(content)
    assert len(relevance.open(copy)) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "version 6, found 99"),
        ({"kind": "towers"}, "kind 'bundle', found 'towers'"),
        ({"files": None}, "manifest.json"),
    ],
)
def test_another_format_is_refused(copy: Path, changes: dict[str, object], message: str) -> None:
    _edit_manifest(copy, **changes)
    with pytest.raises(BundleError, match=message):
        relevance.open(copy)


def test_towers_of_another_build_are_refused(copy: Path) -> None:
    """All files are as their manifest says, but the vectors were made by towers with other category embeddings."""
    embeddings = np.load(copy / "category_embeddings.npy")
    (copy / "category_embeddings.npy").unlink()
    np.save(copy / "category_embeddings.npy", embeddings[:, ::-1].copy())
    files = json.loads((copy / "manifest.json").read_text())["files"]
    _edit_manifest(copy, files=files | {"category_embeddings.npy": file_sha256(copy / "category_embeddings.npy")})
    with pytest.raises(BundleError, match="built by towers with fingerprint"):
        relevance.open(copy)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        relevance.open(tmp_path / "none")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        relevance.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BundleError, match=r"manifest\.json: not valid JSON"):
        relevance.open(tmp_path)


def test_search_by_environment(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.delenv("RELEVANCE_BUNDLE", raising=False)
    with pytest.raises(BundleError, match="RELEVANCE_BUNDLE"):
        relevance.search("x")
    monkeypatch.setenv("RELEVANCE_BUNDLE", str(tiny_bundle))
    title = engine.store.rows([0])[0].title
    assert relevance.search(title, 5).hits == engine.search(title, 5).hits
