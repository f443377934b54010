"""A classifier and its attribute models to a SavedModel, as TensorFlow Serving loads it."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from relevance.artifacts import write_manifest, writing
from relevance.errors import ArtifactError
from relevance.photos.model import PhotoModel
from training.serving.networks import Networks
from training.serving.predictions import Predictions

KIND, VERSION = "saved_model", 1


def run(classifier: Path, out: Path, attributes: Sequence[Path] = (), k: int = 5) -> Path:
    """Writes the next version, `out/1` and so on, and returns its folder. A server that watches `out` takes it up.

    Raises ArtifactError for models that cannot be read or were not trained together, and where `out` is a file.
    """
    if out.is_file():
        raise ArtifactError(f"{out}: expected a folder to write versions to, found a file; choose another --out")
    model = PhotoModel.open(classifier, attributes=attributes)
    predictions = Predictions(model, Networks.load(classifier, model.classifier, attributes), k)
    version = out / str(_next_version(out))
    with writing(version, KIND) as folder:
        tf.saved_model.save(predictions, str(folder), signatures=predictions.serve)
        write_manifest(
            folder,
            KIND,
            VERSION,
            image_size=model.image_size,
            classifier_fingerprint=model.classifier.fingerprint,
            ontology_fingerprint=model.ontology.fingerprint,
            attributes=[{"under": chain.manifest["under"], "fingerprint": chain.fingerprint} for chain in model.chains],
        )
    return version


def _next_version(out: Path) -> int:
    found = [int(path.name) for path in out.glob("*/") if path.name.isdecimal()] if out.is_dir() else []
    return max(found, default=0) + 1
