"""`python -m index listings`: every listing's photo becomes a predicted category, attributes and a visual embedding."""

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from index.chunks import CHUNK, Chunk, Chunks, unfinished
from index.listing_files import write_listing_files
from relevance.artifacts import MANIFEST, file_sha256, write_manifest, writing
from relevance.classifier import ENCODER
from relevance.dataset import Dataset, Listings
from relevance.listing_index import CATEGORIES, KIND, VERSION
from relevance.ontology import Ontology
from relevance.photos.batches import files_fingerprint, map_batches, photo_batches
from relevance.photos.model import PhotoModel

_CHUNKS = 2
"""What a chunk holds; one of another number is not gone on from."""


@dataclass
class Pace:
    """How fast a run was. photos: encoded by this run; seconds: from its first photo to its last; model_seconds: of the
    calls of the model, summed over the workers; decoding_seconds: processor time."""

    workers: int
    photos: int = 0
    seconds: float = 0.0
    model_seconds: float = 0.0
    decoding_seconds: float = 0.0

    def __str__(self) -> str:
        if not self.photos:
            return "no photo was left to encode"
        share = self.decoding_seconds / (self.decoding_seconds + self.model_seconds)
        busy = self.model_seconds / (self.workers * self.seconds)
        return (
            f"{self.photos:,} photos, {self.photos / self.seconds:.0f} a second; decoding was {share:.0%} of the work "
            f"and went on beside the model, which was busy {busy:.0%} of the time"
        )


@dataclass(frozen=True)
class Summary:
    """counts: of listings and photos; pace: of this run alone."""

    counts: dict[str, int]
    pace: Pace = field(compare=False)


def run(
    dataset: Path,
    classifier: Path,
    out: Path,
    attributes: Sequence[Path] = (),
    threads: int = 2,
    chunk: int = CHUNK,
) -> Summary:
    """Runs the classifier and its chains over a dataset's photos and writes a listing index.

    What is done is saved every `chunk` listings. A run that was killed is gone on with by the next one with the same
    data and models; the result is the same. Raises DataError for a dataset, and ArtifactError for models, that cannot
    be read or do not fit together.
    """
    source = Dataset.open(dataset)
    ontology = source.read_ontology()
    model = PhotoModel.open(classifier, ontology, attributes)
    listings = source.read_listings(ontology)
    pace = Pace(threads)
    key = _key(source, ontology, listings, [classifier, *attributes], chunk)
    with unfinished(out, key, len(listings), chunk) as chunks:
        encode_missing(model, source.root, listings, chunks, pace)
        with writing(out, KIND) as folder:
            shutil.copyfile(classifier / ENCODER, folder / ENCODER)
            ontology.write(folder / CATEGORIES)
            counts = write_listing_files(folder, listings, chunks, model)
            write_manifest(
                folder,
                KIND,
                VERSION,
                ontology_fingerprint=ontology.fingerprint,
                classifier_fingerprint=model.classifier.fingerprint,
                attribute_fingerprints=[chain.fingerprint for chain in model.chains],
                embedding_dim=model.classifier.encoder.embedding_dim,
                class_ids=[ontology.ids[p] if p >= 0 else None for p in model.classifier.output_positions.tolist()],
                counts=counts,
            )
    return Summary(counts, pace)


def _key(source: Dataset, ontology: Ontology, listings: Listings, models: Sequence[Path], chunk: int) -> str:
    """Names what a run is made of."""
    parts = (VERSION, _CHUNKS, chunk, files_fingerprint(source.root, listings.images), ontology.fingerprint)
    digest = hashlib.sha256(f"{' '.join(map(str, parts))}\n".encode())
    for folder in models:
        digest.update(f"{file_sha256(folder / MANIFEST)}\n".encode())
    for listing_id in listings.ids:
        digest.update(f"{json.dumps(listing_id)}\n".encode())
    return digest.hexdigest()


def encode_missing(model: PhotoModel, root: Path, listings: Listings, chunks: Chunks, pace: Pace) -> None:
    """Makes the chunks that are not there yet."""
    missing = [part for part in chunks.parts() if not chunks.done(part)]
    with tqdm(total=len(listings), desc="listings", unit="listing") as progress:
        progress.update(len(listings) - sum(part.stop - part.start for part in missing))
        progress.unpause()  # what an earlier run did does not count for the speed
        for part in missing:
            chunks.save(part, encode_chunk(model, root, listings, part, pace, progress))


def encode_chunk(model: PhotoModel, root: Path, listings: Listings, part: slice, pace: Pace, progress: tqdm) -> Chunk:
    """Runs the model over the first usable photo of each of the listings."""
    images = listings.images[part]
    chunk = Chunk.empty(len(images), model.classifier.encoder.embedding_dim)
    began = time.perf_counter()
    batches = photo_batches(root, images, model.image_size, pace.workers)
    for batch, found, seconds in map_batches(batches, model, pace.workers):
        chunk.best[batch.rows] = found.probabilities.argmax(axis=1)
        chunk.probability[batch.rows] = found.probabilities.max(axis=1)
        answers = model.classifier.answers(found.probabilities)
        # No answer has the probability 1, that of everything.
        chunk.answer[batch.rows] = answers.nodes
        chunk.answer_probability[batch.rows] = np.where(answers.nodes >= 0, answers.probabilities, 0)
        chunk.embeddings[batch.rows] = found.embeddings
        for row, attributes in zip(batch.rows.tolist(), found.attributes, strict=True):
            chunk.attributes[row] = attributes
        chunk.bad.extend((part.start + row, image, reason) for row, image, reason in batch.bad)
        pace.photos += len(batch.rows)
        pace.model_seconds += seconds
        pace.decoding_seconds += batch.seconds
        progress.update(batch.seen)
    pace.seconds += time.perf_counter() - began
    return chunk
