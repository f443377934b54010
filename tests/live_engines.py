"""What the tests of live listings write and ask."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import relevance
from relevance import LiveEngine

WORD = "flibberwock"
"""A word that no generated listing has."""


def a_leaf(engine: LiveEngine) -> str:
    ontology = engine.current.ontology
    return ontology.ids[int(np.flatnonzero(ontology.is_leaf)[3])]


def ids_of(hits: tuple[relevance.Hit, ...]) -> list[str]:
    return [hit.listing_id for hit in hits]


def eventually(told: Callable[[], bool], seconds: float = 5.0) -> float:
    """How long it took until `told` said so."""
    start = time.perf_counter()
    while not told():
        assert time.perf_counter() - start < seconds
        time.sleep(0.005)
    return time.perf_counter() - start
