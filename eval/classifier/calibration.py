"""Whether probabilities mean what they say, for the categories themselves and for every level above."""

from typing import Any

from eval.classifier.measured import Predictions
from relevance.classification import Floats, Hits, expected_calibration_error, reliability

CATEGORY = "category"
"""Name of the categories themselves, beside levels "1", "2", …."""


def calibration(predictions: Predictions) -> dict[str, Any]:
    """Returns by level the expected calibration error of the best category, and the bins of the reliability plot:
    [photos, mean probability, share that is right] each."""
    found = {CATEGORY: _figures(predictions.confidence, predictions.hits)}
    for level in predictions.levels:
        collapsed = predictions.collapsed(level)
        found[str(level)] = _figures(collapsed.confidence, collapsed.hits)
    return found


def _figures(confidence: Floats, hits: Hits) -> dict[str, Any]:
    bins = reliability(confidence, hits)
    rows = zip(bins.photos.tolist(), bins.confidence.tolist(), bins.accuracy.tolist(), strict=True)
    return {
        "expected_calibration_error": round(expected_calibration_error(confidence, hits), 6),
        "bins": [[photos, round(mean, 6), round(right, 6)] for photos, mean, right in rows],
    }
