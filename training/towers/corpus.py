"""Gathers what the towers learn from: catalogue, predictions from photos, behaviour before the cut."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.dataset import Dataset, Listings
from relevance.events import find_behaviour, tell_left_out
from relevance.interactions import Interactions, interactions
from relevance.listing_index import ListingIndex
from relevance.ontology import Ontology
from relevance.splits import tell_empty_parts, time_split
from relevance.text import tokens


@dataclass(frozen=True)
class Corpus:
    """category: int32 `[listings]`, position in the ontology (given, else predicted from the photo, else -1);
    visual: float32 `[listings, visual_dim]`, by the classifier of the fingerprint `classifier`, "" without photos;
    train and held: pairs before the cut and in the calibration span."""

    ontology: Ontology
    listings: Listings
    category: NDArray[np.int32]
    visual: NDArray[np.float32]
    train: Interactions
    held: Interactions
    dropped_events: int
    """Events on listings that the catalogue does not have: counted, and not learned from."""
    classifier: str = ""


def read_corpus(
    dataset: Path,
    listing_index: Path | None,
    rewrites: bool = True,
    position_weights: bool = True,
    click_rates: bool = True,
) -> Corpus:
    """Reads a dataset and its listing index (None for a catalogue without photos); raises DataError or ArtifactError
    when they do not fit together. A DataWarning tells which behaviour is not learned from. Without rewrites, position
    weights or click rates, the pairs to train on are; those held out have them always, so that trainings are measured
    alike."""
    folder = Dataset.open(dataset)
    ontology = folder.read_ontology()
    listings = folder.read_listings(ontology)
    index = ListingIndex.read(listing_index, ontology, listings)
    category, _ = index.categories(ontology, listings.category_ids)
    rows = {listing: row for row, listing in enumerate(listings.ids)}
    behaviour = find_behaviour(dataset, rows.keys())
    tell_left_out(dataset, behaviour)
    span = time_split(behaviour.query_times)
    tell_empty_parts(dataset, behaviour.query_times, span)
    return Corpus(
        ontology=ontology,
        listings=listings,
        category=category,
        visual=index.embeddings,
        classifier=index.classifier,
        train=interactions(
            behaviour,
            span == 0,
            rows,
            category if click_rates else None,
            rewrites=rewrites,
            by_position=position_weights,
        ),
        held=interactions(behaviour, span == 1, rows, category),
        dropped_events=behaviour.dropped_unknown_listings,
    )


def asked_texts(corpus: Corpus) -> list[str]:
    """Returns the training queries, those that several searches asked twice: a word counts as seen twice when it was
    asked twice, be it in the same words."""
    return [*corpus.train.queries, *corpus.train.repeated]


def known_words(corpus: Corpus, least: int = 1) -> frozenset[str]:
    """Returns the words of at least so many titles and queries, or of categories' names, and those of two words of a
    title or query that are written as one."""
    known: Counter[str] = Counter()
    for text in (*corpus.listings.titles, *corpus.train.queries):
        words = tokens(text)
        known.update({*words, *map("".join, pairwise(words))})
    return corpus.ontology.name_words | {word for word, count in known.items() if count >= least}
