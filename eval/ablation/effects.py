"""From runs to effects: differences of runs of one seed, so that what a seed does to all of them cancels out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from eval.ablation.ingredients import EVERYTHING, metric
from eval.ablation.runs import Run

CONFIDENCE = 0.95
NOTICEABLE = 0.001
"""Smaller differences matter to nobody, however sure."""


@dataclass(frozen=True)
class Effect:
    """What a metric loses or gains without an ingredient. difference: mean over the seeds of (without - everything);
    spread: sample standard deviation of these; margin: half the width of Student's 95 % interval of the mean; None for
    the last two with fewer than two seeds. verdict: of the ingredient, "helps" or "harms" where the difference is
    NOTICEABLE and the interval leaves zero out, else ""."""

    difference: float
    spread: float | None
    margin: float | None
    seeds: int
    verdict: str


def effects(runs: Sequence[Run]) -> dict[str, dict[str, Effect]]:
    """Returns ingredient -> metric -> effect, over the seeds that have both runs."""
    by_key = {(run.ingredient, run.seed): run for run in runs}
    names = dict.fromkeys(run.ingredient for run in runs if run.ingredient != EVERYTHING)
    seeds = [run.seed for run in runs if run.ingredient == EVERYTHING]
    found: dict[str, dict[str, Effect]] = {}
    for name in names:
        pairs = [(by_key[name, seed], by_key[EVERYTHING, seed]) for seed in seeds if (name, seed) in by_key]
        found[name] = {}
        for measured in pairs[0][1].metrics if pairs else ():
            values = [(a.metrics.get(measured), b.metrics.get(measured)) for a, b in pairs]
            differences = [a - b for a, b in values if a is not None and b is not None]
            if differences:
                found[name][measured] = effect(differences, metric(measured).better)
    return found


def effect(differences: Sequence[float], better: int) -> Effect:
    """Returns the effect of one ingredient on one metric from `differences` (without - everything), one a seed."""
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return Effect(mean, None, None, n, "")
    spread = float(np.std(differences, ddof=1))
    margin = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread / n**0.5
    # Where all seeds agree to the last digit, a share of few queries changed by the same one: that tells no spread.
    clear = spread > 1e-9 and abs(mean) > max(margin, NOTICEABLE)
    return Effect(mean, spread, margin, n, ("helps" if mean * better < 0 else "harms") if clear else "")


def means(runs: Sequence[Run], ingredient: str) -> Mapping[str, float]:
    """Returns each metric's mean over the runs with this ingredient off."""
    own = [run.metrics for run in runs if run.ingredient == ingredient]
    columns = {name: [v for m in own if (v := m.get(name)) is not None] for name in (own[0] if own else {})}
    return {name: float(np.mean(values)) for name, values in columns.items() if values}
