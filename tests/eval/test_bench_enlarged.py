"""A bundle of made-up listings is one that the runtime opens, with more of everything."""

from collections import Counter
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from eval.__main__ import app
from relevance.engine import Engine
from relevance.text import tokens


def test_an_enlarged_bundle_answers(tiny_bundle: Path, tmp_path: Path) -> None:
    arguments = ["bench", "enlarge", "--bundle", str(tiny_bundle), "--listings", "1000", "--out", str(tmp_path / "big")]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    own, big = Engine(tiny_bundle), Engine(tmp_path / "big")
    assert (len(big), len(big.vectors), len(big.visual)) == (1000, 1000, 1000)
    np.testing.assert_allclose(np.linalg.norm(big.vectors.embeddings, axis=1), 1, atol=1e-5)
    assert np.all(np.diff(big.columns.category) >= 0)
    assert set(big.columns.category) == set(own.columns.category)
    ids = big.store.ids()
    assert len(set(ids)) == 1000
    # Every listing of its own is there as it was; the others are told in words of their category.
    titles = {listing.title for listing in own.store.rows(range(len(own))).values()}
    made = big.store.rows(range(len(big)))
    assert titles <= {listing.title for listing in made.values()}
    said: dict[int, set[str]] = {}
    for row, listing in own.store.rows(range(len(own))).items():
        said.setdefault(int(own.columns.category[row]), set()).update(listing.title.split())
    for row, listing in made.items():
        assert set(listing.title.split()) <= said[int(big.columns.category[row])]
    # A word is in as many more listings as there are more of them.
    common = Counter(word for title in titles for word in tokens(title)).most_common(1)[0][0]
    assert big.catalogue.count(common) > 2 * own.catalogue.count(common)
    found = big.search(made[500].title)
    assert found.hits
    assert found.hits[0].listing_id in ids
