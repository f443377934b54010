"""`python -m eval report`: one page on what was built and what it does to searches without results."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import zero_results
from eval.filter_figures import filter_figures
from eval.replay import Outcome, SearchEngine, held_out
from relevance import bundle as search_bundle
from relevance import classifier as photo_classifier
from relevance import listing_index
from relevance import towers as search_towers
from relevance.artifacts import read_manifest, refuse_foreign, writing
from relevance.dataset import Dataset, Listings
from relevance.events import Behaviour, read_behaviour
from relevance.results import SearchResult
from relevance.terminal import one_line
from relevance.ubi import CLICK, MESSAGE

KIND = "report"
EXAMPLES = 3
_HITS = 3
_ARTIFACTS = {
    "classifier": (photo_classifier.KIND, photo_classifier.VERSION),
    "listings": (listing_index.KIND, listing_index.VERSION),
    "towers": (search_towers.KIND, search_towers.VERSION),
    "bundle": (search_bundle.KIND, search_bundle.VERSION),
}
"""Name of an artifact -> its kind and format version."""


def built(listings: Listings, categories: int, behaviour: Behaviour) -> dict[str, int]:
    """Returns how much of everything went in."""
    actions = Counter(behaviour.actions)
    return {
        "listings": len(listings),
        "categories": categories,
        "photos": sum(map(len, listings.images)),
        "searches": len(behaviour.queries),
        "sessions": len(set(behaviour.query_sessions)),
        "clicks": actions[CLICK],
        "messages": actions[MESSAGE],
    }


def artifacts(folders: Mapping[str, Path | None]) -> dict[str, dict[str, Any]]:
    """Returns for each artifact that was given when it was made, and the metrics it carries. Raises ArtifactError."""
    found = {}
    for name, folder in folders.items():
        if folder is None:
            continue
        manifest = read_manifest(folder, *_ARTIFACTS[name], verify=False)
        metrics = folder / "metrics.json"
        measured = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else {}
        found[name] = {"created_at": manifest["created_at"], "metrics": manifest.get("metrics") or measured}
    return found


def example_queries(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns up to three held-out queries that show the fallback at work: one mistyped and one of the seller's words
    unknown that were rescued, and one that rightly got no answer. Of several, the most frequent."""

    def rescued(one: Outcome) -> bool:
        return not one.lexical.hits and one.engine.exact > 0

    chosen: list[str] = []
    for suits in (
        lambda one: rescued(one) and one.search.intent.kind == "typo",
        lambda one: rescued(one) and one.search.intent.kind == "synonym",
        lambda one: not one.search.intent.wanted and not one.engine.hits,
        rescued,
        lambda one: one.engine.relevant > 0,
    ):
        counts = Counter(one.search.query for one in outcomes if suits(one) and one.search.query not in chosen)
        if counts and len(chosen) < EXAMPLES:
            chosen.append(min(counts, key=lambda query: (-counts[query], query)))
    return chosen


def examples(engine: SearchEngine, queries: Sequence[str]) -> list[SearchResult]:
    """Returns what the engine answers."""
    return [engine.search(query, k=_HITS) for query in queries]


def classifier_line(metrics: Mapping[str, Any]) -> str | None:
    """Returns the classifier's accuracy on its test photos in one line, None where it is not known."""
    test = metrics.get("test", metrics)
    parts = [
        f"{title} {test[name]:.3f}"
        for name, title in (("top_1", "top-1"), ("top_5", "top-5"), ("macro", "macro"))
        if isinstance(test.get(name), float)
    ]
    return ", ".join(parts) or None


