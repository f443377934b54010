"""Trained towers into a bundle; where the ontology has changed since, its categories find their places anew."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from relevance.artifacts import read_manifest
from relevance.errors import ArtifactError, DataWarning
from relevance.featuriser import Featuriser
from relevance.models import Model
from relevance.ontology import Ontology
from relevance.ontology_change import OntologyChange
from relevance.towers import KIND, VERSION, TowerLayout, path_arrays


def install_towers(towers: Path, ontology: Ontology, folder: Path) -> dict[str, Any]:
    """Copies a towers artifact's files into a bundle's folder and returns its manifest.

    Of another ontology than it was trained on, each category gets its vector from the words of its path, as every
    category did at training, and a DataWarning tells what changed. Raises ArtifactError for towers that cannot be read
    or that keep no category tower.
    """
    manifest = read_manifest(towers, KIND, VERSION)
    layout = TowerLayout(towers)
    for path in (*layout.files(), layout.absent):
        shutil.copy(path, folder / path.name)
    if manifest["ontology_fingerprint"] == ontology.fingerprint:
        return manifest
    if not layout.category.is_file():
        raise ArtifactError(
            f"{towers}: trained for another ontology, and keeps no category tower; train the towers again"
        )
    change = OntologyChange(Ontology.read(layout.ontology), ontology)
    if not (change.positions >= 0).any():
        raise ArtifactError(f"{towers}: trained for another ontology, of which this dataset's has no category")
    warnings.warn(f"{towers}: trained before the ontology changed: {change}", DataWarning, stacklevel=2)
    paths = [ontology.path_text(position) for position in range(len(ontology))]
    places = Model(layout.category)(*path_arrays(Featuriser.read(layout.text), paths))[0]
    nothing = np.load(layout.categories)[-1:]
    np.save(TowerLayout(folder).categories, np.concatenate([places, nothing]).astype(np.float32))
    return manifest
