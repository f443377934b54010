"""An ablation as a Markdown table, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from eval.ablation.effects import Effect, effects, means
from eval.ablation.ingredients import EVERYTHING, INGREDIENTS
from eval.ablation.runs import Run, Settings

HEADLINE = ("recall@10", "unseen recall@10", "NDCG@10")
"""The metrics by which an ingredient is said to help, to harm, or neither."""


def markdown(settings: Settings, runs: Sequence[Run], simulated: bool) -> str:
    """Returns a caption, a row for everything and one for each ingredient, and what is shown to help."""
    base, found = means(runs, EVERYTHING), effects(runs)
    lines = [caption(settings, runs, simulated), "", _row(["without", "training, s", *base])]
    lines.append(_row(["---"] * (2 + len(base))))
    lines.append(_row(["(everything on)", _seconds(runs, EVERYTHING), *(f"{value:.3f}" for value in base.values())]))
    for name, own in found.items():
        lines.append(_row([INGREDIENTS[name], _seconds(runs, name), *(cell(own.get(metric)) for metric in base)]))
    return "\n".join([*lines, "", *verdicts(found)])


def caption(settings: Settings, runs: Sequence[Run], simulated: bool) -> str:
    """Returns what was run, and how to read the table."""
    seeds = len({run.seed for run in runs})
    size = f"{settings.epochs} epochs, {seeds} {'seeds' if seeds > 1 else 'seed'}"
    size += f", the latest {settings.sessions:,} sessions" if settings.sessions else ""
    note = "**Behaviour is simulated.** " if simulated else ""
    return (
        f"{settings.dataset}: {size}. {note}A row is the mean difference to everything on, by seed, ± its standard "
        "deviation over the seeds; bold where a 95 % interval of the mean (Student's t) leaves zero out. Below zero "
        "the ingredient helps, for wrong abstention above. Training: processor time."
    )


def cell(effect: Effect | None) -> str:
    """Returns `-0.034 ± 0.006`, bold where it is clear."""
    if effect is None:
        return "-"
    text = f"{effect.difference:+.3f}" + ("" if effect.spread is None else f" ± {effect.spread:.3f}")
    return f"**{text}**" if effect.verdict else text


def verdicts(found: Mapping[str, Mapping[str, Effect]]) -> list[str]:
    """Returns which ingredients are shown to help, to harm, or neither, on the headline metrics."""
    groups: dict[str, list[str]] = {"helps": [], "harms": [], "helps and harms": [], "not shown to help or harm": []}
    for name, own in found.items():
        said = sorted({own[metric].verdict for metric in HEADLINE if metric in own} - {""}, reverse=True)
        groups[" and ".join(reversed(said)) or "not shown to help or harm"].append(INGREDIENTS[name])
    head = f"By {', '.join(metric for metric in HEADLINE if any(metric in own for own in found.values()))}:"
    return [head, "", *(f"- {verdict}: {', '.join(names)}" for verdict, names in groups.items() if names)]


def as_json(settings: Settings, runs: Sequence[Run], simulated: bool) -> dict[str, Any]:
    """Returns the effects and every run, ready for JSON."""
    found = {name: {metric: asdict(e) for metric, e in own.items()} for name, own in effects(runs).items()}
    return {
        "kind": "ablation",
        "simulated": simulated,
        "settings": asdict(settings),
        "effects": found,
        "runs": [asdict(run) for run in runs],
    }


def _seconds(runs: Sequence[Run], ingredient: str) -> str:
    return f"{np.mean([run.seconds for run in runs if run.ingredient == ingredient]):.0f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
