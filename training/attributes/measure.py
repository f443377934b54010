"""How good an attribute model is, on photos that neither it nor the classifier was trained on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.classification import expected_calibration_error, macro
from training.attributes.examples import ABSENT, Attribute, Rows


def scores(attribute: Attribute, train: Rows, test: Rows, probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """Figures of one attribute over the test listings that give it, as JSON values; None where there are none.

    probabilities: float32 `[len(test), values]`. A value that is no class is a miss. majority: the accuracy of always
    naming the most frequent value of the training photos. macro: the mean over the values of the share of hits.
    """
    given = attribute.labels[test] != ABSENT
    labels, texts = attribute.labels[test][given], attribute.texts[test][given]
    most_frequent = np.bincount(attribute.labels[train][attribute.labels[train] >= 0]).argmax()
    if not len(labels):
        return {"photos": 0, "accuracy": None, "macro": None, "majority": None, "expected_calibration_error": None}
    probabilities = probabilities[given]
    hits = probabilities.argmax(axis=1) == labels
    return {
        "photos": len(labels),
        "accuracy": float(hits.mean()),
        "macro": macro(hits, np.unique(texts, return_inverse=True)[1].astype(np.int32)),
        "majority": float((labels == most_frequent).mean()),
        "expected_calibration_error": expected_calibration_error(probabilities.max(axis=1), hits),
    }
