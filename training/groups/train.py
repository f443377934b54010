"""One training run, from a dataset and, if there is one, a classifier to a classifier in groups."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from relevance.artifacts import read_manifest, refuse_foreign, write_manifest, writing
from relevance.classifier import KIND, VERSION, Classifier
from relevance.errors import DataError
from training.classifier.checkpoint import Weights
from training.classifier.distribution import Distribution, open_distribution
from training.classifier.export import export, write_json
from training.classifier.material import Material, read_material
from training.classifier.network import deployable
from training.classifier.options import Options
from training.classifier.train import fitted_temperature, train_classifier, trained
from training.fingerprint import fingerprint
from training.groups.assemble import MODEL, assemble, candidates
from training.groups.split import Group, only, split

BOUND = 0.02
_KIND, _VERSION = "classifier-group", 1


@dataclass(frozen=True)
class Split:
    """level: of the categories that become groups, 1 = top; bound: the probability of a group from which its model
    runs on a photo."""

    level: int
    bound: float = BOUND


def run(dataset: Path, general: Path | None, out: Path, where: Split, options: Options) -> dict[str, Any] | None:
    """Splits a classifier's classes into groups, trains a model for each and writes a classifier whose probabilities
    are p(group) · p(class | group); returns its metrics (None for a worker that is not the chief).

    general: the classifier to split, whose own options then count (see :func:`options_of`); None trains one first. An
    interrupted run goes on where it was. Raises DataError for a level that makes no groups, for a classifier of other
    classes and for one without validation photos.
    """
    refuse_foreign(out, KIND)
    devices = open_distribution(options.distribute)
    options = options if general is None else options_of(general, options)
    _refuse_without_validation(general, options)
    material = read_material(dataset, options, devices.worker)
    groups = split(material.ontology, material.examples.classes, where.level)
    work = out.with_name(f".{out.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    general = general or _general(material, work / "general", options, devices)
    opened = _opened(general, material, options.threads)
    folders = [(group, work / f"{i}" if group.size > 1 else None) for i, group in enumerate(groups)]
    trunk = keras.saving.load_model(general / MODEL).get_layer("trunk").get_weights()
    for group, folder in folders:
        if folder is not None:
            _train_group(opened, trunk, group, material, folder, options, devices)
    metrics = None
    if devices.chief:
        found = candidates(opened, folders, material, options.threads)
        metrics = assemble(out, opened, general, found, material, options, level=where.level, bound=where.bound)
    devices.wait()
    if devices.chief:
        shutil.rmtree(work)
    return metrics


def _refuse_without_validation(general: Path | None, options: Options) -> None:
    """Raises DataError where all photos are learned from: nothing would tell which groups' models to use."""
    if options.calibration is None:
        return
    if general is None:
        what, instead = f"--calibration {options.calibration}", "leave it out"
    else:
        what, instead = f"--classifier {general}: it was made with --calibration", "give one made without"
    raise DataError(
        f"{what}: groups need validation photos, which tell whose model is better and how sure an answer has to be; "
        f"{instead}"
    )


def options_of(general: Path, options: Options) -> Options:
    """The options that a classifier was made with; `options` decides how it is computed, and, where it states them,
    epochs, batch, learning rate and first trained layer."""
    manifest = read_manifest(general, KIND, VERSION)
    own = Options(**{**manifest["options"], "cache": options.cache, "image_size": tuple(manifest["image_size"])})
    given = {name: getattr(options, name) for name in ("epochs", "batch", "learning_rate", "fine_tune_from")}
    given = {name: value for name, value in given.items() if value is not None}
    return replace(own, threads=options.threads, distribute=options.distribute, **given)


def _general(material: Material, folder: Path, options: Options, devices: Distribution) -> Path:
    """Trains the general model, unless an interrupted run of the same data and options has."""
    stated = json.loads(json.dumps({"material": material.fingerprint, **options.stated()}))
    note = folder.with_name("general.json")
    if not (note.is_file() and json.loads(note.read_text(encoding="utf-8")) == stated):
        train_classifier(material, folder, options, devices)
        if devices.chief:
            write_json(note, stated)
    return folder


def _opened(general: Path, material: Material, threads: int) -> Classifier:
    """The general model; raises DataError where this dataset does not give the classes that it has."""
    opened = Classifier.open(general, material.ontology, threads)
    own, known = set(material.examples.classes.tolist()), set(opened.class_positions.tolist())
    if own != known:
        example = material.ontology.path_text(min(own ^ known))
        raise DataError(
            f"--classifier {general}: expected the {len(own)} classes that this dataset gives, found {len(known)} "
            f"(they differ in {example!r}); train it again with `python -m training classifier`"
        )
    return opened


def _train_group(
    general: Classifier,
    trunk: Weights,
    group: Group,
    material: Material,
    folder: Path,
    options: Options,
    devices: Distribution,
) -> None:
    """Writes the group's `model.keras` and image encoder to `folder`, unless they are there."""
    own = replace(material, examples=only(material.examples, group))
    key = fingerprint([options.stated(), material.fingerprint, general.fingerprint], [own.examples.classes])
    if _key_of(folder) == key:
        return
    if devices.chief:
        print(
            f"group {material.ontology.path_text(group.node)}: {group.size} classes, {len(own.examples.train)} photos"
        )
    work = folder.with_name(f".{folder.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    network = trained(own, options, work, key, devices, trunk)
    if devices.chief:
        temperature = fitted_temperature(network, own, options.views)
        with writing(folder, _KIND) as temporary:
            export(deployable(network, temperature, options.views), temporary)
            write_manifest(temporary, _KIND, _VERSION, key=key, temperature=temperature)
        shutil.rmtree(work)
    keras.backend.clear_session()  # the memory of its graphs


def _key_of(folder: Path) -> str | None:
    if not folder.is_dir():
        return None
    return str(read_manifest(folder, _KIND, _VERSION)["key"])
