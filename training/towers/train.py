"""Trains the towers: corpus, features, starting vectors, epochs, artifact."""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow: TensorFlow Recommenders needs tf-keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Collection
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from relevance.absent import AbsentWords
from relevance.artifacts import refuse_foreign, write_manifest, writing
from relevance.featuriser import Featuriser
from relevance.timing import Stopwatch
from relevance.towers import KIND, VERSION, TowerLayout, path_arrays
from training.outputs import refuse_unwritable
from training.towers.absent import absent_words
from training.towers.checkpoint import Checkpoint
from training.towers.compose import Composer
from training.towers.corpus import Corpus, known_words, read_corpus
from training.towers.examples import fit_featuriser, make_examples, make_features, session_sentences
from training.towers.export import export_category, export_listing, export_query
from training.towers.fillers import find_fillers
from training.towers.fit import fit
from training.towers.lexical_names import NO_NAMES, lexical_names
from training.towers.lexicon import read_lexicon
from training.towers.metrics import held_out_metrics
from training.towers.model import Towers
from training.towers.options import Options
from training.towers.prior import NO_PRIOR, read_prior
from training.towers.retrieval import RetrievalModel
from training.towers.snapshots import Snapshots, Trained
from training.towers.vectors import starting_table

OFTEN = 3
"""Titles and queries that tell what a word means; of one that fewer have, the lexicon may."""


def run(
    dataset: Path, listing_index: Path | None, out: Path, options: Options, snapshots: Collection[int] = ()
) -> dict[str, Any]:
    """Trains on the first 70 % of the behaviour and writes a towers artifact; returns its metrics. snapshots: numbers
    of steps after which the towers are written too, to a folder beside `out`. The time in the manifests begins when
    the dataset is read."""
    refuse_foreign(out, KIND)
    refuse_unwritable(out)
    tf_keras.utils.disable_interactive_logging()
    tf_keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    dice = Random(options.seed)
    lexicon = read_lexicon(Path(options.lexicon)) if options.lexicon else None
    corpus = read_corpus(dataset, listing_index, options.rewrites, options.position_weights, options.click_rates)
    watch = Stopwatch()
    prior = read_prior(options.text_prior) if options.text_prior else NO_PRIOR
    if not len(corpus.train):
        what = "no click or message follows a query of the first 70 % in time"
        print(f"{dataset}: {what}; learning from the catalogue", file=sys.stderr)
    fillers = find_fillers(corpus, prior)
    composer = Composer(corpus, fillers.said)
    lexical = NO_NAMES
    if lexicon is not None:
        words = (known_words(corpus), known_words(corpus, OFTEN))
        lexical = lexical_names(lexicon, corpus.ontology, composer.called, *words)
    learned, left = absent_words(corpus, prior, fillers, lexical)
    absent = learned.queries(options.absent, dice)
    examples = make_examples(corpus, options, fillers, composer, lexical, absent, dice)
    prior = prior.reduced(session_sentences(corpus), options.prior_dim)
    featuriser = fit_featuriser(corpus, fillers, lexical, examples.queries, prior.pieces, options.ngram_sizes)
    towers = Towers(_table(corpus, featuriser, options), prior.vectors, options.prior_share)
    features = make_features(corpus, examples, featuriser)
    model = RetrievalModel(towers, features, options)
    checkpoint = Checkpoint(out.with_name(f"{out.name}.training.npz"), model, examples)
    keep = partial(write, corpus=corpus, featuriser=featuriser, towers=towers, absent=left, options=options)
    progress = Snapshots(out.with_name(f"{out.name}.steps"), snapshots, watch, keep)
    fit(model, examples, corpus.category, options, checkpoint, [progress])
    metrics = keep(out, progress.trained)
    checkpoint.remove()
    return metrics


def _table(corpus: Corpus, featuriser: Featuriser, options: Options) -> NDArray[np.float32]:
    if options.fasttext:
        return starting_table(featuriser, session_sentences(corpus), options.dim, options.seed)
    noise = np.random.default_rng(options.seed).normal(0, options.dim**-0.5, (featuriser.size, options.dim))
    noise[0] = 0
    return noise.astype(np.float32)


def write(
    out: Path,
    trained: Trained,
    corpus: Corpus,
    featuriser: Featuriser,
    towers: Towers,
    absent: AbsentWords,
    options: Options,
) -> dict[str, Any]:
    """Writes the artifact and returns the metrics on the pairs of the calibration span. absent: words not trained on,
    for index building to calibrate with."""
    paths = [corpus.ontology.path_text(i) for i in range(len(corpus.ontology))]
    categories = towers.joint_category(*path_arrays(featuriser, paths)).numpy()
    with writing(out, KIND) as folder:
        layout = TowerLayout(folder)
        featuriser.write(layout.text)
        absent.write(layout.absent)
        np.save(layout.categories, np.concatenate([categories, towers.joint_nothing().numpy()]))
        corpus.ontology.write(layout.ontology)
        export_category(towers, layout.category)
        export_query(towers, layout.query)
        export_listing(towers, corpus.visual.shape[1], layout.listing)
        metrics = held_out_metrics(folder, towers, corpus)
        write_manifest(
            folder,
            KIND,
            VERSION,
            ontology_fingerprint=corpus.ontology.fingerprint,
            dim=int(categories.shape[1]),
            visual_dim=int(corpus.visual.shape[1]),
            classifier_fingerprint=corpus.classifier,
            temperature=options.temperature,
            options=vars(options),
            trained=trained,
            metrics=metrics,
        )
    return metrics
