"""Queries seen often: their choices, beside the prediction."""

from pathlib import Path

import numpy as np
import pytest

from relevance.ontology import Ontology
from relevance.seen import SeenQueries, query_key, write_seen

ONTOLOGY = Ontology.from_paths(["cars", "bikes"], [("Cars",), ("Bikes",)])


def test_evidence_grows_into_the_answer() -> None:
    predicted = np.array([0.5, 0.5], np.float32)
    bikes = ONTOLOGY.position("bikes")
    seen = SeenQueries(ONTOLOGY, {"fast": {"bikes": 3.0}, "faster": {"bikes": 300.0, "gone": 5.0}}, prior=2.0)
    assert seen.blend(["slow"], predicted) is predicted
    # (2 x 0.5 + 3) / (2 + 3)
    assert seen.blend(["fast"], predicted)[bikes] == pytest.approx(0.8)
    assert seen.blend(["faster"], predicted)[bikes] == pytest.approx(301 / 302)
    assert predicted.tolist() == [0.5, 0.5]


def test_what_nobody_can_choose_any_more_counts_for_nothing() -> None:
    cars, bikes = ONTOLOGY.position("cars"), ONTOLOGY.position("bikes")
    predicted = np.zeros(2, np.float32)
    predicted[cars] = 1.0
    empty = np.arange(2) == bikes
    seen = SeenQueries(ONTOLOGY, {"fast": {"bikes": 30.0}, "slow": {"bikes": 30.0, "cars": 2.0}}, prior=2.0)
    assert seen.blend(["fast"], predicted, empty) is predicted
    assert seen.blend(["slow"], predicted, empty).tolist() == predicted.tolist()
    assert seen.blend(["slow"], predicted, empty) is not predicted  # it is known by the cars


def test_written_and_read(tmp_path: Path) -> None:
    write_seen(tmp_path / "seen.json", {query_key("Fast, BIKE"): {"bikes": 3.0}}, 1.0)
    seen = SeenQueries.read(tmp_path / "seen.json", ONTOLOGY)
    assert seen.prior == 1.0
    # (1 x 0.5 + 3) / (1 + 3)
    assert seen.blend(["fast", "bike"], np.array([0.5, 0.5], np.float32))[ONTOLOGY.position("bikes")] == 0.875


def test_words_of_remembered_queries_are_known() -> None:
    seen = SeenQueries(ONTOLOGY, {"bolso mujer": {"cars": 3.0}}, 1.0)
    assert seen.knows("mujer")
    assert not seen.knows("bolso mujer")
