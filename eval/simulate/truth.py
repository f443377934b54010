"""What the simulated people really wanted and what the listings really are: read by evaluation, never by training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_listings_truth(
    folder: Path, ids: Sequence[str], categories: Sequence[str | None], attributes: Sequence[Mapping[str, Any]]
) -> None:
    """Writes `truth/listings.parquet`: each listing's true category and attributes (JSON)."""
    (folder / "truth").mkdir(exist_ok=True)
    texts = [json.dumps(values, ensure_ascii=False) for values in attributes]
    table = pa.table({"listing_id": list(ids), "category_id": pa.array(categories, pa.string()), "attributes": texts})
    pq.write_table(table, folder / "truth" / "listings.parquet")


def write_intents(folder: Path, intents: Sequence[dict[str, Any]]) -> None:
    """Writes `truth/intents.parquet`: what each query was after; no categories where the catalogue has it not."""
    (folder / "truth").mkdir(exist_ok=True)
    schema = pa.schema(
        {
            "query_id": pa.string(),
            "session_id": pa.string(),
            "kind": pa.string(),
            "category_ids": pa.list_(pa.string()),
            "constraints": pa.string(),
        }
    )
    rows = [{**intent, "constraints": json.dumps(intent["constraints"], ensure_ascii=False)} for intent in intents]
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "truth" / "intents.parquet")
