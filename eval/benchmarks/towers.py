"""`python -m eval bench towers`: how soon the towers are as good as the two-tower model of TensorFlow Recommenders'
tutorial, on the same behaviour.

Both learn from what was chosen in the first 70 % of the time, and are asked for what was chosen in the last 15 %, every
choice counting as it came; all listings of the catalogue are candidates. What both have to do, reading the dataset, is
not counted, nor is evaluation; what only the towers do before their first step (features, starting vectors) is.
Processor time is to be trusted more than the clock where the machine does other work too.

The tutorial's model is timed twice: as published, for 3 epochs, where most of the time goes into the recall that it
computes over all listings at every step; and without that, until its recall rises no more, by the very choices held
out. It learns from the choices as they came: from distinct pairs, those borrowed from rewrites among them, it got no
better (over every eighth line of fashion 0.914, 0.915 as they came).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm

from eval.figures_file import FiguresFile
from eval.stages import run_stage
from eval.textable import text_table
from relevance.artifacts import read_manifest, write_text_atomic
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.events import Behaviour, read_behaviour
from relevance.interactions import WEIGHTS
from relevance.listing_index import ListingIndex
from relevance.splits import TEST, TRAIN, time_split
from relevance.timing import Seconds
from relevance.towers import KIND, VERSION, Towers, listing_arrays

K = 100
MARK = 0.1
"""The towers should be as good in so much of the tutorial's time."""

PATIENCE = 5
"""Epochs without a better recall after which the tutorial's model is taken to have got as good as it gets."""

SNAPSHOTS = (0, 5, 10, 20, 40, 80, 160, 320)
"""Steps of the towers' training after which they are measured, and at its end."""


@dataclass(frozen=True)
class Choices:
    """What was chosen, as it came: query texts and listing rows int32, both `[n]`."""

    queries: list[str]
    listings: NDArray[np.int32]


@dataclass(frozen=True)
class Point:
    """What a model finds of the held-out choices: recall@100 of all, and of those whose query text training has seen
    and has not seen; seconds of training, None where there is none."""

    name: str
    recall: float
    seen: float
    unseen: float
    seconds: Seconds | None = None


def choices(behaviour: Behaviour, selected: NDArray[np.bool_], rows: dict[str, int]) -> Choices:
    """Returns the choices that followed the queries marked in `selected`: a listing counts once a query."""
    events = zip(behaviour.actions, behaviour.event_query.tolist(), behaviour.event_listing, strict=True)
    found = dict.fromkeys((q, rows[id_]) for action, q, id_ in events if action in WEIGHTS and q >= 0 and selected[q])
    return Choices([behaviour.queries[q] for q, _ in found], np.array([row for _, row in found], np.int32))


class HeldOut:
    """Measures against the choices held out."""

    def __init__(self, held: Choices, trained: Choices) -> None:
        self.texts = list(dict.fromkeys(held.queries))
        number = {text: i for i, text in enumerate(self.texts)}
        self._query = np.array([number[text] for text in held.queries], np.int32)
        self._listing = held.listings
        known = set(trained.queries)
        self._seen = np.array([text in known for text in held.queries], np.bool_)

    def point(
        self,
        name: str,
        queries: NDArray[np.float32],
        listings: NDArray[np.float32],
        seconds: Seconds | None = None,
    ) -> Point:
        """queries: float32 `[texts, dim]` of `texts`; listings: float32 `[n, dim]`; nearest by dot product."""
        found = in_top(queries, listings, self._query, self._listing)
        seen, unseen = share(found[self._seen]), share(found[~self._seen])
        return Point(name, share(found), seen, unseen, seconds)

    def popularity(self, trained: Choices, listings: int) -> Point:
        """The listings chosen most often, for every query."""
        count = np.bincount(trained.listings, minlength=listings).astype(np.float32)
        return self.point("popularity", np.ones((len(self.texts), 1), np.float32), count[:, None])

    def shares(self, trained: Choices) -> dict[str, float]:
        """Of the held-out choices, those whose query text or listing does not occur among what was trained on."""
        new = ~np.isin(self._listing, trained.listings)
        return {"choices": len(self._listing), "unseen_queries": share(~self._seen), "unseen_listings": share(new)}


