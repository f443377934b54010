"""What the tests of all four packages share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.bundles"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: `shared/data` beside the checkout, or $RELEVANCE_SHARED_DATA."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RELEVANCE_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set RELEVANCE_SHARED_DATA")
    return folder
