"""The wheel holds the runtime and nothing else, and runs where nothing else is installed."""

import email
import importlib.util
import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NO_INDEX = ("Connection", "Max retries", "Network is unreachable", "name resolution", "timed out", "ProxyError")
NOT_NEEDED = ("tensorflow", "keras", "pandas", "sklearn", "scipy", "gensim", "pyarrow", "fastapi", "training", "index")

SEARCH = """
import importlib.util, json, sys
from pathlib import Path
import numpy as np
import relevance

engine = relevance.open(sys.argv[1]).current
online = np.flatnonzero(~(engine.columns.expires_at <= np.datetime64("now")))
listing = engine.store.rows([int(online[0])])[int(online[0])]
print(json.dumps({
    "module": relevance.__file__,
    "found": [name for name in sys.argv[2:] if importlib.util.find_spec(name)],
    "asked": listing.listing_id,
    "hits": [hit.listing_id for hit in engine.search(listing.title, k=len(engine)).hits],
}))
"""


def _run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=inherited | environment, capture_output=True, text=True, timeout=600, check=False
    )


def _skip_without_index(ran: subprocess.CompletedProcess[str], what: str) -> None:
    """Skips where the package index cannot be reached; any other failure is one."""
    if ran.returncode and any(sign in ran.stdout + ran.stderr for sign in NO_INDEX):
        pytest.skip(f"{what}: the package index cannot be reached")
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    isolation = [] if importlib.util.find_spec("hatchling") is None else ["--no-isolation"]
    # Not from the checkout: its folder build/ must not be taken for the module `build`.
    ran = _run(sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", str(out), str(CHECKOUT), cwd=out)
    _skip_without_index(ran, "building the wheel")
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel, the extra `cpu` and what these need."""
    root = tmp_path_factory.mktemp("environment")
    venv.create(root, with_pip=True)
    pip = ("-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", f"{wheel}[cpu]")
    _skip_without_index(_run(str(root / "bin" / "python"), *pip, cwd=root), "installing the wheel")
    return root / "bin"


def test_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.split("/")[0] for name in names}
    (info,) = folders - {"relevance"}
    assert info.endswith(".dist-info")
    assert {"relevance/__init__.py", "relevance/py.typed", f"{info}/licenses/LICENSE"} <= set(names)
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "relevance").rglob("*.py")}
    page = {f"relevance/service/static/{name}" for name in ("index.html", "page.css", "page.js", "icon.svg")}
    assert {name for name in names if name.startswith("relevance/")} == modules | page | {"relevance/py.typed"}


def test_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        fields = email.message_from_bytes(archive.read(metadata))
        entry_points = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    assert fields["Name"] == "relevance"
    assert fields["License-Expression"] == "Apache-2.0"
    assert "relevance = relevance.cli:main" in entry_points
    requirements = fields.get_all("Requires-Dist") or []
    assert not [r for r in requirements if r.startswith(NOT_NEEDED) and "extra ==" not in r]
    # faiss-cpu and faiss-gpu share a folder: neither comes unasked, and no extra asks for both.
    faiss = sorted(r.split("extra == ")[1].strip("'\"") for r in requirements if r.startswith("faiss"))
    assert faiss == ["cpu", "gpu"]


@pytest.mark.wheel
def test_runs_alone(installed: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text(SEARCH)
    ran = _run(str(installed / "python"), "search.py", str(tiny_bundle), *NOT_NEEDED, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert Path(answer["module"]).is_relative_to(installed.parent)
    assert answer["found"] == []
    assert answer["asked"] in answer["hits"]


@pytest.mark.wheel
def test_command_runs_alone(installed: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    command = str(installed / "relevance")
    ran = _run(command, "search", "anything", "--json", cwd=tmp_path, RELEVANCE_BUNDLE=str(tiny_bundle))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["query"] == "anything"
    ran = _run(command, "serve", str(tiny_bundle), cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "error: the service needs FastAPI and uvicorn: pip install 'relevance[serve]'\n"
