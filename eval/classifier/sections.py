"""What the report says, section by section, in words, tables and plots."""

from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from eval.bootstrap import CONFIDENCE, RESAMPLES
from eval.classifier import plots, probability_plots
from eval.classifier.accuracy import PARTS, TOP
from eval.classifier.calibration import CATEGORY
from eval.classifier.comparison import verdict
from eval.classifier.html import beside, figure, percent, table

Result = Mapping[str, Any]


class Section(NamedTuple):
    anchor: str
    title: str
    body: str


def lead(result: Result) -> str:
    """What was measured, and the one figure."""
    labels = {
        "truth": "what the simulation knows them to show",
        "given": "the categories that the sellers gave, right or not",
    }[result["labels"]]
    return (
        f'<p class="big">{result["top_1"].text(percent=True)}</p>\n'
        f"<p>of {result['photos']:,} test photos get the right one of {result['classes']:,} categories as first guess. "
        f"No photo of these titles was used in training. Labels are {labels}; {result['of_no_class']:,} of the photos "
        "lie in a category that is no class of the classifier, and count as wrong. In brackets, here and below: "
        f"{CONFIDENCE:.0%} bootstrap intervals over titles ({RESAMPLES:,} resamples).</p>"
    )


def sections(result: Result) -> list[Section]:
    """All sections, in the order of the page."""
    found = [
        Section("accuracy", "Accuracy", _accuracy(result)),
        Section("frequency", "Frequent and rare categories", _frequency(result)),
        Section("confusion", "What is taken for what", _confusion(result)),
        Section("mistakes", "How bad the mistakes are", _mistakes(result["mistakes"])),
        Section("calibration", "Whether probabilities can be trusted", _calibration(result["calibration"])),
        Section("abstention", "When it may say nothing", _abstention(result["abstention"])),
        Section("hedging", "When it may say less", _hedging(result["hedging"])),
        Section("refused", "Photos that could not be used", _refused(result)),
    ]
    if "comparison" in result:
        found.insert(1, Section("comparison", "Compared with another", _comparison(result["comparison"])))
    return found


def _accuracy(result: Result) -> str:
    rows = [[f"top {k}", "", result[f"top_{k}"], ""] for k in TOP]
    rows[0][-1] = result["macro"]
    for level, own in result["levels"].items():
        rows.append([f"level {level}", own["categories"], own["micro"], own["macro"]])
    caption = (
        "Collapsed to a level: the probabilities of all classes under a category are added, then the best is taken."
    )
    header = ("accuracy", "categories", "over photos", "over categories")
    return beside(table(header, rows), figure(plots.levels(result["levels"]), caption))


def _comparison(compared: Result) -> str:
    rows = [
        (name.replace("_", " "), own["this"], own["other"], own["difference"], verdict(name, own))
        for name, own in compared["metrics"].items()
    ]
    words = (
        f"<p>The other one: {escape(compared['other'])}, on the same {compared['photos']:,} photos. “macro” is the "
        "mean over categories, “distance” the mean number of edges between the most probable category and the truth: "
        "less is better. The last column is empty where the interval of the difference holds 0.</p>"
    )
    drawn = figure(plots.differences(compared["metrics"]), "Right of 0: this classifier is better.")
    return words + beside(table(("", "this", "other", "difference", ""), rows), drawn)


def _frequency(result: Result) -> str:
    own = result["frequency"]
    rows = [
        (name, part["categories"], part["photos"], part["test_photos"], part["top_1"], part["macro"])
        for name, part in ((name, own[name]) for name in PARTS)
    ]
    words = f'<p>{escape(own["defined"])}. Every category by itself: <a href="categories.csv">categories.csv</a>.</p>'
    drawn = plots.photos_per_category(result["photos_per_category"], own)
    return words + beside(
        table(("", "categories", "photos", "test photos", "top 1 over photos", "over categories"), rows),
        figure(drawn, "Labelled photos of each category, in the whole dataset."),
    )


