"""Messages stay short, however long what they tell of is."""

import json
from pathlib import Path
from typing import Any

import pytest

from relevance.dataset import Dataset
from relevance.errors import DataError, listed, quoted, shortened
from relevance.filters import Filters
from relevance.tables import read_table

LONG = "colour" * 10_000


def test_what_is_short_is_shown_whole() -> None:
    assert shortened("x" * 120) == "x" * 120
    assert quoted("a 'b'\n") == repr("a 'b'\n")
    assert quoted((None, 5.0)) == "(None, 5.0)"
    assert listed(["a", "b"]) == "a, b"


def test_what_is_long_is_cut() -> None:
    assert shortened("x" * 121) == "x" * 117 + "..."
    assert quoted(LONG) == repr(LONG)[:117] + "..."
    assert quoted([1] * 1000) == repr([1] * 1000)[:117] + "..."
    assert listed([LONG, *map(str, range(24))]) == f"{LONG[:117]}..., " + ", ".join(map(str, range(19))) + " and 5 more"


def _message(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content)
    with pytest.raises(DataError) as refused:
        read_table(folder / name, ["id"])
    return str(refused.value).removeprefix(str(folder))


def test_long_column_names_and_values_leave_a_short_message(tmp_path: Path) -> None:
    assert len(_message(tmp_path, "none.csv", f"{LONG},b\n1,2\n")) < 300
    assert len(_message(tmp_path, "text.jsonl", json.dumps(LONG) + "\n")) < 300
    (tmp_path / "categories.csv").write_text(f"category_id,{LONG}\n1,2\n")
    with pytest.raises(DataError) as refused:
        Dataset.open(tmp_path).read_ontology()
    assert len(str(refused.value).removeprefix(str(tmp_path))) < 300
    price: Any = (LONG, 1)
    with pytest.raises(DataError) as refused:
        Filters(price=price)
    assert len(str(refused.value)) < 300
