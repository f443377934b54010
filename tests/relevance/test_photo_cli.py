"""`relevance photos`: files classified on the command line, and a service that says what it lacks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from relevance import cli
from tests.colours import write_photo
from tests.photo_server import write_model


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    write_model(root)
    write_photo(root / "red.jpg", (255, 0, 0))
    write_photo(root / "cold.jpg", (0, 200, 200))
    write_photo(root / "white.jpg", (240, 240, 240))
    (root / "text.jpg").write_text("a photo of a chair")
    return root


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `relevance photos ...`."""
    monkeypatch.setattr(sys, "argv", ["relevance", "photos", *map(str, arguments)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return (int(stopped.value.code or 0), *capsys.readouterr())


def test_a_table_has_a_line_a_photo(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # a table cuts long paths
    photos = ["red.jpg", "text.jpg", "cold.jpg", "white.jpg", "absent.jpg"]
    code, out, _ = run(capsys, monkeypatch, "classify", *photos, "--model", root / "model", "--threshold", "0.9")
    header, *lines = out.splitlines()
    assert header.split() == ["photo", "probability", "category", "attributes"]
    assert [line.split()[0] for line in lines] == photos
    assert "warm > red" in lines[0]
    assert "not used: not an image" in lines[1]
    assert "  cold  " in lines[2]
    assert "paint: " in lines[2]
    assert "undecided" in lines[3]
    assert "not used: missing" in lines[4]
    assert code == 1


def test_json(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [root / "red.jpg"] * 9 + [root / "text.jpg"] + [root / "cold.jpg"] * 9  # more than a batch of the model
    model = ("--model", root / "model", "--json")
    code, out, _ = run(capsys, monkeypatch, "classify", *photos, "-k", 2, "--embedding", *model)
    found = json.loads(out)
    assert [one["photo"] for one in found] == list(map(str, photos))
    assert found[9] == {"photo": str(root / "text.jpg"), "error": "not an image"}
    assert {one["answer"]["category_id"] for one in found[:9]} == {"red"}
    assert {one["answer"]["path"] for one in found[10:]} == {"cold"}
    assert all(len(one["categories"]) == 2 and len(one["embedding"]) == 3 for one in found if "error" not in one)
    assert code == 1
    code, out, _ = run(capsys, monkeypatch, "classify", root / "red.jpg", *model)
    assert "embedding" not in json.loads(out)[0]
    assert code == 0


def test_a_classifier_alone_and_attributes_apart(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = ("classify", root / "cold.jpg", "--model", root / "model" / "classifier", "--json")
    _, out, _ = run(capsys, monkeypatch, *alone)
    assert json.loads(out)[0]["attributes"] == {}
    _, out, _ = run(capsys, monkeypatch, *alone, "--attributes", root / "model" / "attributes-cold")
    assert set(json.loads(out)[0]["attributes"]) == {"tone", "paint"}


@pytest.mark.parametrize("command", ["classify", "serve"])
def test_what_is_no_model_is_named(
    root: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = [root / "red.jpg"] if command == "classify" else []
    for folder, message in ((root / "none", "no such folder"), (root, "has no manifest.json")):
        code, out, errors = run(capsys, monkeypatch, command, *photo, "--model", folder)
        assert (code, out) == (2, "")
        assert errors.startswith(f"error: {folder}: {message}")
        assert len(errors.splitlines()) == 1


def test_the_model_may_be_named_in_the_environment(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEVANCE_PHOTO_MODEL", str(root / "model"))
    code, out, _ = run(capsys, monkeypatch, "classify", root / "red.jpg")
    assert (code, "warm > red" in out) == (0, True)


@pytest.mark.parametrize(
    ("hidden", "arguments", "code", "message"),
    [
        ("fastapi", "serve", 2, "error: the service needs FastAPI and uvicorn: pip install 'relevance[serve]'\n"),
        ("fastapi", "classify", 0, ""),
        ("faiss", "classify", 0, ""),
    ],
)
def test_only_what_is_needed_has_to_be_installed(
    root: Path, hidden: str, arguments: str, code: int, message: str
) -> None:
    photo = [str(root / "red.jpg")] if arguments == "classify" else []
    program = f"import sys; sys.modules['{hidden}'] = None\nfrom relevance.cli import main; main()"
    command = [sys.executable, "-c", program, "photos", arguments, *photo, "--model", str(root / "model")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == code
    assert ran.stderr.endswith(message)


def test_the_service_loads_no_training_library() -> None:
    code = "import sys, relevance.photos.service\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert loaded.isdisjoint(("tensorflow", "keras", "pandas", "pyarrow", "training", "index", "eval"))
