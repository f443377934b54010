"""How sure an answer has to be, so that few are wrong: chosen on the validation photos, or taken over."""

from pathlib import Path
from typing import Any

import numpy as np

from relevance.artifacts import read_manifest
from relevance.classifier import KIND, UNSTATED, VERSION, ImageEncoder
from relevance.decisions import TreeDecider
from relevance.errors import DataError
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


def read_calibration(folder: str | None, material: Material) -> dict[str, Any] | None:
    """Returns the manifest of a classifier that was trained in the same way on a part of these photos: its
    `temperature` and `answers` hold for one that is trained on all of them. None for no folder.

    Raises DataError where it has other classes, ArtifactError where it cannot be read.
    """
    if folder is None:
        return None
    manifest = read_manifest(Path(folder), KIND, VERSION)
    own, other = set(material.class_ids), set(manifest["class_ids"])
    if own != other:
        raise DataError(
            f"--calibration {folder}: expected a classifier of the same {len(own)} classes, found {len(other)}; they "
            f"differ in {min(own ^ other)!r}; train it on the same dataset"
        )
    return manifest
