"""The general model and those of the groups to one artifact."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import write_manifest, writing
from relevance.classifier import CATEGORIES, ENCODER, KIND, VERSION, Classifier, ImageEncoder
from relevance.grouped_encoder import open_grouped
from training.classifier.answers import stated_answers
from training.classifier.export import encode, write_json
from training.classifier.material import Material
from training.classifier.options import Options
from training.classifier.train import scores_on, write_bad_photos
from training.groups.split import Group

MODEL = "model.keras"
_LEAST = 1e-9


@dataclass(frozen=True)
class Candidate:
    """A group and the folder of its model, None where it has one class. loss: mean -log p(class | group) over its
    validation photos by that model, general_loss: by the general one; None without such photos."""

    group: Group
    folder: Path | None
    loss: float | None
    general_loss: float | None

    @property
    def better(self) -> bool:
        """Whether the group's own model is used: where it is not better, it would only cost time."""
        return self.loss is not None and self.general_loss is not None and self.loss < self.general_loss


def candidates(
    general: Classifier, folders: Sequence[tuple[Group, Path | None]], material: Material, threads: int
) -> list[Candidate]:
    """Compares the models of the groups, as exported, with the general one."""
    rows = material.examples.validation
    labels = material.examples.labels[rows]
    probabilities = encode(general.encoder, material.photos, rows)
    found = []
    for group, folder in folders:
        own = (labels >= group.columns.start) & (labels < group.columns.stop)
        if folder is None or not own.any():
            found.append(Candidate(group, folder, None, None))
            continue
        within = probabilities[own, group.columns]
        label = labels[own] - group.columns.start
        ours = encode(ImageEncoder(folder / ENCODER, threads), material.photos, rows[own])
        found.append(Candidate(group, folder, _loss(ours, label), _loss(within, label)))
    return found


def _loss(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Mean -log of the label's share; of probabilities that are all 0, none is larger than another."""
    probabilities = np.maximum(probabilities, np.finfo(np.float32).tiny)
    share = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    return float(-np.log(np.maximum(share, _LEAST)).mean())


def assemble(
    out: Path,
    general: Classifier,
    folder: Path,
    found: Sequence[Candidate],
    material: Material,
    options: Options,
    **stated: Any,
) -> dict[str, Any]:
    """Writes the artifact and returns its metrics. folder: of the general model; stated: more for the manifest."""
    with writing(out, KIND) as temporary:
        for name in (ENCODER, MODEL, CATEGORIES):
            shutil.copyfile(folder / name, temporary / name)
        fields = {
            **{name: general.manifest[name] for name in _KEPT},
            **stated,
            "groups": [_entry(i, one, material, temporary) for i, one in enumerate(found)],
            "options": options.stated(),
        }
        encoder = open_grouped(temporary, fields, options.threads)
        metrics = {
            **material.counts(),
            "groups": len(found),
            "group_models": sum(one.better for one in found),
            "test": scores_on(encoder, material, material.examples.test),
            "general_test": scores_on(general.encoder, material, material.examples.test),
        }
        write_json(temporary / "metrics.json", metrics)
        write_bad_photos(temporary / "bad_photos.csv", material)
        fields["answers"] = stated_answers(encoder, material, options.error_rate)
        write_manifest(temporary, KIND, VERSION, **fields, metrics=metrics)
    return metrics


_KEPT = (
    "ontology_fingerprint", "image_size", "embedding_dim", "class_ids", "temperature", "split_seed", "test_share",
)  # fmt: skip


def _entry(i: int, candidate: Candidate, material: Material, out: Path) -> dict[str, Any]:
    """Copies the group's model, if it is used; returns what the manifest says of the group."""
    group, ids = candidate.group, material.ontology.ids
    encoder = None
    if candidate.folder is not None and candidate.better:
        encoder = f"groups/{i}/{ENCODER}"
        (out / encoder).parent.mkdir(parents=True)
        for name in (ENCODER, MODEL):
            shutil.copyfile(candidate.folder / name, (out / encoder).with_name(name))
    return {
        "category_id": ids[group.node],
        "class_ids": [ids[position] for position in material.examples.classes[group.columns]],
        "encoder": encoder,
        "validation_loss": candidate.loss,
        "general_validation_loss": candidate.general_loss,
    }
