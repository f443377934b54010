"""Fixtures: a small bundle, built once a test session by the real chain over a generated marketplace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

CHECKOUT = Path(__file__).resolve().parents[1]
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "wheel: installs the built wheel in an empty environment; needs a package index")


@pytest.fixture(scope="session")
def tiny_chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the artifacts dataset, classifier, listings, towers and bundle of 300 listings."""
    base = tmp_path_factory.getbasetemp()
    # Processes that share the tests have one such folder between them.
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny"
    with FileLock(f"{root}.lock"):
        if not (root / "bundle").is_dir():
            _build(root)
    return root


def _build(root: Path) -> None:
    dataset, classifier, listings, towers = (str(root / n) for n in ("dataset", "classifier", "listings", "towers"))
    _run("eval", "simulate", "--out", dataset, "--listings", "300", "--sessions", "1500", "--seed", "1")
    _run("training", "classifier", dataset, "--out", classifier, "--epochs", "1", "--min-photos", "2")
    _run("index", "listings", dataset, "--classifier", classifier, "--out", listings)
    quick = ("--epochs", "2", "--without", "hard-negatives")
    _run("training", "towers", dataset, "--listings", listings, "--out", towers, *quick)
    _run("index", "build", dataset, "--listings", listings, "--towers", towers, "--out", str(root / "bundle"))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_chain: Path) -> Path:
    """The bundle of `tiny_chain`. Shared by all tests: whoever alters it alters a copy."""
    return tiny_chain / "bundle"


def _run(package: str, *arguments: str) -> None:
    command = [sys.executable, "-m", package, *arguments]
    ran = subprocess.run(command, cwd=CHECKOUT, env=os.environ | _QUIET, capture_output=True, text=True, timeout=300)
    if ran.returncode:
        pytest.fail(f"{' '.join(command[1:])} exited with {ran.returncode}:\n{ran.stderr[-3000:]}", pytrace=False)
