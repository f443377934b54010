"""The made-up marketplace's catalogue of kinds: what is sold, under which names, brands, traits and prices."""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Leaf:
    """One leaf of the ontology. sellers, searchers: nouns, the usual ones first; brands: brand -> models; price:
    (lowest, highest), None where nothing is asked; photo: archetype and parameters, read by `photos.photo`."""

    path: tuple[str, ...]
    popularity: int
    sellers: tuple[str, ...]
    searchers: tuple[str, ...]
    brands: dict[str, tuple[str, ...]]
    price: tuple[float, float] | None
    traits: tuple[str, ...]
    photo: str

    @property
    def category_id(self) -> str:
        return "/".join(name.lower().replace(" ", "-") for name in self.path)


def read_leaves() -> list[Leaf]:
    """Reads `data/marketplace.tsv`."""
    with (DATA / "marketplace.tsv").open(encoding="utf-8", newline="") as lines:
        return [_leaf(row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _leaf(row: dict[str, str]) -> Leaf:
    low, _, high = row["price"].partition("-")
    brands = (brand.partition(":") for brand in row["brands"].split(";") if brand)
    return Leaf(
        path=tuple(row["path"].split(" > ")),
        popularity=int(row["popularity"]),
        sellers=tuple(row["sellers"].split("|")),
        searchers=tuple(row["searchers"].split("|")),
        brands={name: tuple(model for model in models.split(",") if model) for name, _, models in brands},
        price=(float(low), float(high or low)) if low else None,
        traits=tuple(row["traits"].split()),
        photo=row["photo"],
    )


@cache
def table(name: str) -> dict[str, Any]:
    """Reads `data/<name>.toml`."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))
