"""The figures in short, for the terminal."""

from collections.abc import Mapping
from typing import Any

from eval.bootstrap import CONFIDENCE, RESAMPLES
from eval.classifier.accuracy import TOP
from eval.classifier.comparison import verdict
from eval.textable import text_table


def report(result: Mapping[str, Any]) -> str:
    """Returns accuracies as a table, at the categories themselves and collapsed to every level, and a line each on
    mistakes, probabilities and what is gained by saying less."""
    crm, argmax = (result["mistakes"][way] for way in ("crm", "argmax"))
    hedged = next(one for one in result["hedging"]["stated"] if one["stated"] == 0.95)
    lines = [
        _accuracies(result),
        f"{result['photos']} test photos, labels: {result['labels']}; "
        f"calibration error {result['expected_calibration_error']:.3f}",
        f"mean distance to the truth {argmax['distance'].text()}, "
        f"decided by expected distance {crm['distance'].text()}",
        f"asked to be wrong of at most 5 %: answers {hedged['answered'].text(percent=True)}, "
        f"at level {hedged['mean_depth'].text()}, not wrong {hedged['accuracy'].text(percent=True)}",
        *([_compared(result["comparison"])] if "comparison" in result else []),
        f"in brackets: {CONFIDENCE:.0%} bootstrap intervals over titles ({RESAMPLES} resamples)",
    ]
    if result["refused"]:
        reasons = ", ".join(f"{own['photos']} {reason}" for reason, own in result["refused"].items())
        lines.insert(2, f"photos that could not be used: {reasons}")
    return "\n".join(lines)


def _accuracies(result: Mapping[str, Any]) -> str:
    rows = [[f"top {k}", "", result[f"top_{k}"].text(), ""] for k in TOP]
    rows[0][-1] = result["macro"].text()
    rows += [
        [f"level {level}", str(own["categories"]), own["micro"].text(), own["macro"].text()]
        for level, own in result["levels"].items()
    ]
    return text_table(["accuracy", "categories", "of photos", "of categories"], rows)


def _compared(compared: Mapping[str, Any]) -> str:
    rows = [
        [name.replace("_", " "), *(own[way].text() for way in ("this", "other", "difference")), verdict(name, own)]
        for name, own in compared["metrics"].items()
    ]
    return text_table([f"against {compared['other']}", "this", "other", "difference", ""], rows)
