"""An engine that listings can be written to, and what the tests write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import relevance
from relevance import LiveEngine
from relevance.dataset import Listings
from relevance.engine import Engine


@pytest.fixture
def engine(tiny_bundle: Path, tmp_path: Path) -> Iterator[LiveEngine]:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as opened:
        yield opened


@pytest.fixture
def photo(tiny_chain: Path, listings: Listings) -> bytes:
    """The bytes of a usable photo."""
    bundle = Engine(tiny_chain / "bundle")
    row = int(np.flatnonzero(bundle.visual.embeddings.any(axis=1))[0])
    return (tiny_chain / "dataset" / str(bundle.store.rows([row])[row].image)).read_bytes()
