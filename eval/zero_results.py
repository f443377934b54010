"""`python -m eval zero-results`: what becomes of the searches that the lexical engine alone leaves without results."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from eval.bootstrap import CONFIDENCE, RESAMPLES, Estimate, estimates
from eval.filter_figures import DEFINITIONS, TERMS, FilterFigures, filter_figures, filter_tables
from eval.replay import PAGE, HeldOut, LogClock, Outcome, ReplayedEngine, held_out, replay
from eval.rescue_metrics import METRICS
from eval.textable import text_table
from relevance.artifacts import refuse_foreign, writing
from relevance.dataset import Dataset
from relevance.engine import Engine
from relevance.errors import DataError, DataWarning
from relevance.events import read_behaviour
from relevance.fields import milliseconds

SIMULATED = (
    "Behaviour and intents are simulated: these figures tell how the system treats the simulator's searches, "
    "not people's."
)
KIND = "zero-results"
OVERALL = "all"

Figures = dict[str, dict[str, Estimate]]
"""slice ("all", "seen", "unseen", "kind: typo", …) -> metric -> estimate."""


class ReplayEngine(Engine):
    """An engine that also tells the sets behind its category filter."""

    def category_sets(self, query: str) -> Sequence[Sequence[int]]:
        """Returns the conformal set of each level from 1 on: positions in the ontology."""
        return self.categories.sets(self.read(query).shares)


def open_for_replay(bundle: Path, held: HeldOut) -> tuple[ReplayEngine, LogClock]:
    """Returns the bundle's engine and its clock. Raises BundleError, and DataError where it was built for another
    ontology than the dataset's. A DataWarning tells of searches that the bundle may have learned from, as one that was
    calibrated anew on later behaviour may have."""
    clock = LogClock()
    engine = ReplayEngine(bundle, clock=clock)
    own, other = held.grader.ontology.fingerprint, engine.ontology.fingerprint
    if own != other:
        raise DataError(
            f"{bundle}: built for the ontology {other[:12]}, the dataset has {own[:12]}; give the dataset that the "
            "bundle was built from"
        )
    learned = engine.manifest.get("behaviour_until")
    until = np.datetime64(milliseconds(learned) if learned else None, "ms")
    known = sum(bool(search.time <= until) for search in held.searches)
    if known:
        what = f"{known:,} of the {len(held.searches):,} searches are of before that, and not held out"
        warnings.warn(f"{bundle}: has learned from behaviour up to {learned}: {what}", DataWarning, stacklevel=2)
    return engine, clock


def evaluate(engine: ReplayedEngine, clock: LogClock, held: HeldOut, seed: int = 0) -> tuple[list[Outcome], Figures]:
    """Returns the outcome of every search, and the figures of every slice with intervals resampled by session."""
    from tqdm import tqdm

    outcomes = replay(engine, clock, held, tqdm(held.searches, desc="replay", unit="search"))
    return outcomes, figures(outcomes, seed)


def figures(outcomes: Sequence[Outcome], seed: int = 0) -> Figures:
    """Returns slice -> metric -> estimate."""
    values = {name: np.array([of(one) for one in outcomes], np.float64) for name, (_, of) in METRICS.items()}
    slices = _slices(outcomes)
    columns = {
        f"{part}\0{name}": np.where(rows, column, np.nan)
        for part, rows in slices.items()
        for name, column in values.items()
    }
    flat = estimates(columns, [one.search.session_id for one in outcomes], seed=seed)
    return {part: {name: flat[f"{part}\0{name}"] for name in METRICS} for part in slices}


def _slices(outcomes: Sequence[Outcome]) -> dict[str, NDArray[np.bool_]]:
    seen = np.array([one.search.seen for one in outcomes], np.bool_)
    kinds = [one.search.intent.kind for one in outcomes]
    by_kind = {f"kind: {kind}": np.array([own == kind for own in kinds]) for kind in sorted(set(kinds))}
    return {OVERALL: np.ones(len(outcomes), np.bool_), "seen": seen, "unseen": ~seen, **by_kind}


def summary(outcomes: Sequence[Outcome], measured: Figures, filters: FilterFigures) -> dict[str, Any]:
    """Returns what zero_results.json holds, less where it came from."""
    return {
        "simulated": SIMULATED,
        "searches": len(outcomes),
        "sessions": len({one.search.session_id for one in outcomes}),
        "answerable": sum(one.answerable for one in outcomes),
        "absent": sum(not one.search.intent.wanted for one in outcomes),
        "hits_asked_for": PAGE,
        "filter_target_coverage": outcomes[0].category_filter.coverage,
        "intervals": f"percentile bootstrap over sessions, {CONFIDENCE:.0%}, {RESAMPLES} resamples",
        "definitions": {name: text for name, (text, _) in METRICS.items()},
        "figures": {
            part: {name: estimate.to_dict() for name, estimate in own.items()} for part, own in measured.items()
        },
        "category_filter": {
            "definitions": DEFINITIONS | TERMS,
            "figures": {
                group: {name: estimate.to_dict() for name, estimate in own.items()} for group, own in filters.items()
            },
        },
    }


def write(folder: Path, outcomes: Sequence[Outcome], result: Mapping[str, Any]) -> None:
    """Writes zero_results.json, and zero_results.csv with one row a search."""
    import pandas as pd

    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "zero_results.json").write_text(text + "\n", encoding="utf-8")
    pd.DataFrame([_row(one) for one in outcomes]).to_csv(folder / "zero_results.csv", index=False)


def _row(one: Outcome) -> dict[str, Any]:
    search, shown = one.search, one.category_filter
    both = {
        f"{system}_{name}": round(getattr(answer, name), 6) if answer.ndcg == answer.ndcg or name != "ndcg" else ""
        for system, answer in (("lexical", one.lexical), ("engine", one.engine))
        for name in ("hits", "relevant", "exact", "ndcg")
    }
    return {
        "behaviour": "simulated",
        "query_id": search.query_id,
        "session_id": search.session_id,
        "query": search.query,
        "kind": search.intent.kind,
        "seen_in_training": int(search.seen),
        "frequency": search.band,
        "answerable": int(one.answerable),
        "absent": int(not search.intent.wanted),
        **both,
        "fallback": int(one.fallback),
        "corrected_query": one.corrected or "",
        "filter_mode": shown.mode,
        "filter_size": len(shown.categories),
        "filter_level": one.filter_level or "",
        "filter_holds_true_category": "" if one.wanted_in_filter is None else int(one.wanted_in_filter),
        "filter_kept": "" if one.kept != one.kept else round(one.kept, 6),
    }


def report(result: Mapping[str, Any], measured: Figures, filters: FilterFigures) -> str:
    """Returns the headline figures with their intervals, a table by slice, and those of the category filter."""
    own = {name: estimate.text(percent=True) for name, estimate in measured[OVERALL].items()}
    ndcg = {name: measured[OVERALL][name].text() for name in ("ndcg_before", "ndcg_after")}
    sizes = {mode: measured[OVERALL][f"{mode}_size"].text() for mode in ("filter", "boost")}
    lines = (
        f"{result['searches']:,} held-out searches of {result['sessions']:,} sessions; {result['answerable']:,} can be "
        f"answered, {result['absent']:,} ask for what the catalogue does not have",
        f"zero-result rate    {own['zero_before']} -> {own['zero_after']}",
        f"  answerable only   {own['zero_before_answerable']} -> {own['zero_after_answerable']}",
        f"rescued             {own['rescued']} of the searches without a hit; "
        f"relevant in the first ten: {own['rescued_relevant']}, exact: {own['rescued_exact']}",
        f"made worse          {own['worse_relevant']} fewer relevant in the first ten, "
        f"{own['worse_ndcg']} lower NDCG@10 ({own['better_ndcg']} higher)",
        f"abstention          right on {own['correct_abstention']} of what is absent, "
        f"wrong on {own['false_abstention']} of the answerable",
        f"category filter     {own['filter_share']} of searches, mean size {sizes['filter']}; "
        f"holds the true category: {own['filter_coverage']} (made for {result['filter_target_coverage']:.0%} of what "
        "people choose)",
        f"category boost      {own['boost_share']} of searches, mean size {sizes['boost']}; "
        f"holds the true category: {own['boost_coverage']}",
        f"NDCG@10             {ndcg['ndcg_before']} -> {ndcg['ndcg_after']}",
        "",
        by_slice(measured),
        "",
        filter_tables(filters),
        "",
        f"in brackets: 95 % bootstrap intervals over sessions. {SIMULATED}",
    )
    return "\n".join(lines)


def by_slice(measured: Figures) -> str:
    """Returns a table with a line for each slice, without intervals."""
    titles = {
        "zero_before": "no hits, before",
        "zero_after": "after",
        "rescued_relevant": "rescued: relevant",
        "worse_relevant": "made worse",
        "filter_coverage": "filter holds",
        "ndcg_before": "NDCG@10 before",
        "ndcg_after": "after",
    }
    rows = [
        [part, f"{own['zero_before'].n:,}", *(_cell(name, own[name].value) for name in titles)]
        for part, own in measured.items()
    ]
    return text_table(["", "searches", *titles.values()], rows)


def _cell(name: str, value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.3f}" if name.startswith("ndcg") else f"{100 * value:.1f} %"


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder made by `python -m eval simulate`.")],
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    out: Annotated[Path, typer.Option(help="Folder for zero_results.json and zero_results.csv.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Replay about this many searches, whole sessions.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, and of the draw with --limit.")] = 0,
) -> None:
    """Replay held-out searches through the lexical engine alone and through the whole engine."""
    refuse_foreign(out, KIND)
    folder = Dataset.open(dataset)
    held = held_out(folder, folder.read_listings(), read_behaviour(dataset), limit, seed)
    engine, clock = open_for_replay(bundle, held)
    outcomes, measured = evaluate(engine, clock, held, seed)
    result = {"kind": KIND, "dataset": str(dataset), "bundle": engine.versions, "seed": seed}
    filters = filter_figures(outcomes, seed)
    result |= summary(outcomes, measured, filters)
    with writing(out, KIND) as temporary:
        write(temporary, outcomes, result)
    typer.echo(report(result, measured, filters))