def printed(summary: Mapping[str, Any], measured: zero_results.Figures, shown: Sequence[SearchResult]) -> str:
    """Returns the summary for the terminal, about 30 lines."""
    counts = {name: f"{count:,}" for name, count in summary["built"].items()}
    own = {name: estimate.text(percent=True) for name, estimate in measured[zero_results.OVERALL].items()}
    classifier = classifier_line(summary["artifacts"].get("classifier", {}).get("metrics", {}))
    lines = [
        f"built        {counts['listings']} listings in {counts['categories']} categories, {counts['photos']} photos; "
        f"{counts['searches']} simulated searches in {counts['sessions']} sessions",
        *([f"classifier   {classifier} on photos held out"] if classifier else []),
        f"zero-result  {own['zero_before']} -> {own['zero_after']} "
        f"of {summary['zero_results']['searches']:,} held-out searches",
        f"rescued      {own['rescued_relevant']} of the rescued searches have a relevant listing in the first ten",
        f"abstention   right on {own['correct_abstention']} of what is absent, wrong on {own['false_abstention']} "
        "of the answerable",
        f"filter       holds the true category in {own['filter_coverage']}",
        "             before: the lexical engine alone; in brackets: 95 % intervals over sessions; all behaviour is "
        "simulated",
    ]
    for result in shown:
        lines += ["", *example_lines(result)]
    return "\n".join(lines)


def example_lines(result: SearchResult) -> list[str]:
    """Returns a query, its category filter and its hits."""
    lines = [f"“{one_line(result.query)}”"]
    shown = result.category_filter
    if shown.categories:
        best = shown.categories[0]
        more = f" and {len(shown.categories) - 1} more" if len(shown.categories) > 1 else ""
        lines.append(f"  {shown.mode}: {best.path} ({best.probability:.2f}){more}")
    else:
        lines.append("  no category filter: the query does not tell")
    if result.fallback and result.fallback.corrected_query:
        lines.append(f"  read as “{result.fallback.corrected_query}”")
    if result.abstained:
        lines.append("  nothing in the catalogue answers it")
    for hit in result.hits[:_HITS]:
        price = "" if hit.price is None else f", {hit.price:,.0f}"
        probability = "" if hit.relevance is None else f"{hit.relevance:.2f}  "
        lines.append(f"  {probability}{one_line(hit.title)}{price}  [{hit.reason}]")
    return lines


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder made by `python -m eval simulate`.")],
    bundle: Annotated[Path, typer.Option(help="Bundle made by `python -m index build`.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and its figures.")],
    classifier: Annotated[Path | None, typer.Option(help="Classifier, for its metrics.")] = None,
    towers: Annotated[Path | None, typer.Option(help="Towers, for their metrics.")] = None,
    listings: Annotated[Path | None, typer.Option(help="Listing index.")] = None,
    query: Annotated[list[str] | None, typer.Option(help="An example search; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay about this many held-out searches.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Write a page on what was built and what it does, and print it in short."""
    from eval.page import page

    refuse_foreign(out, KIND)
    folder = Dataset.open(dataset)
    given = {"classifier": classifier, "listings": listings, "towers": towers, "bundle": bundle}
    made = artifacts(given)
    catalogue, behaviour = folder.read_listings(), read_behaviour(dataset)
    held = held_out(folder, catalogue, behaviour, limit, seed)
    engine, clock = zero_results.open_for_replay(bundle, held)
    outcomes, measured = zero_results.evaluate(engine, clock, held, seed)
    filters = filter_figures(outcomes, seed)
    summary: dict[str, Any] = {
        "kind": KIND,
        "simulated": zero_results.SIMULATED,
        "built": built(catalogue, len(held.grader.ontology), behaviour),
        "artifacts": made,
        "zero_results": zero_results.summary(outcomes, measured, filters),
    }
    shown = examples(engine, query or example_queries(outcomes))
    with writing(out, KIND) as temporary:
        zero_results.write(temporary, outcomes, summary["zero_results"])
        facts = summary | {"examples": [_example(result) for result in shown]}
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        (temporary / "summary.json").write_text(text + "\n", encoding="utf-8")
        html = page(summary, measured, filters, shown, dataset.resolve(), out.resolve())
        (temporary / "index.html").write_text(html, encoding="utf-8")
        ending = f"the whole report:   {out / 'index.html'}\nstart the service:  {_program()} serve {bundle}"
        short = f"{printed(summary, measured, shown)}\n\n{ending}\n"
        (temporary / "summary.txt").write_text(short, encoding="utf-8")
    typer.echo(short, nl=False)


def _program() -> Path:
    """The `relevance` command beside this interpreter, as one would type it here."""
    program = Path(sys.executable).with_name("relevance")
    return program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program


def _example(result: SearchResult) -> dict[str, Any]:
    """Less the timings, which differ from run to run."""
    return {name: value for name, value in result.to_dict().items() if name != "timings"}
