"""A dataset's folder: which files it has, and what it lacks is named."""

from pathlib import Path

import pytest

from relevance.dataset import Dataset
from relevance.errors import DataError
from tests.relevance.listings_files import TREE, file


def test_dataset_knows_and_checks_its_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a dataset folder"):
        Dataset.open(tmp_path / "none")
    with pytest.raises(DataError, match=r"a dataset needs categories\.csv"):
        Dataset.open(tmp_path)
    TREE.write(tmp_path / "categories.csv")
    with pytest.raises(
        DataError, match=r"expected one of listings\.parquet, listings\.csv, listings\.jsonl, found none"
    ):
        Dataset.open(tmp_path)
    file(tmp_path, "listings.csv", "listing_id,title,category_id\n1,A,boats\n")
    dataset = Dataset.open(tmp_path)
    assert (dataset.listings_path, dataset.events_path) == (tmp_path / "listings.csv", tmp_path / "events.parquet")
    assert (dataset.images_dir, dataset.truth_dir) == (tmp_path / "images", tmp_path / "truth")
    assert dataset.read_ontology().ids == TREE.ids
    with pytest.raises(DataError, match="column category_id"):
        dataset.read_listings()
    file(tmp_path, "events.jsonl", "")
    assert dataset.events_path == tmp_path / "events.jsonl"
    file(tmp_path, "listings.jsonl", "")
    with pytest.raises(DataError, match=r"found listings\.csv and listings\.jsonl"):
        Dataset.open(tmp_path)
