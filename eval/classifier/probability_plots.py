"""What the probabilities are worth, as SVG; figures as they stand in `classifier.json`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from eval.classifier.calibration import CATEGORY
from eval.classifier.svg import BLUE, GREY, LIGHT, ORANGE, svg

Figures = Mapping[str, Any]


def reliability(figures: Figures) -> str:
    """What came true of the probabilities, for the categories themselves and for each level; area: photos."""
    # Where all classes lie on it, the last level is the categories once more.
    above = [name for name in figures if name != CATEGORY and figures[name] != figures[CATEGORY]]

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        for i, name in enumerate([*above, CATEGORY]):
            photos, mean, right = np.asarray(figures[name]["bins"], np.float64).reshape(-1, 3).T
            own = {"color": ORANGE, "label": "category"}
            if name != CATEGORY:
                own = {"color": _shade(i, len(above)), "label": f"level {name}"}
            axes.plot(mean, right, linewidth=1, alpha=0.6, color=own["color"])
            axes.scatter(mean, right, s=6 + 240 * photos / max(photos.sum(), 1), **own)
        axes.set(xlabel="probability of the best answer", ylabel="share that is right", xlim=(0, 1.03), ylim=(0, 1.03))
        for handle in axes.legend().legend_handles:
            handle.set_sizes([30])

    return svg("reliability", "Reliability of the probabilities", draw)


def coverage(figures: Figures) -> str:
    """Accuracy on the photos that are answered, over their share, with the accuracies that the table names."""
    share, right, _ = np.asarray(figures["curve"], np.float64).reshape(-1, 3).T

    def draw(axes: Any) -> None:
        axes.plot(share, right, color=BLUE, marker="." if len(share) < 3 else "")
        for accuracy, reached in figures["coverage_at"].items():
            if reached > 0:
                point = (reached, float(accuracy))
                axes.plot(*point, marker="o", color=ORANGE)
                axes.annotate(f"{point[1]:.0%}: {reached:.0%}", point, (6, 6), textcoords="offset points")
        axes.set(xlabel="share of photos answered", ylabel="accuracy on these", xlim=(0, 1.02))
        axes.set_ylim(top=1.03)

    return svg("coverage", "Accuracy over coverage", draw)


def answered_levels(figures: Figures) -> str:
    """How far down the tree the answers lie by threshold, and how many are right."""
    curve = figures["curve"]
    thresholds = [point["threshold"] for point in curve]
    shares = np.array([point["levels"] for point in curve]).T
    deepest = len(shares) - 1

    def draw(axes: Any) -> None:
        colours = [LIGHT, *(_shade(level - 1, deepest) for level in range(1, deepest + 1))]
        names = ["no answer", *(f"level {level}" for level in range(1, deepest + 1))]
        axes.stackplot(thresholds, shares[::-1], colors=colours[::-1], labels=names[::-1], linewidth=0)
        right = [point["accuracy"] for point in curve]
        axes.plot(thresholds, right, color=ORANGE, linewidth=2.5, label="not wrong")
        axes.set(xlabel="threshold", ylabel="share of photos", xlim=(thresholds[0], 1), ylim=(0, 1))
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)

    return svg("answered-levels", "Level of the answer by threshold", draw)


def hedging(figures: Figures) -> str:
    """How many answers are right against how much they say: any node against the most probable class or nothing."""

    def draw(axes: Any) -> None:
        curve = figures["curve"]
        for points, label, colour in (
            (curve, "a category further up", BLUE),
            ([point["class_or_nothing"] for point in curve], "a class or no answer", ORANGE),
        ):
            depth = [point["mean_depth"] for point in points]
            axes.plot(depth, [point["accuracy"] for point in points], marker=".", color=colour, label=label)
        axes.set(xlabel="mean level of the answer (none: 0)", ylabel="share not wrong")
        axes.set_ylim(top=1.01)
        axes.legend()

    return svg("hedging", "Accuracy over specificity", draw)


def _shade(i: int, n: int) -> Any:
    """The i-th of n levels from the top, the deeper the darker."""
    import matplotlib

    return matplotlib.colormaps["GnBu"](0.35 + 0.6 * i / max(n - 1, 1))
