"""The trained network to the files that serving reads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.classifier import ENCODER, ImageEncoder
from training.classifier.photos import Photos
from training.litert import to_litert


def export(model: Any, folder: Path) -> None:
    """Writes `model.keras` and the LiteRT image encoder (float32, any batch size)."""
    model.save(folder / "model.keras")
    (folder / ENCODER).write_bytes(to_litert(model))


def encode(encoder: ImageEncoder, photos: Photos, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Probabilities of the photos at `rows` from the exported encoder, `[len(rows), c]`."""
    out = np.zeros((len(rows), encoder.classes), np.float32)
    for start in range(0, len(rows), 64):
        out[start : start + 64] = encoder(photos.take(rows[start : start + 64])).probabilities
    return out


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Readable and strict: a NaN is an error."""
    path.write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", encoding="utf-8")
