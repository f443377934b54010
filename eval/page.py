"""The report as one static page: no script, nothing loaded from elsewhere but the listings' photos beside it."""

import io
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from eval.bootstrap import Estimate
from eval.filter_figures import TERMS, FilterFigures, filter_tables
from eval.rescue_metrics import METRICS
from eval.zero_results import OVERALL, Figures, by_slice
from relevance.results import Hit, SearchResult

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Search relevance: report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
.simulated { background: #fff4d6; border-left: 4px solid #d9a400; padding: .5rem 1rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; } pre { overflow-x: auto; }
.big { font-size: 1.6rem; } .hits { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none; }
.hits li { width: 11rem; } .hits img { width: 6rem; height: 6rem; object-fit: contain; background: #f3f3f3; }
.hits small { color: #555; display: block; } svg { max-width: 100%; height: auto; }
</style>
<h1>Search relevance: report</h1>
<p class="simulated">$simulated</p>
<h2>Searches without results</h2>
<p class="big">$before → $after</p>
<p>of $searches held-out searches end with no result: the lexical engine alone, then the whole engine. In brackets here
and below: 95 % bootstrap intervals over sessions. To a search for what the catalogue does not have (absent), no result
is the right answer.</p>
$chart
<pre>$slices</pre>
<h2>Examples</h2>
$examples
<h2>The category filter, by frequency of the query and by level of the tree</h2>
<p>Made to hold $stated of what people choose. Here every search counts alike, also those that led to no choice.</p>
<pre>$filters</pre>
<dl>$terms</dl>
<h2>All figures</h2>
<table>$figures</table>
<h2>What was built</h2>
<table>$built</table>
</html>
""")


def page(
    summary: Mapping[str, Any],
    measured: Figures,
    filters: FilterFigures,
    shown: Sequence[SearchResult],
    dataset: Path,
    out: Path,
) -> str:
    """Returns the page as HTML. Photos are linked where they lie in `dataset`, relative to `out`; both absolute."""
    own = measured[OVERALL]
    images = os.path.relpath(dataset, out)
    return _PAGE.substitute(
        simulated=escape(summary["simulated"]),
        before=_text("zero_before", own["zero_before"]),
        after=_text("zero_after", own["zero_after"]),
        searches=f"{summary['zero_results']['searches']:,}",
        chart=chart(measured),
        slices=escape(by_slice(measured)),
        stated=f"{summary['zero_results']['filter_target_coverage']:.0%}",
        filters=escape(filter_tables(filters)),
        terms="\n".join(f"<dt>{escape(term)}<dd>{escape(text)}" for term, text in TERMS.items()),
        examples="\n".join(_example(result, images) for result in shown),
        figures="\n".join(_row(METRICS[name][0], _text(name, own[name])) for name in METRICS),
        built="\n".join((*_counts(summary["built"]), *_artifacts(summary["artifacts"]))),
    )


def chart(measured: Figures) -> str:
    """Returns an SVG of the zero-result rate by kind of query, before and after, with intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    parts = [part for part in measured if part.startswith("kind: ")]
    figure = Figure(figsize=(8, 0.9 + 0.5 * len(parts)), layout="constrained")
    axes = figure.subplots()
    for name, label, colour, shift in (
        ("zero_before", "lexical engine alone", "#b8b8b8", -0.2),
        ("zero_after", "whole engine", "#2b6cb0", 0.2),
    ):
        found = [measured[part][name] for part in parts]
        values = [100 * one.value for one in found]
        # A percentile interval can leave its own mean outside.
        below = [100 * max(0.0, one.value - one.low) for one in found]
        above = [100 * max(0.0, one.high - one.value) for one in found]
        places = [at + shift for at in range(len(parts))]
        axes.barh(places, values, 0.38, label=label, color=colour, xerr=[below, above], error_kw={"elinewidth": 1})
    axes.set_yticks(range(len(parts)), [part.removeprefix("kind: ") for part in parts])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of held-out searches without results (simulated behaviour)")
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "relevance", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _text(name: str, estimate: Estimate) -> str:
    return escape(estimate.text(percent=not name.startswith("ndcg") and not name.endswith("_size")))


def _row(title: str, value: str) -> str:
    return f'<tr><td>{escape(title)}<td class="number">{value}'


def _counts(built: Mapping[str, int]) -> list[str]:
    return [_row(name, f"{count:,}") for name, count in built.items()]


def _artifacts(made: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = []
    for name, artifact in made.items():
        rows.append(_row(f"{name}, made", escape(str(artifact["created_at"]))))
        rows += [_row(f"{name}, {metric}", escape(value)) for metric, value in _flat(artifact["metrics"])]
    return rows


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The single numbers and texts among the metrics, `test: top_1` for one inside another."""
    found: list[tuple[str, str]] = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}: ")
        elif isinstance(value, float):
            found.append((f"{prefix}{name}", f"{value:.4g}"))
        elif isinstance(value, int | str):
            found.append((f"{prefix}{name}", str(value)))
    return found


def _example(result: SearchResult, images: str) -> str:
    shown = result.category_filter
    paths = "; ".join(f"{category.path} ({category.probability:.2f})" for category in shown.categories)
    categories = f"{shown.mode}: {paths}" if paths else "no category filter: the query does not tell"
    corrected = result.fallback.corrected_query if result.fallback else None
    read_as = f" (read as “{escape(corrected)}”)" if corrected else ""
    hits = "\n".join(_hit(hit, images) for hit in result.hits)
    answer = f'<ul class="hits">{hits}</ul>' if hits else "<p>Nothing in the catalogue answers it.</p>"
    return f"<h3>“{escape(result.query)}”{read_as}</h3>\n<p>{escape(categories)}</p>\n{answer}"


def _hit(hit: Hit, images: str) -> str:
    photo = f'<img src="{escape(quote(f"{images}/{hit.image}"))}" alt="">' if hit.image else ""
    price = "" if hit.price is None else f"<small>{hit.price:,.2f}</small>"
    relevance = "" if hit.relevance is None else f"<small>relevant with probability {hit.relevance:.2f}</small>"
    return f"<li>{photo}<div>{escape(hit.title)}</div>{price}{relevance}<small>{escape(hit.reason)}</small></li>"