def _confusion(result: Result) -> str:
    own = result["confusion"]
    caption = f"Level {own['level']}: per cent of the photos of each true category."
    pairs = [
        (pair["truth"], pair["predicted"], pair["photos"], percent(pair["share"]), pair["distance"])
        for pair in result["confused"]
    ]
    header = ("true", "predicted", "photos", "of the true category", "distance")
    listed = table(header, pairs) if pairs else "<p>No photo is taken for another category.</p>"
    return figure(plots.confusion(own), caption, large=True) + f"<h3>Most frequent pairs</h3>{listed}"


def _mistakes(own: Result) -> str:
    rows = [
        (title, own[way]["top_1"], own[way]["distance"], own[way]["distance_of_mistakes"])
        for way, title in (("argmax", "most probable"), ("crm", "least expected distance"))
    ]
    rows.append(("difference", own["difference"]["top_1"], own["difference"]["distance"], ""))
    words = (
        "<p>The distance of an answer is the number of edges between it and the truth in the category tree. The same "
        "probabilities can be decided by their maximum, or by the expected distance over the tree.</p>"
    )
    caption = "Mistakes by distance: 2 edges for a sibling, more the farther up the paths part."
    return words + beside(
        table(("answer", "top 1", "mean distance", "of mistakes"), rows), figure(plots.distances(own), caption)
    )


def _calibration(own: Result) -> str:
    rows = [
        ("category" if name == CATEGORY else f"level {name}", level["expected_calibration_error"])
        for name, level in own.items()
    ]
    caption = "On the dashed line, what is said with 70 % comes true in 70 % of the cases. Area: photos."
    drawn = figure(probability_plots.reliability(own), caption)
    return beside(table(("", "expected calibration error"), rows), drawn)


def _abstention(own: Result) -> str:
    rows = [(percent(float(accuracy)), percent(share)) for accuracy, share in own["coverage_at"].items()]
    words = (
        "<p>The most probable category, or no answer where its probability is too low. Area under the risk-coverage "
        f"curve (0 is best): {own['aurc']:.4f}.</p>"
    )
    drawn = figure(probability_plots.coverage(own), "Photos are answered from the surest on.")
    return words + beside(table(("with this accuracy", "can be answered"), rows), drawn)


def _hedging(own: Result) -> str:
    stated = own["stated"]
    header = ("stated", "not wrong", "answered", "right of these", "mean level")
    rows = [
        (percent(one["stated"]), one["accuracy"], one["answered"], one["accuracy_of_answers"], one["mean_depth"])
        for one in stated
    ]
    where = ("stated", "thresholds", "no answer", *(f"level {level}" for level in range(1, len(stated[0]["levels"]))))
    shares = [
        (percent(one["stated"]), ", ".join(f"{t:.2f}" for t in one["thresholds"]), *map(percent, one["levels"]))
        for one in stated
    ]
    words = (
        "<p>The answer is the deepest category that is more probable than a threshold, or none. An answer is right "
        "where the true category lies under it. For a stated share that must not be wrong, the threshold is chosen on "
        "one half of the titles and measured on the other, and the other way round.</p>"
    )
    return (
        words
        + table(header, rows)
        + table(where, shares)
        + beside(
            figure(probability_plots.answered_levels(own), "The higher the threshold, the higher up the answer."),
            figure(probability_plots.hedging(own), "Thresholds from 0.1 (right end) to 1 (left end)."),
        )
    )


def _refused(result: Result) -> str:
    rows = [
        (reason, own["photos"], ", ".join(own["first"]) + (", …" if own["photos"] > len(own["first"]) else ""))
        for reason, own in result["refused"].items()
    ]
    words = f"<p>{result['without_usable_photo']:,} listings of the test part have no photo that can be used.</p>"
    if not rows:
        return words
    every = '<p>All of them: <a href="bad_photos.csv">bad_photos.csv</a>.</p>'
    return words + table(("reason", "photos", "which"), rows) + every
