"""`python -m eval search`: judged queries through the whole engine and through its lexical engine alone."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from eval.bootstrap import CONFIDENCE, RESAMPLES, Estimate, estimates
from eval.figures_file import FiguresFile
from eval.grades import RELEVANT
from eval.inputs import NO_ANSWER, read_judgments, read_queries
from eval.metrics import CUTOFF, ideal_dcg, ndcg, recall
from eval.replay import SearchEngine
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.engine import Engine, utc_now
from relevance.errors import DataError, listed

SYSTEMS = ("lexical", "engine")
OVERALL = "overall"
Columns = dict[str, NDArray[np.float64]]
Figures = dict[str, dict[str, dict[str, Estimate]]]
"""kind -> system (or "difference", engine less lexical) -> metric -> estimate."""


@dataclass(frozen=True)
class Answer:
    """What one system answered: listing ids, best first, and the milliseconds it took."""

    listing_ids: list[str]
    milliseconds: float


@dataclass(frozen=True)
class Judged:
    """A query with its kind and the grades of its listings; answerable where one of them is relevant."""

    query: str
    kind: str
    grades: Mapping[str, int]
    answerable: bool


def join(queries: Mapping[str, str], judgments: Mapping[str, Mapping[str, int]], relevant: int) -> list[Judged]:
    """Returns the queries with their judgments; raises DataError where no query has a relevant one, and for a kind of
    queries that is called as all of them are."""
    if of_all := [query for query, kind in queries.items() if kind == OVERALL]:
        raise DataError(
            f"kind {OVERALL!r}: that is what the figures of all queries are called; give {listed(of_all)} another kind"
        )
    joined = []
    for query, kind in queries.items():
        grades = judgments.get(query, {})
        joined.append(Judged(query, kind, grades, max(grades.values(), default=0) >= relevant))
    if not any(judged.answerable for judged in joined):
        raise DataError(f"no query has a judgment of grade {relevant} or more; are both files of one evaluation?")
    return joined


def unjudged(judged: Sequence[Judged]) -> str | None:
    """Returns a note on queries that have no judgment although their kind does not say that nothing answers them."""
    found = [one.query for one in judged if not one.grades and one.kind != NO_ANSWER]
    if not found:
        return None
    return f"note: no judgment for {len(found)} queries, taken to have no answer; the first: {found[0]!r}"


def unasked(queries: Mapping[str, str], judgments: Mapping[str, Mapping[str, int]]) -> str | None:
    """Returns a note on judgments that do not count, as nobody asks their query."""
    found = [query for query in judgments if query not in queries]
    return f"note: {len(found)} judged queries are not among the queries: {listed(found)}" if found else None


def unknown(
    judged: Sequence[Judged], known: Callable[[str], bool], relevant: int, why: str = "are not in the bundle"
) -> str | None:
    """Returns a note on relevant listings that are not known, for the reason told, and that so nobody can find."""
    found = {
        listing for one in judged for listing, grade in one.grades.items() if grade >= relevant and not known(listing)
    }
    if not found:
        return None
    return f"note: {len(found)} listings judged relevant {why}, and count as not found: {listed(sorted(found))}"


def expired(engine: Engine, listing_id: str, now: np.datetime64) -> bool:
    """Returns whether the bundle has the listing and it has expired at `now`."""
    found = engine.catalogue.find(listing_id)
    return found is not None and engine.catalogue.expired(found.row, now)


def ask(engine: SearchEngine, queries: Sequence[str], k: int) -> dict[str, list[Answer]]:
    """Returns the answers of both systems, in the order of the queries."""
    systems: dict[str, Callable[[str], Any]] = {
        "lexical": lambda query: engine.lexical_search(query, k),
        "engine": lambda query: engine.search(query, k).hits,
    }
    answers: dict[str, list[Answer]] = {}
    for system, run in systems.items():
        run(queries[0])  # the first call of all opens files
        answers[system] = [_timed(run, query) for query in queries]
    return answers


def _timed(run: Callable[[str], Any], query: str) -> Answer:
    start = perf_counter()
    hits = run(query)
    return Answer([hit.listing_id for hit in hits], (perf_counter() - start) * 1000)


def metrics(judged: Sequence[Judged], answers: Sequence[Answer], k: int, relevant: int) -> Columns:
    """Returns float64 `[queries]` for each metric, NaN where it says nothing of a query."""
    rows = [_metrics(*pair, k, relevant) for pair in zip(judged, answers, strict=True)]
    return {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}


def _metrics(judged: Judged, answer: Answer, k: int, relevant: int) -> dict[str, float]:
    ranked = np.array([judged.grades.get(listing, 0) for listing in answer.listing_ids], np.int64)
    all_grades = np.array(list(judged.grades.values()), np.int64)
    nothing, never = float(not answer.listing_ids), float("nan")
    total = int((all_grades >= relevant).sum())
    return {
        f"ndcg@{CUTOFF}": ndcg(ranked, ideal_dcg(all_grades)) if judged.answerable else never,
        f"recall@{k}": recall(ranked, total, k, relevant),
        "zero_result_rate": nothing,
        "correct_abstention": never if judged.answerable else nothing,
        "false_abstention": nothing if judged.answerable else never,
    }


def evaluate(engine: SearchEngine, judged: Sequence[Judged], k: int, relevant: int, seed: int = 0) -> dict[str, Any]:
    """Returns the figures by kind, the latency by system and one row a query, ready for JSON but for the estimates."""
    answers = ask(engine, [one.query for one in judged], k)
    by_system = {system: metrics(judged, answers[system], k, relevant) for system in SYSTEMS}
    by_system["difference"] = {
        name: by_system["engine"][name] - column for name, column in by_system["lexical"].items()
    }
    return {
        "figures": _figures([one.kind for one in judged], by_system, seed),
        "latency_ms": {system: _latency(answers[system]) for system in SYSTEMS},
        "queries": [
            {"query": one.query, "kind": one.kind, "answerable": one.answerable}
            | {system: {n: _number(c[i]) for n, c in by_system[system].items()} for system in SYSTEMS}
            for i, one in enumerate(judged)
        ],
    }


def _figures(kinds: Sequence[str], by_system: Mapping[str, Columns], seed: int) -> Figures:
    groups = {OVERALL: np.ones(len(kinds), np.bool_)}
    if len(set(kinds)) > 1:
        groups |= {kind: np.array([own == kind for own in kinds]) for kind in sorted(set(kinds))}
    return {
        group: {
            system: estimates({name: c[rows] for name, c in columns.items()}, np.flatnonzero(rows).tolist(), seed=seed)
            for system, columns in by_system.items()
        }
        for group, rows in groups.items()
    }


def _latency(answers: Sequence[Answer]) -> dict[str, float]:
    p50, p99 = np.percentile([answer.milliseconds for answer in answers], (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def report(result: Mapping[str, Any], k: int) -> str:
    """Returns the figures as a table, both systems side by side."""
    titles = {
        f"ndcg@{CUTOFF}": f"NDCG@{CUTOFF}",
        f"recall@{k}": f"recall@{k}",
        "zero_result_rate": "no results",
        "correct_abstention": "abstains, rightly",
        "false_abstention": "wrongly",
    }
    rows = []
    for group, systems in result["figures"].items():
        for system in SYSTEMS:
            own = systems[system]
            cells = [own[name].text(percent=name.endswith(("rate", "abstention"))) for name in titles]
            rows.append([f"{group or '(no kind)'}, {system}", str(own["zero_result_rate"].n), *cells])
    times = [f"{system} p50 {own['p50']:.2f}, p99 {own['p99']:.2f}" for system, own in result["latency_ms"].items()]
    return "\n".join(
        (
            text_table(["kind", "queries", *titles.values()], rows),
            f"latency, ms a query with k={k}: {'; '.join(times)}",
            f"in brackets: {CONFIDENCE:.0%} bootstrap intervals over queries ({RESAMPLES} resamples)",
        )
    )


def command(
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    queries: Annotated[Path, typer.Option(help="Column query, optional kind (.csv, .tsv, .jsonl).")],
    judgments: Annotated[Path, typer.Option(help="Columns query, listing_id, grade (.csv, .tsv, .parquet).")],
    out: FiguresFile = None,
    k: Annotated[int, typer.Option(min=CUTOFF, max=1000, help="Hits asked for.")] = 100,
    relevant: Annotated[int, typer.Option(min=1, help="Listings of this grade or more count as relevant.")] = RELEVANT,
    id_column: Annotated[str, typer.Option(help="Column of the judgments with the listing id.")] = "listing_id",
    grade_column: Annotated[str, typer.Option(help="Column of the judgments with the grade.")] = "grade",
    at: Annotated[
        datetime | None, typer.Option(help="Time (UTC) at which listings have expired or not. Default: now.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """Measure the answers to judged queries: the whole engine beside the lexical engine alone."""
    kinds, grades = read_queries(queries), read_judgments(judgments, id_column, grade_column)
    judged = join(kinds, grades, relevant)
    clock = utc_now if at is None else lambda: np.datetime64(at, "ms")
    engine = Engine(bundle, clock=clock)
    now = clock()
    missing = unknown(judged, lambda listing: engine.catalogue.find(listing) is not None, relevant)
    over = unknown(
        judged, lambda listing: not expired(engine, listing, now), relevant, f"have expired at {now} (see --at)"
    )
    for note in filter(None, (unjudged(judged), unasked(kinds, grades), missing, over)):
        print(note, file=sys.stderr)
    result = evaluate(engine, judged, k, relevant, seed)
    typer.echo(report(result, k))
    if out is not None:
        head = {"kind": "search", "k": k, "relevant": relevant, "bundle": str(bundle), "seed": seed}
        text = json.dumps(head | result, indent=1, ensure_ascii=False, default=Estimate.to_dict)
        write_text_atomic(out, text + "\n")
