"""Artifact folders: whole or not at all, and refused when they are not what the manifest says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relevance.artifacts import (
    MARKER,
    file_sha256,
    link_or_copy,
    read_manifest,
    refuse_foreign,
    write_manifest,
    write_text_atomic,
    writing,
)
from relevance.errors import ArtifactError


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file() and p.name != MARKER
    }


def write(path: Path, **files: str) -> None:
    with writing(path, "towers") as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def test_writing_creates_parents_and_leaves_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", x="1")
    assert contents(tmp_path) == {"a/b/x": "1"}
    assert os.listdir(tmp_path / "a") == ["b"]


def test_writing_replaces_the_whole_folder(tmp_path: Path) -> None:
    write(tmp_path / "out", x="1", y="2")
    write(tmp_path / "out", x="3")
    assert contents(tmp_path / "out") == {"x": "3"}
    assert os.listdir(tmp_path) == ["out"]


def test_writing_replaces_where_the_system_cannot_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relevance.artifacts._exchange", lambda a, b: False)
    write(tmp_path / "out", x="1")
    write(tmp_path / "out", x="2")
    assert contents(tmp_path) == {"out/x": "2"}
    assert os.listdir(tmp_path) == ["out"]


def test_an_error_leaves_the_old_folder_and_no_temporary_one(tmp_path: Path) -> None:
    write(tmp_path / "out", x="1")

    def interrupted() -> None:
        with writing(tmp_path / "out", "towers") as folder:
            (folder / "x").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert contents(tmp_path) == {"out/x": "1"}
    assert os.listdir(tmp_path) == ["out"]


def test_the_old_folder_is_whole_while_the_new_one_is_written(tmp_path: Path) -> None:
    write(tmp_path / "out", x="1")
    with writing(tmp_path / "out", "towers") as folder:
        (folder / "x").write_text("2")
        assert contents(tmp_path / "out") == {"x": "1"}


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("mine")
    with pytest.raises(ArtifactError, match="photos: holds files that this program did not write"):
        write(tmp_path / "photos", x="1")
    assert contents(tmp_path) == {"photos/1.jpg": "mine"}


def test_an_artifact_of_another_kind_is_not_replaced(tmp_path: Path) -> None:
    write(tmp_path / "out", x="1")
    with pytest.raises(ArtifactError, match=r"expected an artifact of kind 'bundle' to replace, .* found 'towers'"):
        refuse_foreign(tmp_path / "out", "bundle")
    with pytest.raises(ArtifactError, match="kind 'bundle'"), writing(tmp_path / "out", "bundle"):
        pytest.fail("refused before any work")
    assert contents(tmp_path) == {"out/x": "1"}


def test_what_somebody_put_into_an_artifact_is_not_deleted(tmp_path: Path) -> None:
    write(tmp_path / "out", x="1")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"holds notes\.txt, which this command did not write"):
        write(tmp_path / "out", x="2")
    refuse_foreign(tmp_path / "out", "towers", own={"x", "notes.txt"})
    with pytest.raises(ArtifactError, match="holds x, which"):
        refuse_foreign(tmp_path / "out", "towers", own={"notes.txt"})
    (tmp_path / "out" / "notes.txt").unlink()
    write(tmp_path / "out", y="2")
    assert contents(tmp_path) == {"out/y": "2"}


def test_the_folders_of_earlier_releases_are_replaced_by_their_own_kind(tmp_path: Path, towers: Path) -> None:
    (towers / MARKER).write_text("")
    with pytest.raises(ArtifactError, match="found 'towers'"):
        refuse_foreign(towers, "bundle")
    (towers / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"holds notes\.txt"):
        refuse_foreign(towers, "towers")
    (towers / "notes.txt").unlink()
    write(towers, x="1")
    report, dataset = tmp_path / "report", tmp_path / "dataset"
    for folder, name in ((report, "index.html"), (dataset, "categories.csv")):
        folder.mkdir()
        (folder / MARKER).touch()
        (folder / name).touch()
    refuse_foreign(report, "report")
    with pytest.raises(ArtifactError, match="found 'dataset'"):
        refuse_foreign(dataset, "report")
    refuse_foreign(dataset, "dataset", own={"categories.csv"})


def test_a_folder_made_of_links_does_not_change_what_they_lead_to(tmp_path: Path) -> None:
    write(tmp_path / "first", x="1", y="2")
    before = (tmp_path / "first" / MARKER).read_text()
    with writing(tmp_path / "second", "towers") as folder:
        for name in (MARKER, "x"):
            link_or_copy(tmp_path / "first" / name, folder / name)
    assert (tmp_path / "first" / MARKER).read_text() == before


def test_an_empty_folder_is_taken_and_a_file_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", x="1")
    assert contents(tmp_path) == {"empty/x": "1"}
    with pytest.raises(ArtifactError, match="found a file"):
        write(tmp_path / "empty" / "x", y="1")


def test_write_text_atomic_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_text_atomic(tmp_path / "a.txt", "old")
    write_text_atomic(tmp_path / "a.txt", "né")
    assert (tmp_path / "a.txt").read_bytes() == b"n\xc3\xa9"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_stays_one_and_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for text in ("one", "two"):
        write_text_atomic(tmp_path / "link", text)
        assert (tmp_path / "file").read_text() == text
    assert (tmp_path / "link").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    for name, found in (("pipe", "none"), (".", "a folder")):
        with pytest.raises(ArtifactError, match=f"expected a file to write, found {found}"):
            write_text_atomic(tmp_path / name, "text")
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "pipe"]


def test_manifest_describes_every_file(tmp_path: Path) -> None:
    with writing(tmp_path / "out", "towers") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x").write_bytes(b"abc")
        write_manifest(folder, "towers", 1, dim=64)
    manifest = read_manifest(tmp_path / "out", "towers", 1)
    # The digest of "abc" is the first example of FIPS 180-2.
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert manifest["files"] == {"sub/x": digest}
    assert file_sha256(tmp_path / "out" / "sub" / "x") == digest
    assert (manifest["kind"], manifest["version"], manifest["dim"]) == ("towers", 1, 64)
    assert manifest["created_at"].endswith("+00:00")


@pytest.fixture
def towers(tmp_path: Path) -> Path:
    with writing(tmp_path / "towers", "towers") as folder:
        (folder / "query.tflite").write_text("weights")
        write_manifest(folder, "towers", 1)
    return tmp_path / "towers"


def test_an_altered_or_missing_file_is_named(towers: Path) -> None:
    (towers / "query.tflite").write_text("weightz")
    with pytest.raises(ArtifactError, match=r"towers: query\.tflite was altered"):
        read_manifest(towers, "towers", 1)
    read_manifest(towers, "towers", 1, verify=False)
    (towers / "query.tflite").unlink()
    with pytest.raises(ArtifactError, match=r"query\.tflite is missing"):
        read_manifest(towers, "towers", 1)


@pytest.mark.parametrize("name", ["x" * 300, "nul\0", "."])
def test_a_manifest_that_lists_what_is_no_file_is_refused(towers: Path, name: str) -> None:
    manifest = json.loads((towers / "manifest.json").read_text())
    manifest["files"] = {name: "0" * 64}
    (towers / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"not readable .*; the manifest lists it"):
        read_manifest(towers, "towers", 1)


def test_another_kind_or_version_is_refused_with_both_values(towers: Path) -> None:
    with pytest.raises(ArtifactError, match="expected an artifact of kind 'bundle', found 'towers'"):
        read_manifest(towers, "bundle", 1)
    with pytest.raises(ArtifactError, match="expected towers format version 2, found 1"):
        read_manifest(towers, "towers", 2)


def test_what_is_no_artifact_is_refused(tmp_path: Path, towers: Path) -> None:
    with pytest.raises(ArtifactError, match="no such folder"):
        read_manifest(tmp_path / "none", "towers", 1)
    with pytest.raises(ArtifactError, match=r"has no manifest\.json"):
        read_manifest(tmp_path, "towers", 1)
    (towers / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"manifest\.json: not valid JSON"):
        read_manifest(towers, "towers", 1)
    (towers / "manifest.json").write_text(json.dumps(["towers"]))
    with pytest.raises(ArtifactError, match="expected a JSON object"):
        read_manifest(towers, "towers", 1)


def test_fields_the_manifest_sets_itself_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="files"):
        write_manifest(tmp_path, "towers", 1, files={})


def test_a_terminated_command_leaves_nothing_behind(tmp_path: Path) -> None:
    """As containers are stopped: what was begun is taken away, and the exit code says why."""
    code = (
        "import sys, time, typer\nfrom pathlib import Path\nfrom relevance.artifacts import writing\n"
        "from relevance.entry import run\napp = typer.Typer()\n"
        "@app.command()\ndef main(out: Path) -> None:\n"
        "    with writing(out, 'x') as folder:\n        (folder / 'half').touch()\n"
        "        print('begun', flush=True)\n        time.sleep(60)\n"
        "run(app, 'x')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        run.terminate()
        assert run.wait(30) == 143
    assert list(tmp_path.iterdir()) == []
