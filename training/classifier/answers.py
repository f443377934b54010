"""How sure an answer has to be, so that few are wrong: chosen on the validation photos."""

from typing import Any

import numpy as np

from relevance.classifier import UNSTATED, ImageEncoder
from relevance.decisions import TreeDecider
from training.classifier.export import encode
from training.classifier.material import Material


def stated_answers(encoder: ImageEncoder, material: Material, error_rate: float) -> dict[str, Any]:
    """Returns what the manifest says of answers: `threshold` (see :meth:`TreeDecider.hedged`), the `error_rate` it was
    chosen for, and on how many `photos`. encoder: as exported.

    error_rate is None, and the threshold UNSTATED, where there are too few validation photos to promise anything.
    These photos have also chosen round and temperature, so the rate is kept a little less well than on new ones.
    """
    examples = material.examples
    rows = examples.validation
    found: dict[str, Any] = {"threshold": UNSTATED, "error_rate": None, "photos": len(rows)}
    if error_rate * (len(rows) + 1) < 1:
        print(f"answers: {len(rows)} validation photos are too few to keep errors under {error_rate:.0%}")
        return found
    decider = TreeDecider(material.ontology, examples.classes)
    labels = np.asarray(examples.categories[rows], np.int32)
    threshold = decider.choose_threshold(encode(encoder, material.photos, rows), labels, 1 - error_rate)
    return found | {"threshold": threshold, "error_rate": error_rate}
