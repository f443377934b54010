"""Replays held-out searches through the lexical engine alone and through the whole engine, and grades both answers.

Every search meets the catalogue as the bundle holds it, less the listings that had expired when it was made.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.bands import bands
from eval.grades import EXACT, RELEVANT, Grader, Grades
from eval.inputs import Intent, read_intents, read_truth
from eval.metrics import CUTOFF, ideal_dcg, ndcg
from relevance.dataset import Dataset, Listings
from relevance.errors import DataError
from relevance.events import Behaviour
from relevance.ontology import Ontology
from relevance.results import CategoryFilter, Hit, SearchResult
from relevance.splits import TEST, TRAIN, time_split
from relevance.text import tokens

PAGE = 20
"""Hits asked for; the first ten are graded."""


class SearchEngine(Protocol):
    """What is evaluated of `relevance.Engine`."""

    def search(self, query: str, k: int = 20) -> SearchResult:
        """Answers with the whole engine."""

    def lexical_search(self, query: str, k: int = 20) -> tuple[Hit, ...]:
        """Answers with the lexical engine alone."""


class ReplayedEngine(SearchEngine, Protocol):
    """What is replayed."""

    def category_sets(self, query: str) -> Sequence[Sequence[int]]:
        """Tells the conformal set of each level from 1 on: positions in the ontology."""


class Search(NamedTuple):
    """One search of the log; seen: its words, in their order, were searched in the training span; band: "head",
    "torso" or "tail", by how often they were (`eval.bands`)."""

    query_id: str
    session_id: str
    query: str
    time: np.datetime64
    seen: bool
    band: str
    intent: Intent


@dataclass(frozen=True)
class HeldOut:
    """The searches of the test span, in the order of time, and what tells how well they were answered: a grader of the
    catalogue, the row of each listing id in it, and when listings expire, datetime64[ms] `[listings]`, NaT for never.
    """

    searches: list[Search]
    grader: Grader
    rows: dict[str, int]
    expires_at: NDArray[np.datetime64]


class LogClock:
    """The clock of an engine under replay: it tells the time of the search being replayed."""

    def __init__(self) -> None:
        self.now: np.datetime64[Any] = np.datetime64(0, "ms")

    def __call__(self) -> np.datetime64:
        return self.now


@dataclass(frozen=True)
class Answer:
    """One system's answer to a search.

    hits: how many listings, at most PAGE; relevant, exact: how many of the first ten have a grade of at least 2, of 3;
    ndcg: NDCG@10 against the whole catalogue, NaN where it has nothing relevant.
    """

    hits: int
    relevant: int
    exact: int
    ndcg: float


class LevelSet(NamedTuple):
    """The conformal set of one level: how many categories, and whether one of the wanted ones is in it or below."""

    size: int
    holds: bool


@dataclass(frozen=True)
class Outcome:
    """Both answers to a search.

    answerable: the catalogue has a relevant listing; fallback: it answered; corrected: the query as it was understood;
    wanted_in_filter: one of the wanted categories is in the category filter, or below one in it (None without a filter
    or without a wanted category); kept: the share of relevant listings inside the filter, NaN likewise;
    filter_level: the depth of its deepest category, 0 without one; level_sets: the set of each level, from 1 on.
    """

    search: Search
    answerable: bool
    lexical: Answer
    engine: Answer
    fallback: bool
    corrected: str | None
    category_filter: CategoryFilter
    wanted_in_filter: bool | None
    kept: float
    filter_level: int
    level_sets: tuple[LevelSet, ...]


def held_out(
    dataset: Dataset, listings: Listings, behaviour: Behaviour, limit: int | None = None, seed: int = 0
) -> HeldOut:
    """Returns the searches of the test span (`relevance.splits.time_split`) of the dataset's behaviour; with `limit`,
    those of sessions drawn at random until there are that many. Raises DataError where the dataset does not tell what
    was wanted."""
    ontology = dataset.read_ontology()
    grader = read_truth(dataset, ontology, listings)
    intents = read_intents(dataset, ontology)
    parts = time_split(behaviour.query_times)
    trained = bands(Counter(_words(behaviour.queries[i]) for i in np.flatnonzero(parts == TRAIN).tolist()))
    tested = _drawn(np.flatnonzero(parts == TEST), behaviour.query_sessions, limit, seed)
    unknown = [behaviour.query_ids[i] for i in tested if behaviour.query_ids[i] not in intents]
    if unknown:
        raise DataError(f"{dataset.truth_dir / 'intents.parquet'}: has no row for {len(unknown)} held-out queries, "
                        f"the first: {unknown[0]!r}")  # fmt: skip
    if not tested:
        raise DataError(f"{dataset.events_path}: no search falls into the test span")
    searches = [
        Search(
            query_id=behaviour.query_ids[i],
            session_id=behaviour.query_sessions[i],
            query=behaviour.queries[i],
            time=behaviour.query_times[i],
            seen=_words(behaviour.queries[i]) in trained,
            band=trained.get(_words(behaviour.queries[i]), "tail"),
            intent=intents[behaviour.query_ids[i]],
        )
        for i in tested
    ]
    rows = {listing_id: row for row, listing_id in enumerate(listings.ids)}
    return HeldOut(searches, grader, rows, listings.expires_at)


def _words(query: str) -> tuple[str, ...]:
    return tuple(tokens(query))


def _drawn(tested: NDArray[np.int64], sessions: Sequence[str], limit: int | None, seed: int) -> list[int]:
    positions: list[int] = tested.tolist()
    if limit is None or len(positions) <= limit:
        return positions
    by_session: dict[str, list[int]] = {}
    for i in positions:
        by_session.setdefault(sessions[i], []).append(i)
    names = list(by_session)
    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    drawn = [i for at in order for i in by_session[names[at]]]
    return sorted(drawn[:limit])


def replay(engine: ReplayedEngine, clock: LogClock, held: HeldOut, searches: Iterable[Search]) -> list[Outcome]:
    """Returns the outcome of each search; `clock` is the one that the engine was opened with.

    Raises DataError where the engine finds a listing that the dataset does not have.
    """
    outcomes = []
    for search in searches:
        clock.now = search.time
        lexical, result = engine.lexical_search(search.query, PAGE), engine.search(search.query, PAGE)
        outcomes.append(_outcome(held, search, lexical, result, engine.category_sets(search.query)))
    return outcomes


def _outcome(
    held: HeldOut, search: Search, lexical: Sequence[Hit], result: SearchResult, sets: Sequence[Sequence[int]]
) -> Outcome:
    intent, shown, ontology = search.intent, result.category_filter, held.grader.ontology
    grades = held.grader.grades(intent.wanted, intent.constraints)
    grades[held.expires_at <= search.time] = 0
    relevant = grades >= RELEVANT
    ideal = ideal_dcg(grades) if relevant.any() else 0.0
    inside = [ontology.position(category.category_id) for category in shown.categories]
    holds, kept = None, float("nan")
    if inside and intent.wanted:
        holds = _under(ontology, intent.wanted, inside)
        kept = float(held.grader.holds(inside)[relevant].mean()) if ideal else kept
    return Outcome(
        search=search,
        answerable=bool(ideal),
        lexical=_graded(held, lexical, grades, ideal),
        engine=_graded(held, result.hits, grades, ideal),
        fallback=result.fallback is not None,
        corrected=result.fallback.corrected_query if result.fallback else None,
        category_filter=shown,
        wanted_in_filter=holds,
        kept=kept,
        filter_level=int(ontology.depth[inside].max(initial=0)),
        level_sets=tuple(LevelSet(len(own), _under(ontology, intent.wanted, own)) for own in sets),
    )


def _under(ontology: Ontology, wanted: Sequence[int], tops: Sequence[int]) -> bool:
    """Whether one of the wanted categories is one of `tops`, or below one."""
    return bool(ontology.is_under(np.array(wanted, np.int64)[:, None], np.array(tops, np.int64)).any())


def _graded(held: HeldOut, hits: Sequence[Hit], grades: Grades, ideal: float) -> Answer:
    rows = [held.rows.get(hit.listing_id, -1) for hit in hits[:CUTOFF]]
    if -1 in rows:
        raise DataError(
            f"the bundle has a listing {hits[rows.index(-1)].listing_id!r} that the dataset does not have; "
            "give the dataset that the bundle was built from"
        )
    ranked = grades[rows]
    relevant, exact = (int((ranked >= least).sum()) for least in (RELEVANT, EXACT))
    return Answer(len(hits), relevant, exact, ndcg(ranked, ideal))
