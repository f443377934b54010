"""Each ingredient of the towers can be switched off, and then it is off."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from eval.ablation.ingredients import INGREDIENTS
from relevance.artifacts import read_manifest
from relevance.dataset import Dataset
from relevance.errors import DataError
from relevance.text import tokens
from relevance.towers import KIND, VERSION, Towers
from tests.training.lexical_database import Sense, write_database
from training.towers.options import OFF, Options, without

PLAIN = replace(Options(), typing_errors=False, padding=False, excerpts=0, composed=0)


@pytest.mark.parametrize("name", OFF)
def test_every_ingredient_is_on_by_default(name: str) -> None:
    on = Options(text_prior="some model", lexicon="some folder")
    off = without(on, [name])
    assert {field for field in vars(on) if vars(on)[field] != vars(off)[field]} == set(OFF[name])


def test_an_unknown_ingredient_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        DataError, match=r"--without salt: no such ingredient; there are text-prior, .*listing-category"
    ):
        without(Options(), ["hard-negatives", "salt"])


def test_the_ablation_knows_all_ingredients() -> None:
    assert list(INGREDIENTS) == list(OFF)


def test_without_typing_errors_and_padding_queries_are_as_typed(tiny_chain: Path) -> None:
    from training.towers.compose import Composer
    from training.towers.corpus import read_corpus
    from training.towers.examples import make_examples
    from training.towers.fillers import NO_FILLERS
    from training.towers.lexical_names import NO_NAMES

    corpus = read_corpus(tiny_chain / "dataset", None)
    composer = Composer(corpus, [])
    plain = make_examples(corpus, PLAIN, NO_FILLERS, composer, NO_NAMES, [], Random(0))
    assert (plain.variants == plain.variants[:, :1]).all()
    assert sorted(plain.queries) == sorted(corpus.train.queries)
    mistyped = make_examples(corpus, replace(PLAIN, typing_errors=True), NO_FILLERS, composer, NO_NAMES, [], Random(0))
    assert (mistyped.variants[:, 1:] != mistyped.variants[:, :1]).mean() > 0.5
    # What is held out to measure with stays the same.
    bare = read_corpus(tiny_chain / "dataset", None, rewrites=False, position_weights=False)
    assert len(bare.train) < len(corpus.train)
    np.testing.assert_array_equal(bare.held.weight, corpus.held.weight)


def test_without_uniform_negatives_candidates_come_as_often_as_they_are_chosen(tiny_chain: Path) -> None:
    from training.towers.compose import Composer
    from training.towers.corpus import read_corpus
    from training.towers.examples import make_examples
    from training.towers.fillers import NO_FILLERS
    from training.towers.fit import _batches
    from training.towers.lexical_names import NO_NAMES

    corpus = read_corpus(tiny_chain / "dataset", None)
    examples = make_examples(corpus, PLAIN, NO_FILLERS, Composer(corpus, []), NO_NAMES, [], Random(0))
    few, many = (next(iter(_batches(examples, None, 32, uniform, np.random.default_rng(0), 0))) for uniform in (0, 16))
    assert (len(few["negative"]), len(many["negative"])) == (0, 16)
    chosen, listings = examples.probability[few["listing"].numpy()], len(examples.probability)
    np.testing.assert_allclose(few["probability"].numpy(), chosen, rtol=1e-6)
    # Two thirds of the candidates were chosen, one third drawn.
    np.testing.assert_allclose(many["probability"].numpy()[:32], chosen * 2 / 3 + 1 / 3 / listings, rtol=1e-6)


def test_all_can_be_off_at_once_and_the_way_is_kept(tiny_chain: Path, tmp_path: Path) -> None:
    """The one training of these tests: one step or two, and the towers before the first."""
    from training.towers.train import run

    options = without(Options(epochs=1, batch=128), OFF)
    run(tiny_chain / "dataset", None, tmp_path / "towers", options, snapshots=[0, 10_000])
    manifest = read_manifest(tmp_path / "towers", KIND, VERSION)
    assert [path.name for path in (tmp_path / "towers.steps").iterdir()] == ["0"]
    first, last = (
        read_manifest(p, KIND, VERSION)["trained"] for p in (tmp_path / "towers.steps/0", tmp_path / "towers")
    )
    assert first["steps"] == 0 < last["steps"] < 20
    assert 0 < first["processor"] < last["processor"]
    assert (manifest["options"]["ngram_sizes"], manifest["options"]["absent"]) == ([], 0)
    towers = Towers.open(tmp_path / "towers")
    assert not towers.featuriser.ngrams
    assert not np.allclose(towers.query("sofa"), Towers(tmp_path / "towers.steps/0").query("sofa"))


def test_a_lexicon_makes_words_known_that_nobody_has_used(tiny_chain: Path, tmp_path: Path) -> None:
    from training.towers.train import run

    ontology = Dataset.open(tiny_chain / "dataset").read_ontology()
    called = sorted({tokens(path[-1])[-1] for path in ontology.paths})
    things: list[Sense] = [("thing", ["thing"], []), *((word, [word], ["thing"]) for word in called)]
    kinds: list[Sense] = [(f"wobble{word}", [f"wobble{word}"], [word]) for word in called]
    others: list[Sense] = [("other", ["other"], []), *((f"o{i}", [f"otherling {i}"], ["other"]) for i in range(3000))]
    folder = write_database(tmp_path / "lexicon", [*things, *kinds, *others])
    options = replace(without(Options(epochs=1, batch=256), set(OFF) - {"lexicon"}), lexicon=str(folder))
    run(tiny_chain / "dataset", None, tmp_path / "towers", options)
    featuriser = Towers.open(tmp_path / "towers").featuriser
    # Where a branch has hardly a name, nothing tells in which sense it is meant.
    assert sum(featuriser.knows(f"wobble{word}") for word in called) > len(called) / 2
    assert not featuriser.knows("otherling")
    assert featuriser.names == {word for word in featuriser.names if word.startswith("wobble")} != frozenset()
    assert "otherling" not in featuriser.names
    assert read_manifest(tmp_path / "towers", KIND, VERSION)["options"]["lexicon"] == str(folder)
