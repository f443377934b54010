"""Accuracies, frequencies and mistakes, as SVG; figures as they stand in `classifier.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.bootstrap import Estimate
from eval.classifier.comparison import DISTANCE
from eval.classifier.svg import BLUE, GREY, LIGHT, ORANGE, svg

Figures = Mapping[str, Any]


def levels(figures: Figures) -> str:
    """Accuracy collapsed to each level, over photos and over categories, with intervals."""

    def draw(axes: Any) -> None:
        places = np.arange(len(figures))
        for kind, label, colour, shift in (
            ("micro", "over photos", BLUE, -0.08),
            ("macro", "over categories", ORANGE, 0.08),
        ):
            values, below, above = _interval([level[kind] for level in figures.values()])
            axes.errorbar(places + shift, values, [below, above], color=colour, label=label, marker="o", capsize=3)
        counts = [level["categories"] for level in figures.values()]
        axes.set_xticks(places, [f"{name}\n({count:,})" for name, count in zip(figures, counts, strict=True)])
        axes.set(xlabel="level (categories)", ylabel="accuracy", ylim=(0, 1.02), xlim=(-0.5, len(figures) - 0.5))
        axes.legend()

    return svg("levels", "Accuracy by level", draw)


def photos_per_category(counts: Sequence[int], frequency: Figures) -> str:
    """Labelled photos of each category, most first, on a logarithmic scale, with head, torso and tail."""

    def draw(axes: Any) -> None:
        begin = 0
        for name, shade in (("head", BLUE), ("torso", "#7fa8d1"), ("tail", LIGHT)):
            end = begin + frequency[name]["categories"]
            label = f"{name} ({end - begin:,})"
            # One shape, not a bar for each of what may be ten thousand.
            edges = np.arange(begin, end + 1) + 0.5
            axes.stairs(counts[begin:end], edges, baseline=0.5, fill=True, color=shade, label=label)
            begin = end
        axes.set(yscale="log", xlabel="categories, most photos first", ylabel="photos", xlim=(0.5, len(counts) + 0.5))
        axes.set_ylim(bottom=0.7)
        axes.legend()

    return svg("photos-per-category", "Photos of each category", draw)


def confusion(figures: Figures) -> str:
    """The confusion matrix, each row in per cent of its photos."""
    names = [_short(name) for name in figures["categories"]]
    counts = np.asarray(figures["counts"], np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Any) -> None:
        axes.grid(False)
        # Not imshow, which would put a bitmap into the drawing.
        axes.pcolormesh(range(len(names)), range(len(names)), shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
        for row, column in zip(*np.nonzero(counts), strict=True):
            share = shares[row, column]
            text, colour = f"{100 * share:.0f}" if share >= 0.005 else "·", "white" if share > 0.5 else "#333333"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="predicted", ylabel="true", aspect="equal")
        axes.invert_yaxis()

    side = min(3.0 + 0.36 * len(names), 8.5)
    return svg("confusion", "Confusion matrix", draw, (side, 0.92 * side))


def distances(figures: Figures) -> str:
    """Mistakes by their distance in the tree, for both ways to decide."""
    ways = (("argmax", "most probable", BLUE, -0.2), ("crm", "least expected distance", ORANGE, 0.2))
    photos = sum(figures["argmax"]["by_distance"].values())
    edges = sorted({int(edge) for way, *_ in ways for edge in figures[way]["by_distance"]} - {0})

    def draw(axes: Any) -> None:
        for way, label, colour, shift in ways:
            counts = [figures[way]["by_distance"].get(str(edge), 0) for edge in edges]
            shares = [100 * count / photos for count in counts]
            axes.bar(np.arange(len(edges)) + shift, shares, 0.38, color=colour, label=label)
        axes.set_xticks(range(len(edges)), [str(edge) for edge in edges])
        axes.set(xlabel="edges between answer and truth", ylabel="% of all photos")
        if edges:
            axes.legend()
        else:
            axes.text(0.5, 0.5, "no mistakes", ha="center", va="center", transform=axes.transAxes)

    return svg("distances", "Mistakes by distance in the tree", draw)


def differences(metrics: Figures) -> str:
    """Accuracy of this classifier less that of the other, with intervals."""
    shown = [name for name in metrics if name != DISTANCE]
    values, below, above = _interval([metrics[name]["difference"] for name in shown])

    def draw(axes: Any) -> None:
        axes.axvline(0, color=GREY, linewidth=1)
        axes.errorbar(values, range(len(shown)), xerr=[below, above], fmt="o", color=BLUE, capsize=3)
        axes.set_yticks(range(len(shown)), [name.replace("_", " ") for name in shown])
        axes.invert_yaxis()
        axes.set(xlabel="accuracy of this classifier less the other's")

    return svg("differences", "Differences between two classifiers", draw, (5.4, 1.2 + 0.32 * len(shown)))


def _interval(found: Sequence[Estimate]) -> tuple[list[float], list[float], list[float]]:
    """Values, and how far the ends of their intervals lie below and above."""
    # A percentile interval can leave its own mean outside.
    below = [max(0.0, one.value - one.low) for one in found]
    above = [max(0.0, one.high - one.value) for one in found]
    return [one.value for one in found], below, above


def _short(name: str, length: int = 24) -> str:
    own = name.rsplit(" > ", 1)[-1]
    return own if len(own) <= length else f"{own[: length - 1]}…"
