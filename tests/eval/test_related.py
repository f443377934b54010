"""Related queries on held-out sessions: what counts as the next search, and how many are found."""

import numpy as np
import pytest

from eval.related import Next, evaluate, fasttext, next_searches, report
from relevance.events import Behaviour


def _behaviour(log: list[tuple[str, int, str]]) -> Behaviour:
    """(session, minute, query), in the order of time."""
    start, n = np.datetime64("2026-01-01", "ms"), len(log)
    times = np.array([start + np.timedelta64(minute, "m") for _, minute, _ in log])
    ids, nobody = [f"q{i}" for i in range(n)], np.empty(0, np.int32)
    sessions, texts = [row[0] for row in log], [row[2] for row in log]
    return Behaviour(ids, texts, ids, sessions, times, [[]] * n, [], nobody, [], times[:0], nobody, 0, 0)


def test_the_next_search_of_a_session() -> None:
    before = [("old", i, "red shoes") for i in range(34)]
    tested = [
        ("s", 40, "Red shoes"),
        ("s", 41, "red  SHOES"),  # the same words
        ("s", 42, "sandals"),
        ("t", 43, "shose"),
        ("s", 44, "boots"),
        ("t", 60, "shoes"),  # a quarter of an hour later
    ]
    found = next_searches(_behaviour(before + tested))
    assert found == [Next("s", "red  SHOES", "sandals", True), Next("s", "sandals", "boots", False)]


def test_recall_by_hand() -> None:
    pairs = [
        Next("s", "a", "b", True),
        Next("s", "b", "C!", False),
        Next("t", "a", "c", True),
        Next("u", "a", "z", True),
    ]
    always = {"b, c": lambda query, k: ["b", "c", "d"][:k], "nothing": lambda query, k: []}
    found = evaluate(always, pairs, 2)
    assert found["b, c"]["all"].value == pytest.approx(3 / 4)
    assert found["b, c"]["seen"].value == pytest.approx(2 / 3)
    assert found["b, c"]["unseen"].value == 1
    assert found["nothing"]["all"].value == 0
    assert evaluate(always, pairs, 1)["b, c"]["all"].value == pytest.approx(1 / 4)
    text = report(found, pairs, 3, simulated=True)
    assert "75.0 % [" in text
    assert "seen 3" in text
    assert "Behaviour is simulated." in text


def test_fasttext_puts_what_is_searched_together_near() -> None:
    names = {"shoes": ["sneakers", "trainers"], "sofa": ["couch", "settee"]}
    rng, log = np.random.default_rng(0), []
    for session in range(400):
        words = [*names][session % 2 : session % 2 + 1]
        words += names[words[0]]
        log += [(f"s{session}", session * 20 + i, str(word)) for i, word in enumerate(rng.permutation(words))]
    method = fasttext(_behaviour(log), ["couch", "settee", "sneakers", "sofa", "trainers"], seed=0)
    assert set(method("shoes", 2)) == {"sneakers", "trainers"}
    assert set(method("sofa", 2)) == {"couch", "settee"}
