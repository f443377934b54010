"""Made typing errors."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein

from relevance.mistyping import mistype


@given(st.text(alphabet="abcdefghijklmnop ", max_size=40), st.integers(0, 2**32 - 1))
def test_mistype_stays_near(query: str, seed: int) -> None:
    wrong = mistype(query, Random(seed))
    # Two errors at most, of which one written by ear may add or change up to four letters.
    assert DamerauLevenshtein.distance(query, wrong) <= 8
    assert wrong == mistype(query, Random(seed))


def test_mistype_makes_errors() -> None:
    dice = Random(0)
    changed = sum(mistype("gaming keyboard", dice) != "gaming keyboard" for _ in range(200))
    assert changed > 190
