"""A bundle: the folder that the runtime opens. All of it was built together and is checked to belong together."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from relevance.artifacts import file_sha256, read_manifest
from relevance.category_filter import CategoryCalibration
from relevance.errors import ArtifactError, BundleError
from relevance.relevance_model import RelevanceModel
from relevance.towers import TowerLayout

KIND, VERSION = "bundle", 6


@dataclass(frozen=True)
class BundleLayout:
    """The files of a bundle."""

    root: Path

    @property
    def towers(self) -> TowerLayout:
        return TowerLayout(self.root)

    @property
    def categories(self) -> Path:
        return self.root / "categories.csv"

    @property
    def image_encoder(self) -> Path:
        return self.root / "image_encoder.tflite"

    @property
    def store(self) -> Path:
        return self.root / "listings.sqlite"

    @property
    def vectors(self) -> Path:
        return self.root / "vectors.npy"

    @property
    def visual(self) -> Path:
        return self.root / "visual.npy"

    @property
    def columns(self) -> Path:
        return self.root / "columns"

    @property
    def words(self) -> Path:
        return self.root / "words.npy"

    @property
    def qualifiers(self) -> Path:
        return self.root / "qualifiers.npy"

    @property
    def seen(self) -> Path:
        return self.root / "seen_queries.json"

    @property
    def related(self) -> Path:
        return self.root / "related_queries.json"

    @property
    def related_embeddings(self) -> Path:
        return self.root / "related_queries.npy"

    @property
    def wanted(self) -> Path:
        return self.root / "wanted_values.json"

    @property
    def written(self) -> Path:
        return self.root / "written_words.json"

    @property
    def lexical(self) -> Path:
        return self.root / "lexical"

    @property
    def calibration(self) -> Path:
        return self.root / "calibration.json"


def open_manifest(root: Path) -> dict[str, Any]:
    """Returns the manifest of the bundle at `root` once every file is there, unaltered, and of one build.

    Raises BundleError naming what is missing, altered, of an unknown format version, or from another build.
    """
    try:
        manifest = read_manifest(root, KIND, VERSION)
        missing = [name for name in ("created_at", "fingerprint", "ontology_fingerprint") if name not in manifest]
        if missing:
            raise BundleError(f"{root / 'manifest.json'}: no {missing[0]}; build the bundle again")
        found = fingerprint(root, manifest["ontology_fingerprint"], manifest["files"])
    except ArtifactError as error:
        raise BundleError(str(error)) from error
    if found != manifest["fingerprint"]:
        raise BundleError(
            f"{root}: the index was built by towers with fingerprint {manifest['fingerprint'][:12]}, the towers beside "
            f"it have {found[:12]}; build the bundle again with `python -m index build`"
        )
    return manifest


def fingerprint(root: Path, ontology_fingerprint: str, known: Mapping[str, str] = MappingProxyType({})) -> str:
    """Returns one SHA-256 over text model, towers and ontology: vectors made under another one mean nothing here.
    known: the SHA-256 of files, by name, in hexadecimal; the others are read."""
    digest = hashlib.sha256(ontology_fingerprint.encode())
    for path in TowerLayout(root).files():
        if not path.is_file():
            raise ArtifactError(f"{path}: missing; build the artifact again")
        digest.update(bytes.fromhex(known.get(path.name) or file_sha256(path)))
    return digest.hexdigest()


@dataclass(frozen=True)
class Calibration:
    """What `python -m index build` fitted on held-out behaviour; `measured` says how well it did there."""

    category: CategoryCalibration
    relevance: RelevanceModel
    measured: dict[str, Any]

    def write(self, path: Path) -> None:
        """Writes the calibration as JSON."""
        path.write_text(json.dumps({"format": 1, **asdict(self)}, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """Reads what `write` wrote; raises ArtifactError for another format."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != 1:
            raise ArtifactError(f"{path}: calibration format {fields.get('format')!r}, this version reads 1")
        category, relevance = fields["category"], fields["relevance"]
        return cls(
            CategoryCalibration(**{**category, "thresholds": tuple(category["thresholds"])}),
            RelevanceModel(**{**relevance, **{name: tuple(relevance[name]) for name in ("weights", "ranking")}}),
            fields["measured"],
        )
