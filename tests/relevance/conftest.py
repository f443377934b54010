"""Set-up for the runtime's tests."""

from pathlib import Path

import pytest
from hypothesis import settings

from relevance.dataset import Dataset, Listings
from relevance.engine import Engine

# No deadline: a shared machine makes single examples slow, and a slow example is no failure.
settings.register_profile("relevance", deadline=None)
settings.load_profile("relevance")


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Engine:
    """The small bundle, opened. Whoever alters it opens one of their own."""
    return Engine(tiny_bundle)


@pytest.fixture(scope="module")
def listings(tiny_chain: Path) -> Listings:
    """The listings that the small bundle was made of."""
    return Dataset.open(tiny_chain / "dataset").read_listings()
