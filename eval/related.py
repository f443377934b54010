"""`python -m eval related`: how often the next search of a session is among the related queries that would be shown.

Beside the bundle's are measured: what was searched together alone, the nearest by the towers alone, and FastText over
sessions (after search2vec, Grbovic et al., KDD 2016), alone and after what was searched together.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from eval.bootstrap import Estimate, estimates
from eval.figures_file import FiguresFile
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.dataset import Dataset
from relevance.engine import Engine
from relevance.errors import DataError
from relevance.events import Behaviour, read_behaviour
from relevance.interactions import REWRITE_GAP
from relevance.seen import query_key
from relevance.splits import TEST, time_split

EPOCHS = 40
DIM = 64
_FEWEST = 3

Method = Callable[[str, int], Sequence[str]]
"""A query and k -> at most k queries."""


class Next(NamedTuple):
    """A search of the test span and the next, other one of its session within ten minutes; seen: the first was searched
    before that span."""

    session: str
    query: str
    following: str
    seen: bool


def next_searches(behaviour: Behaviour) -> list[Next]:
    """Returns the pairs of the test span (`relevance.splits.time_split`), in the order of time."""
    tested = time_split(behaviour.query_times) == TEST
    before = {query_key(behaviour.queries[row]) for row in np.flatnonzero(~tested).tolist()}
    return [
        Next(
            behaviour.query_sessions[a],
            behaviour.queries[a],
            behaviour.queries[b],
            query_key(behaviour.queries[a]) in before,
        )
        for a, b in _following(behaviour, tested)
    ]


def _following(behaviour: Behaviour, selected: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Rows of two searches of a session, one after the other, that differ in their words."""
    last: dict[str, int] = {}
    for row in np.flatnonzero(selected).tolist():
        before = last.get(behaviour.query_sessions[row])
        last[behaviour.query_sessions[row]] = row
        if before is None or behaviour.query_times[row] - behaviour.query_times[before] > REWRITE_GAP:
            continue
        one, other = query_key(behaviour.queries[before]), query_key(behaviour.queries[row])
        if one and other and one != other:
            yield before, row


def methods(engine: Engine, behaviour: Behaviour, seed: int) -> dict[str, Method]:
    """Returns what is compared; all of them show the same queries."""
    related = engine.related_queries

    def by_towers(query: str, k: int) -> Sequence[str]:
        return related.nearest(query, engine.read(query).embedding, k)

    by_fasttext = fasttext(behaviour, related.queries, seed)

    def first_together(then: Method) -> Method:
        def both(query: str, k: int) -> Sequence[str]:
            found = related.together(query, k)
            return [*found, *(other for other in then(query, k + len(found)) if other not in found)][:k]

        return both

    return {
        "related": engine.related,
        "searched together": related.together,
        "nearest by the towers": by_towers,
        "nearest by FastText": by_fasttext,
        "searched together, then FastText": first_together(by_fasttext),
    }


def fasttext(behaviour: Behaviour, shown: Sequence[str], seed: int) -> Method:
    """Returns the nearest of `shown` by the mean FastText vector of a query's words; a sentence is what was searched in
    one session, before the test span. (With whole queries as words it does worse.)"""
    from gensim.models import FastText

    words: dict[str, list[str]] = {}
    for row in np.flatnonzero(time_split(behaviour.query_times) != TEST).tolist():
        words.setdefault(behaviour.query_sessions[row], []).extend(query_key(behaviour.queries[row]).split())
    sentences = list(words.values())
    # More workers would make the vectors differ from run to run.
    model = FastText(
        sentences,
        vector_size=DIM,
        window=8,
        min_count=_FEWEST,
        epochs=EPOCHS,
        sg=1,
        seed=seed,
        workers=1,
        bucket=50_000,
    )

    def vector(query: str) -> NDArray[np.float32]:
        found = query_key(query).split()
        if not found:
            return np.zeros(DIM, np.float32)
        mean = np.mean([model.wv.get_vector(word, norm=True) for word in found], axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)

    vectors = np.stack([vector(query) for query in shown])

    def nearest(query: str, k: int) -> Sequence[str]:
        key = query_key(query)
        order = np.argsort(-np.einsum("nd,d->n", vectors, vector(query)), kind="stable")[: k + 1]
        return [shown[row] for row in order.tolist() if shown[row] != key][:k]

    return nearest


def evaluate(
    compared: dict[str, Method], pairs: Sequence[Next], k: int, seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """Returns method -> group ("all", "seen", "unseen") -> recall@k: the share of searches whose next one is among
    the k shown, with intervals resampled by session."""
    from tqdm import tqdm

    seen = np.array([pair.seen for pair in pairs], np.bool_)
    groups = {"all": np.ones(len(pairs), np.bool_), "seen": seen, "unseen": ~seen}
    columns: dict[str, NDArray[np.float64]] = {}
    for name, method in compared.items():
        shown = {
            query: set(map(query_key, method(query, k)))
            for query in tqdm({pair.query for pair in pairs}, desc=name, unit="query")
        }
        hit = np.array([query_key(pair.following) in shown[pair.query] for pair in pairs], np.float64)
        columns |= {f"{name}\0{group}": np.where(rows, hit, np.nan) for group, rows in groups.items()}
    flat = estimates(columns, [pair.session for pair in pairs], seed=seed)
    return {name: {group: flat[f"{name}\0{group}"] for group in groups} for name in compared}


def command(
    dataset: Annotated[Path, typer.Argument(help="The dataset that the bundle was built from, with its behaviour.")],
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    out: FiguresFile = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Queries shown.")] = 5,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Measure related queries on held-out sessions: is the next search of the session among them?"""
    folder, engine = Dataset.open(dataset), Engine(bundle)
    behaviour = read_behaviour(dataset)
    pairs = next_searches(behaviour)
    if not pairs or not engine.related_queries.queries:
        what = "no session of the test span has two searches" if not pairs else f"{bundle} has no related queries"
        raise DataError(f"{dataset}: {what}, so that there is nothing to measure")
    found = evaluate(methods(engine, behaviour, seed), pairs, k, seed)
    typer.echo(report(found, pairs, len(engine.related_queries.queries), folder.truth_dir.is_dir()))
    if out is not None:
        facts: dict[str, Any] = {
            "simulated": folder.truth_dir.is_dir(),
            "searches": len(pairs),
            f"recall@{k}": {name: {g: e.to_dict() for g, e in own.items()} for name, own in found.items()},
        }
        write_text_atomic(out, json.dumps(facts, indent=1) + "\n")


def report(found: dict[str, dict[str, Estimate]], pairs: Sequence[Next], shown: int, simulated: bool) -> str:
    """Returns a table with a line for each method."""
    rows = [
        [name, *(own[group].text(percent=True) for group in ("all", "seen", "unseen"))] for name, own in found.items()
    ]
    seen = sum(pair.seen for pair in pairs)
    header = ["the next search is among them", f"all {len(pairs):,}", f"seen {seen:,}", f"unseen {len(pairs) - seen:,}"]
    lines = [
        text_table(header, rows),
        "",
        f"{shown:,} queries may be shown; seen: searched before the held-out span. In brackets: 95 % bootstrap "
        "intervals over sessions.",
    ]
    return "\n".join([*lines, *(["Behaviour is simulated."] if simulated else [])])
