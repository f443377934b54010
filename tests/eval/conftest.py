"""A tiny marketplace whose held-out searches can be graded by hand, and an engine that answers from a list."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance.dataset import Dataset
from relevance.events import write_behaviour
from relevance.results import CategoryFilter, CategoryScore, Fallback, Hit, SearchResult

CATEGORIES = {"shoes": "Wear > Shoes", "boots": "Wear > Boots", "lamps": "Home > Lamps"}
LISTINGS = {
    "s-red": ("shoes", "red"),
    "s-blue": ("shoes", "blue"),
    "s-green": ("shoes", "green"),
    "b-red": ("boots", "red"),
    "lamp": ("lamps", "red"),
}
# Text, session, kind, categories, constraints of the held-out searches, in the order of time.
HELD_OUT = (
    ("red shoes", "s1", "plain", ["shoes"], {"colour": ["red"]}),
    ("red shose", "s1", "typo", ["shoes"], {"colour": ["red"]}),
    ("sneekers", "s2", "typo", ["shoes"], {}),
    ("piano", "s3", "absent", [], {}),
    ("violin", "s3", "absent", [], {}),
    ("lamp", "s4", "plain", ["lamps"], {}),
)
# Query -> hits of the lexical engine alone, hits of the whole engine, categories of the filter.
ANSWERS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "red shoes": (["s-red", "b-red"], ["s-red", "s-blue"], ["shoes"]),
    "red shose": ([], ["b-red", "s-red"], ["shoes"]),
    "sneekers": ([], ["lamp"], ["lamps"]),
    "piano": ([], [], []),
    "violin": ([], ["lamp"], []),
    "lamp": (["lamp"], ["b-red"], ["lamps"]),
}

# In depth-first order: Home, Home > Lamps, Wear, Wear > Boots, Wear > Shoes.
HOME, LAMPS, WEAR, BOOTS, SHOES = range(5)
# Query -> conformal set of each level.
SETS: dict[str, list[list[int]]] = {
    "red shoes": [[WEAR], [SHOES]],
    "red shose": [[WEAR], [SHOES, BOOTS]],
    "sneekers": [[HOME, WEAR], [LAMPS]],
    "piano": [[HOME, WEAR], [LAMPS, SHOES, BOOTS]],
    "violin": [[HOME, WEAR], [LAMPS, SHOES, BOOTS]],
    "lamp": [[HOME], [LAMPS]],
}


def hit(listing_id: str) -> Hit:
    return Hit(
        listing_id, 0.9, 0.9, "semantic", "close in meaning", f"a <{listing_id}>", 5.0, "shoes", "Wear > Shoes", None
    )


class ListedEngine:
    """Answers from ANSWERS."""

    def category_sets(self, query: str) -> list[list[int]]:
        return SETS[query]

    def lexical_search(self, query: str, k: int = 20) -> tuple[Hit, ...]:
        return tuple(map(hit, ANSWERS[query][0][:k]))

    def search(self, query: str, k: int = 20) -> SearchResult:
        lexical, found, categories = ANSWERS[query]
        hits = tuple(map(hit, found[:k]))
        scores = tuple(CategoryScore(name, CATEGORIES[name], 0.9) for name in categories)
        shown = CategoryFilter("filter" if scores else "none", scores, 0.95)
        fallback = None if lexical else Fallback("no listing", "corrected", (), hits, not hits)
        return SearchResult(query, hits, shown, fallback, not hits)


@pytest.fixture
def engine() -> ListedEngine:
    return ListedEngine()


@pytest.fixture
def marketplace(tmp_path: Path) -> Dataset:
    """A dataset with truth; its test span holds HELD_OUT, its training span the text `red shoes`."""
    root = tmp_path / "dataset"
    (root / "truth").mkdir(parents=True)
    (root / "categories.csv").write_text(
        "category_id,path\n" + "".join(f"{name},{path}\n" for name, path in CATEGORIES.items())
    )
    (root / "listings.jsonl").write_text(
        "".join(json.dumps({"listing_id": name, "title": f"A {name}"}) + "\n" for name in LISTINGS)
    )
    pq.write_table(
        pa.table(
            {
                "listing_id": list(LISTINGS),
                "category_id": [category for category, _ in LISTINGS.values()],
                "attributes": [json.dumps({"colour": colour}) for _, colour in LISTINGS.values()],
            }
        ),
        root / "truth" / "listings.parquet",
    )
    # 85 % of the log comes before the test span.
    searches = [("Red  SHOES", f"old{i}", "plain", ["shoes"], {}) for i in range(34)] + list(HELD_OUT)
    write_behaviour(root / "events.parquet", [_query(i, *search[:2]) for i, search in enumerate(searches)], [])
    pq.write_table(
        pa.table(
            {
                "query_id": [f"q{i}" for i in range(len(searches))],
                "session_id": [search[1] for search in searches],
                "kind": [search[2] for search in searches],
                "category_ids": pa.array([search[3] for search in searches], pa.list_(pa.string())),
                "constraints": [json.dumps(search[4]) for search in searches],
            }
        ),
        root / "truth" / "intents.parquet",
    )
    return Dataset.open(root)


def _query(i: int, text: str, session: str) -> dict[str, object]:
    return {
        "query_id": f"q{i}",
        "user_query": text,
        "client_id": session,
        "timestamp": 1_700_000_000_000 + i * 60_000,
        "query_response_hit_ids": [],
        "query_attributes": {"session_id": session},
    }
