"""A bundle that a test may alter, and a folder to put it in use in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle of this test's own, of hard links: replace a file, never write into it."""
    shutil.copytree(tiny_bundle, tmp_path / "bundle", copy_function=os.link)
    return tmp_path / "bundle"
