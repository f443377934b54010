"""From a dataset and its listing indexes to the figures, and these as text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import CONFIDENCE, RESAMPLES
from eval.grades import Grader
from eval.inputs import positions, read_truth, title_clusters
from eval.metrics import CUTOFF
from eval.similar.evaluate import DIFFERENCE, OTHER, POPULAR, THIS, Catalogue, grade_figures, recall_figures
from eval.similar.held_out import asked, read_choices
from eval.similar.measure import RECALL_AT
from eval.textable import text_table
from eval.zero_results import SIMULATED
from relevance.dataset import Dataset, Listings
from relevance.events import read_behaviour
from relevance.listing_index import PREDICTIONS, ListingIndex
from relevance.ontology import Ontology
from relevance.parquet import import_pyarrow


def run(dataset: Path, index: Path, other: Path | None, sample: int, seed: int, threads: int) -> dict[str, Any]:
    """Returns the figures, ready for JSON but for the estimates. Raises DataError where the dataset has no events, or
    too few to have a held-out co-click, and ArtifactError for an index of another dataset."""
    source = Dataset.open(dataset)
    behaviour = read_behaviour(source.root)
    ontology = source.read_ontology()
    listings = source.read_listings(ontology)
    paths = {THIS: index} | ({OTHER: other} if other else {})
    embeddings = {name: ListingIndex.read(path, ontology, listings).embeddings for name, path in paths.items()}
    usable = np.all([own.any(axis=1) for own in embeddings.values()], axis=0)
    grader, grades_from = _grader(source, ontology, listings)
    catalogue = Catalogue(
        {name: np.where(usable[:, None], own, 0) for name, own in embeddings.items()},
        np.all([_tested(path) for path in paths.values()], axis=0),
        title_clusters(listings),
        grader,
    )
    rows = {listing: row for row, listing in enumerate(listings.ids) if usable[row]}
    choices, before, early = read_choices(behaviour, rows)
    every = asked(choices, seed=seed)
    known = set(listings.ids)
    return {
        "kind": "similar",
        "dataset": str(dataset),
        "indexes": {name: str(path) for name, path in paths.items()},
        "simulated": SIMULATED if (source.truth_dir / "intents.parquet").is_file() else None,
        "seed": seed,
        "listings": int(usable.sum()),
        "queries": len(set(every.query)),
        "pairs": int(sum(map(len, every.others))),
        "events_on_unknown_listings": sum(name not in known for name in behaviour.event_listing),
        "grades": grades_from,
        "co_clicks": recall_figures(catalogue, choices, before, early, seed, threads),
        "graded": grade_figures(catalogue, sample, seed, threads),
    }


def _grader(source: Dataset, ontology: Ontology, listings: Listings) -> tuple[Grader, str]:
    """By the truth where the dataset has it, else by what sellers gave."""
    if (source.truth_dir / "listings.parquet").is_file():
        return read_truth(source, ontology, listings), "truth"
    return Grader(ontology, positions(ontology, listings.category_ids), listings.attributes), "given"


def _tested(index: Path) -> NDArray[np.bool_]:
    """Which listings the classifier under a listing index was not trained on."""
    table = import_pyarrow().parquet.read_table(index / PREDICTIONS, columns=["test"])
    return np.array(table["test"].to_pylist(), np.bool_)


def note(result: Mapping[str, Any]) -> str | None:
    """Returns what is to be said of events that could not be used."""
    unknown = result["events_on_unknown_listings"]
    return f"note: {unknown:,} events are on listings that the dataset does not have" if unknown else None


def report(result: Mapping[str, Any]) -> str:
    """Returns the figures as two tables."""
    recall, ndcg = [f"recall@{k}" for k in RECALL_AT], [f"ndcg@{CUTOFF}"]
    lines = [
        f"{result['listings']:,} listings with a usable photo; {result['pairs']:,} held-out co-clicks of "
        f"{result['queries']:,} queries",
        _table("co-clicked listings found", result["co_clicks"], recall),
        "",
        _table(f"neighbours graded by category and attributes ({result['grades']})", result["graded"], ndcg),
        f"in brackets: {CONFIDENCE:.0%} bootstrap intervals over queries, below over titles ({RESAMPLES} resamples)",
    ]
    return "\n".join(lines + ([result["simulated"]] if result["simulated"] else []))


def _table(title: str, figures: Mapping[str, Any], metrics: list[str]) -> str:
    rows = [
        [f"{part}: {system}", f"{own[metrics[0]].n:,}", *(own[name].text() for name in metrics)]
        for part, systems in figures.items()
        for system, own in ((name, systems[name]) for name in (THIS, OTHER, DIFFERENCE, POPULAR) if name in systems)
    ]
    return text_table([title, "asked", *metrics], rows)
