"""Where trainings write, and what they refuse to write over before they begin."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from pathlib import Path
from typing import Any

import pytest
import typer.main

from relevance.errors import ArtifactError
from training.__main__ import app
from training.outputs import named, refuse_unwritable

GIVEN = {
    "classifier": ["data"],
    "towers": ["data"],
    "groups": ["data", "--level", "1"],
    "attributes": ["data", "--classifier", "classifier", "--attributes", "colour"],
    "export": ["classifier"],
}


@pytest.mark.parametrize("command", GIVEN)
@pytest.mark.parametrize("out", [".", "..", "models/.."])
def test_a_folder_given_by_dots_has_its_name(
    command: str, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "site")
    root: Any = typer.main.get_command(app)
    context = root.commands[command].make_context(command, [*GIVEN[command], "--out", out])
    assert context.params["out"] == (tmp_path if out == ".." else tmp_path / "site")


def test_other_folders_are_called_as_they_were_given() -> None:
    assert named(Path("build/towers")) == Path("build/towers")


@pytest.mark.parametrize("model", ["classifier", "groups", "towers", "attributes"])
def test_a_foreign_folder_is_refused_before_anything_is_read(model: str, tmp_path: Path) -> None:
    from training.attributes import train as attributes
    from training.classifier import train as classifier
    from training.groups import train as groups
    from training.towers import train as towers
    from training.towers.options import Options

    foreign, absent = tmp_path / "foreign", tmp_path / "absent"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("dear")
    photos = classifier.Options("small", None)
    runs = {
        "classifier": lambda: classifier.run(absent, foreign, photos),
        "groups": lambda: groups.run(absent, None, foreign, groups.Split(1), photos),
        "towers": lambda: towers.run(absent, None, foreign, Options()),
        "attributes": lambda: attributes.run(
            absent, absent, foreign, attributes.Options(("colour",), tmp_path / "cache")
        ),
    }
    with pytest.raises(ArtifactError, match="foreign: holds files that this program did not write"):
        runs[model]()


@pytest.mark.parametrize("parent", ["/proc", "file", "file/models"])
def test_towers_that_cannot_be_written_are_refused_before_anything_is_read(parent: str, tmp_path: Path) -> None:
    from training.towers.options import Options
    from training.towers.train import run

    (tmp_path / "file").touch()
    folder = tmp_path / parent.removesuffix("/models")
    with pytest.raises(ArtifactError, match=f"{folder}: cannot be written to .*; choose another --out"):
        run(tmp_path / "absent", None, tmp_path / parent / "towers", Options())


def test_folders_that_are_not_there_yet_can_be_written(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "models" / "today" / "towers")
    assert list(tmp_path.iterdir()) == []