def in_top(
    queries: NDArray[np.float32], listings: NDArray[np.float32], query: NDArray[np.int32], chosen: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Says for each pair (query, chosen), both int32 `[m]`, whether the listing is among the K nearest. Where several
    lie equally near, it stands in their middle."""
    found = np.empty(len(query), np.bool_)
    for i in range(0, len(query), 512):
        scores = queries[query[i : i + 512]] @ listings.T
        own = scores[np.arange(len(scores)), chosen[i : i + 512]][:, None]
        found[i : i + 512] = (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2 < K
    return found


def share(found: NDArray[np.bool_]) -> float:
    """Returns the share that is true; 0 where there are none."""
    return round(float(found.mean()), 4) if found.size else 0.0


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder with events.")],
    listings: Annotated[Path | None, typer.Option(help="Listing index; without it, no photos.")] = None,
    text_prior: Annotated[str | None, typer.Option(help="Model2Vec model, as for `training towers`.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--without", help="An ingredient, as for `training towers`. Repeatable.")
    ] = None,
    most: Annotated[int, typer.Option(min=3, help="Epochs of the tutorial's model, at most.")] = 100,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: FiguresFile = None,
) -> None:
    """Time the towers' training until they find as much as the model of TensorFlow Recommenders' tutorial."""
    source = Dataset.open(dataset)
    catalogue = source.read_listings()
    rows = {listing: row for row, listing in enumerate(catalogue.ids)}
    behaviour = read_behaviour(dataset, rows.keys())
    part = time_split(behaviour.query_times)
    trained, late = (choices(behaviour, part == which, rows) for which in (TRAIN, TEST))
    if not (trained.queries and late.queries):
        raise DataError(f"{dataset}: no click or message in the first 70 % or the last 15 % of the time")
    held = HeldOut(late, trained)
    inputs = ["--listings", str(listings)] if listings else []
    inputs += ["--text-prior", text_prior] if text_prior else []
    inputs += [argument for name in leave_out or () for argument in ("--without", name)]
    points = {
        "popularity": [held.popularity(trained, len(rows))],
        "tutorial": tutorial(trained, catalogue.ids, held, most, seed),
        "towers": towers(source, listings, [*inputs, "--seed", str(seed)], held),
    }
    facts = {"trained_on": len(trained.queries), **held.shares(trained), "simulated": source.truth_dir.is_dir()}
    if out is not None:
        text = json.dumps({"kind": "towers benchmark", **facts, **points}, indent=1, default=asdict)
        write_text_atomic(out, text + "\n")
    typer.echo(report(points, facts))


def tutorial(trained: Choices, ids: list[str], held: HeldOut, most: int, seed: int) -> list[Point]:
    """Returns the tutorial's model as published, recall over all listings computed at every training step, and at its
    best: without that, until its recall of what is held out rises no more."""
    from eval.benchmarks.tutorial import EPOCHS, train

    chosen = [ids[row] for row in trained.listings.tolist()]

    def points(metrics: bool) -> Iterator[Point]:
        epochs = train(trained.queries, chosen, ids, metrics=metrics, seed=seed)
        for number, (model, seconds) in enumerate(tqdm(islice(epochs, most), "tutorial", unit="epoch"), start=1):
            vectors = model.encode(held.texts, ids)
            yield held.point(f"tutorial, {number} epochs", vectors[0], vectors[1], seconds)

    (published,) = islice(points(metrics=True), EPOCHS - 1, EPOCHS)
    history: list[Point] = []
    for point in points(metrics=False):
        history.append(point)
        if len(history) - best(history) > PATIENCE:
            break
    return [replace(published, name=f"{published.name}, as published"), history[best(history)]]


def best(history: Sequence[Point]) -> int:
    """Returns where the highest recall is, the first of several."""
    return max(range(len(history)), key=lambda at: history[at].recall)


def towers(dataset: Dataset, index: Path | None, arguments: list[str], held: HeldOut) -> list[Point]:
    """Trains the towers and returns what they are worth on the way and in the end."""
    ontology = dataset.read_ontology()
    catalogue = dataset.read_listings(ontology)
    photos = ListingIndex.read(index, ontology, catalogue)
    category, _ = photos.categories(ontology, catalogue.category_ids)
    paths = ["" if at < 0 else ontology.path_text(at) for at in category.tolist()]

    def point(artifact: Path) -> Point:
        trained = read_manifest(artifact, KIND, VERSION)["trained"]
        model = Towers(artifact)
        texts = catalogue.titles, catalogue.attributes, paths
        vectors = model.listings(listing_arrays(model.featuriser, *texts, photos.embeddings, catalogue.price))
        seconds = Seconds(trained["clock"], trained["processor"])
        return held.point(f"towers, {trained['steps']} steps", model.queries(held.texts), vectors, seconds)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "towers"
        snapshots = [argument for step in SNAPSHOTS for argument in ("--snapshot", str(step))]
        run_stage("training", "towers", str(dataset.root), "--out", str(out), *arguments, *snapshots)
        taken = sorted(out.with_name("towers.steps").iterdir(), key=lambda path: int(path.name))
        return [point(path) for path in (*taken, out)]


def report(points: Mapping[str, Sequence[Point]], facts: Mapping[str, Any]) -> str:
    """Returns the figures as a table, and how the towers stand to the tutorial."""
    rows = [
        [point.name, f"{point.recall:.3f}", f"{point.seen:.3f}", f"{point.unseen:.3f}", *_seconds(point)]
        for group in points.values()
        for point in group
    ]
    header = [f"recall@{K}", "all", "query seen", "unseen", "processor s", "clock s"]
    (popularity,), towers = points["popularity"], points["towers"]
    lines = [
        text_table(header, rows),
        f"trained on {facts['trained_on']:,} choices; of the {facts['choices']:,} held out, "
        f"{facts['unseen_queries']:.0%} follow a query that training has not seen, {facts['unseen_listings']:.0%} are "
        "of a listing that nobody had chosen",
        *(against(point, towers) for point in points["tutorial"]),
    ]
    if towers[-1].recall <= max(point.recall for point in (popularity, *points["tutorial"])):
        lines.append("the towers end below another model")
    return "\n".join([*lines, *(["all behaviour is simulated"] if facts["simulated"] else [])])


def against(tutorial: Point, towers: Sequence[Point]) -> str:
    """Returns when the towers have found as much as the tutorial's model, and in what part of its time."""
    reached = next((point for point in towers if point.recall >= tutorial.recall), None)
    if reached is None or reached.seconds is None or tutorial.seconds is None:
        return f"{tutorial.name}: never reached by the towers"
    ratio = reached.seconds.processor / tutorial.seconds.processor
    clock = reached.seconds.clock / tutorial.seconds.clock
    verdict = "within" if ratio <= MARK else "misses"
    return (
        f"{tutorial.name}: reached by {reached.name} in {ratio:.2f} of its processor time ({verdict} the mark, {MARK}) "
        f"and {clock:.2f} of its time by the clock"
    )


def _seconds(point: Point) -> list[str]:
    return ["-", "-"] if point.seconds is None else [f"{s:.1f}" for s in (point.seconds.processor, point.seconds.clock)]
