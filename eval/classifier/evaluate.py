"""All figures of a classifier's predictions."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.classifier.abstention import abstention, hedging
from eval.classifier.accuracy import accuracy, frequency, hit_columns
from eval.classifier.calibration import CATEGORY, calibration
from eval.classifier.measured import Predictions
from eval.classifier.mistakes import confused, confusion, mistakes
from relevance.photos.batches import BadPhoto


def evaluate(predictions: Predictions, photos: NDArray[np.int64], seed: int = 0) -> dict[str, Any]:
    """Returns the figures, ready for JSON but for the estimates (see `Estimate.to_dict`).

    photos: int64 `[categories]`, how many labelled photos the whole dataset has of each category; seed: of bootstrap
    and halves.
    """
    calibrated = calibration(predictions)
    return {
        "photos": len(predictions),
        "of_no_class": int((~np.isin(predictions.labels, predictions.classes)).sum()),
        "classes": len(predictions.classes),
        **accuracy(predictions, hit_columns(predictions), seed),
        "expected_calibration_error": calibrated[CATEGORY]["expected_calibration_error"],
        "calibration": calibrated,
        "photos_per_category": np.sort(photos[photos > 0])[::-1].tolist(),
        "frequency": frequency(predictions, photos, seed),
        "confusion": confusion(predictions),
        "confused": confused(predictions),
        "mistakes": mistakes(predictions, seed),
        "abstention": abstention(predictions),
        "hedging": hedging(predictions, seed),
    }


def refusals(refused: Sequence[BadPhoto]) -> dict[str, dict[str, Any]]:
    """Returns by reason how many photos could not be used, most first, and the paths of the first five."""
    counts = Counter(reason for _, _, reason in refused)
    return {
        reason: {"photos": count, "first": [path for _, path, own in refused if own == reason][:5]}
        for reason, count in counts.most_common()
    }
