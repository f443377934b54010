"""`python -m eval bench encoder`: which runtime encodes photos fastest on this machine, and does it agree.

Where the machine does other work too, processor time is to be trusted more than the clock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from tqdm import tqdm, trange

from eval.figures_file import FiguresFile
from eval.textable import text_table
from relevance.artifacts import write_text_atomic
from relevance.classifier import Classifier, Encoded
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.photos.batches import BATCH, map_batches, photo_batches


@dataclass(frozen=True)
class Row:
    """One way to encode, medians over the rounds. photos_per_second: by the clock; processor_ms: time of all cores a
    photo; ratio and processor_ratio: how many times better than `keras.predict` in the same round; cosine: the
    lowest between its embedding of a photo and that of Keras; difference: the largest between two probabilities."""

    name: str
    batch: int
    calls: int
    threads: int
    photos_per_second: float
    processor_ms: float
    ratio: float
    processor_ratio: float
    cosine: float
    difference: float


def command(
    classifier: Annotated[Path, typer.Option(help="The folder of a trained classifier.")],
    dataset: Annotated[Path, typer.Option(help="Dataset folder with photos.")],
    photos: Annotated[int, typer.Option(min=32, help="How many to encode.")] = 512,
    rounds: Annotated[int, typer.Option(min=1, help="Each way is timed once a round.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Cores to use.")] = 2,
    out: FiguresFile = None,
) -> None:
    """Time the image encoder in every runtime that is installed, side by side."""
    import os

    from eval.benchmarks.runtimes import not_installed

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    model = Classifier.open(classifier)
    source = Dataset.open(dataset)
    images = [paths for paths in source.read_listings().images if paths][:photos]
    pixels, decoding = decoded(source.root, images, model)
    rows = measure(classifier, pixels, rounds, threads)
    passed = catalogue_pass(classifier, source.root, images, rounds, threads)
    if out:
        figures = {"photos": len(pixels), "decoding_seconds": decoding, "catalogue_pass": passed._asdict()}
        write_text_atomic(out, json.dumps(figures | {"runtimes": [asdict(row) for row in rows]}, indent=1) + "\n")
    typer.echo(report(rows, len(pixels), decoding, passed))
    if missing := not_installed():
        typer.echo(f"left out, for want of packages that may be installed beside: {', '.join(sorted(missing))}")


def decoded(root: Path, images: Sequence[Sequence[str]], model: Classifier) -> tuple[NDArray[np.uint8], float]:
    """The usable photos, uint8 `[n, height, width, 3]`, and the processor time a photo took."""
    batches = list(photo_batches(root, images, model.encoder.image_size, threads=1))
    pixels = np.concatenate([batch.photos for batch in batches]) if batches else np.empty(0, np.uint8)
    if not len(pixels):
        raise DataError(f"{root}: no listing has a usable photo")
    return pixels, sum(batch.seconds for batch in batches) / len(pixels)


def measure(folder: Path, pixels: NDArray[np.uint8], rounds: int, threads: int) -> list[Row]:
    """Times all ways in turn, round by round, so that what else the machine does falls on all of them alike."""
    from eval.benchmarks.runtimes import runtimes

    ways = list(runtimes(folder, threads))
    results = [way.run(pixels) for way in tqdm(ways, "warm-up")]
    taken = np.array([[timed(partial(way.run, pixels)) for way in ways] for _ in trange(rounds, desc="rounds")])
    clock, processor = taken[..., 0], taken[..., 1]
    return [
        Row(
            way.name,
            way.batch,
            way.calls,
            way.threads,
            float(np.median(len(pixels) / clock[:, i])),
            float(np.median(1000 * processor[:, i] / len(pixels))),
            float(np.median(clock[:, 0] / clock[:, i])),
            float(np.median(processor[:, 0] / processor[:, i])),
            *agreement(results[0], results[i]),
        )
        for i, way in enumerate(ways)
    ]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that the call takes, by the clock and of processor time (all threads)."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def agreement(reference: Encoded, other: Encoded) -> tuple[float, float]:
    """The lowest cosine between two embeddings of one photo, and the largest difference between two probabilities."""
    cosines = np.einsum("nd,nd->n", reference.embeddings, other.embeddings)
    return float(cosines.min()), float(np.abs(reference.probabilities - other.probabilities).max())


class Passes(NamedTuple):
    """Photos a second from file to embedding, medians over the rounds: ours, as `python -m index listings` does it, and
    that of `keras.predict` behind `tf.data`; ratio: the median of ours to that of the same round."""

    ours: float
    keras: float
    ratio: float


def catalogue_pass(folder: Path, root: Path, images: Sequence[Sequence[str]], rounds: int, threads: int) -> Passes:
    """Times both passes in turn, over the listings' first photos in the dataset folder `root`."""
    from eval.benchmarks.runtimes import keras_from_files

    encoder = Classifier.open(folder).encoder
    firsts = [paths[:1] for paths in images]

    def ours() -> None:
        for _ in map_batches(photo_batches(root, firsts, encoder.image_size, threads), encoder, threads):
            pass

    ways = (ours, keras_from_files(folder, [str(root / path) for (path,) in firsts], encoder.image_size))
    for way in ways:
        way()
    taken = np.array([[timed(way)[0] for way in ways] for _ in range(rounds)])
    ours_median, keras_median = np.median(len(images) / taken, axis=0).tolist()
    return Passes(ours_median, keras_median, float(np.median(taken[:, 1] / taken[:, 0])))


def report(rows: Sequence[Row], photos: int, decoding: float, passed: Passes) -> str:
    """The figures as a table, cheapest first, and what they mean for a catalogue."""
    table = text_table(
        ["runtime", "batch", "calls", "threads", "photos/s", "ratio", "cpu ms", "ratio", "cosine", "difference"],
        [
            [
                row.name,
                str(row.batch),
                str(row.calls),
                str(row.threads),
                f"{row.photos_per_second:.0f}",
                f"{row.ratio:.2f}",
                f"{row.processor_ms:.2f}",
                f"{row.processor_ratio:.2f}",
                f"{row.cosine:.6f}",
                f"{row.difference:.1e}",
            ]
            for row in sorted(rows, key=lambda row: row.processor_ms)
        ],
    )
    used = min((row for row in rows if row.name == "LiteRT"), key=lambda row: abs(row.batch - BATCH))
    share = decoding / (decoding + used.processor_ms / 1000)
    return "\n".join(
        (
            table,
            f"{photos} photos; ratio: to {rows[0].name}; cosine and difference: at worst, to its results",
            f"decoding takes {1000 * decoding:.2f} ms of processor time a photo, {share:.0%} of a catalogue pass",
            f"catalogue pass, decoding included: {passed.ours:.0f} photos/s, {passed.ratio:.2f} times {rows[0].name} "
            f"behind tf.data ({passed.keras:.0f}), {passed.ours / rows[0].photos_per_second:.2f} times {rows[0].name} "
            "without decoding",
        )
    )
