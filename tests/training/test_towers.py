"""The towers: features, loss, negatives and export."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.artifacts import read_manifest
from relevance.featuriser import Featuriser
from relevance.models import Model
from relevance.towers import KIND, PATH_WIDTHS, QUERY_WIDTHS, TEXT_WIDTHS, VERSION, listing_arrays
from relevance.towers import Towers as RuntimeTowers
from training.towers.augment import excerpt, pad, whole_words
from training.towers.fillers import NO_FILLERS, Fillers


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=3), max_size=8), st.integers(0, 1000))
def test_excerpt_keeps_order(words: list[str], seed: int) -> None:
    words = [f"{word}{i}" for i, word in enumerate(words)]
    kept = excerpt(words, Random(seed)).split()
    assert kept == [word for word in words if word in kept]
    assert len(kept) <= 4
    assert bool(kept) == bool(words)


def test_a_single_letter_stays_with_its_word() -> None:
    assert whole_words(["mens", "white", "t", "shirt"]) == ["mens", "white", "t shirt"]
    assert whole_words(["u", "s", "polo", "shirt", "size", "l"]) == ["u s", "polo", "shirt", "size", "l"]
    assert whole_words(["5", "pack", "靴", "下"]) == ["5", "pack", "靴", "下"]


def test_pad_keeps_the_query_and_adds_fillers() -> None:
    dice = Random(0)
    fillers = Fillers(said=("cheap",), like_them=("nice",))
    padded = [pad("garden chair", fillers, dice) for _ in range(300)]
    assert all("garden chair" in query for query in padded)
    assert {word for query in padded for word in query.split()} == {"garden", "chair", "cheap", "nice"}
    assert 60 < sum(query != "garden chair" for query in padded) < 150
    assert all(pad("garden chair", NO_FILLERS, dice) == "garden chair" for _ in range(20))


PIECES = ("gaming", "key", "##board", "chair")
PRIOR = np.random.default_rng(4).normal(size=(len(PIECES), 6)).astype(np.float32)


@pytest.fixture(scope="module")
def featuriser() -> Featuriser:
    texts = ["gaming keyboard", "gaming mouse", "garden chair", "garden table"] * 2
    return Featuriser.fit(texts, pieces=PIECES, buckets=50)


def random_table(featuriser: Featuriser, dim: int = 8) -> np.ndarray:
    table = np.random.default_rng(1).normal(size=(featuriser.size, dim)).astype(np.float32)
    table[0] = 0
    return table


def make_towers(featuriser: Featuriser) -> Any:
    from training.towers.model import Towers

    return Towers(random_table(featuriser), PRIOR, 0.25)


def test_exported_query_tower_agrees_with_the_trained_one(featuriser: Featuriser, tmp_path: Path) -> None:
    from training.towers.export import export_query

    towers = make_towers(featuriser)
    ids, weights = featuriser.batch(["gaming keybord", "chair", "", "zzz qqq"], QUERY_WIDTHS)
    expected = towers.joint_query(ids, weights).numpy()
    export_query(towers, tmp_path / "query.tflite")
    exported = Model(tmp_path / "query.tflite")
    np.testing.assert_allclose(exported(ids, weights)[0], expected, atol=1e-5)
    for row in range(len(ids)):
        np.testing.assert_allclose(exported(ids[row : row + 1], weights[row : row + 1])[0][0], expected[row], atol=1e-5)
    # Three quarters of the squared length were learned, the prior decides a quarter where it knows a word.
    np.testing.assert_allclose(np.square(expected[[0, 1, 3], :8]).sum(axis=1), 0.75, atol=1e-5)
    np.testing.assert_allclose(np.square(expected[:, 8:]).sum(axis=1), [0.25, 0.25, 0, 0], atol=1e-5)
    chair = PRIOR[3] / np.linalg.norm(PRIOR[3])
    np.testing.assert_allclose(expected[1, 8:], 0.5 * chair, atol=1e-5)


def test_a_step_reads_texts_as_the_runtime_does(featuriser: Featuriser) -> None:
    """The ragged bags of training and the padded arrays of serving give one sum."""
    import tensorflow as tf

    from training.towers.bags import KINDS, Bags

    text = make_towers(featuriser).text
    text.prior_weight.assign(np.linspace(-1, 1, len(PIECES) + 1))
    texts = ["gaming keyboard", "", "garden chair", "zzz"]
    rows = tf.constant([2, 0, 1, 3])
    bags = Bags(featuriser, texts, QUERY_WIDTHS).take(rows)
    ids, weights = featuriser.batch([texts[row] for row in rows.numpy()], QUERY_WIDTHS)
    padded, _ = text.padded(ids, weights, QUERY_WIDTHS.pieces)
    np.testing.assert_allclose(text(bags).numpy(), padded.numpy(), atol=1e-5)
    # Without words, pairs and n-grams the prior alone is left.
    kept = np.zeros((4, KINDS + 1), np.float32)
    kept[:, KINDS] = 1
    only = ids.copy(), np.where(np.arange(ids.shape[1]) < QUERY_WIDTHS.pieces, weights, 0)
    np.testing.assert_allclose(text(bags, kept).numpy(), text.padded(*only, QUERY_WIDTHS.pieces)[0].numpy(), atol=1e-5)


def test_exported_listing_tower_agrees_with_the_trained_one(featuriser: Featuriser, tmp_path: Path) -> None:
    from training.towers.export import export_listing

    towers = make_towers(featuriser)
    visual = np.random.default_rng(2).normal(size=(3, 5)).astype(np.float32)
    arrays = listing_arrays(
        featuriser,
        ["gaming keyboard", "chair", ""],
        [{}, {"colour": "garden"}, {}],
        ["Computers > Keyboard", "", "Garden"],
        visual,
        np.array([10.0, np.nan, 0.0]),
    )
    expected = towers.joint_listing(arrays).numpy()
    export_listing(towers, 5, tmp_path / "listing.tflite")
    exported = Model(tmp_path / "listing.tflite")
    assert [spec.name for spec in exported.inputs] == sorted(arrays)
    np.testing.assert_allclose(exported(*(arrays[name] for name in sorted(arrays)))[0], expected, atol=1e-5)
    # The norms are of what was learned alone: by them the unit vectors become the sums they were made of.
    text, category = (
        towers.text.padded(arrays[f"{name}_ids"], arrays[f"{name}_weights"], widths.pieces)[0]
        for name, widths in (("text", TEXT_WIDTHS), ("category", PATH_WIDTHS))
    )
    # The residual layer starts at zero.
    parts = text + category + towers.visual(visual) + towers.price(arrays["price"])
    norms = towers.listing_norms(arrays).numpy()
    np.testing.assert_allclose(expected[:, :8] / 0.75**0.5 * norms[:, None], parts.numpy(), atol=1e-5)
    assert arrays["text_ids"].shape == (3, TEXT_WIDTHS.columns)
    assert arrays["category_ids"].shape == (3, PATH_WIDTHS.columns)
    np.testing.assert_allclose(arrays["price"], [[np.log(11) / 10, 1], [0, 0], [0, 1]], rtol=1e-6)


def test_the_norms_are_reported(tiny_chain: Path) -> None:
    norms = read_manifest(tiny_chain / "towers", KIND, VERSION)["metrics"]["embedding_norm"]
    assert list(norms) == ["all", "least_clicked_tenth", "most_clicked_tenth"]
    assert all(own["mean"] > own["std"] > 0 for own in norms.values())


def test_retrieval_loss_subtracts_log_q_and_removes_accidental_hits(featuriser: Featuriser) -> None:
    """The loss of TensorFlow Recommenders against a softmax written out by hand: a frequent candidate's logit is
    lowered by log q, and a candidate that is the row's own positive is left out."""
    import tensorflow_recommenders as tfrs

    rng = np.random.default_rng(0)
    query = rng.normal(size=(3, 4)).astype(np.float32)
    candidates = rng.normal(size=(5, 4)).astype(np.float32)
    ids = np.array([7, 8, 9, 7, 5])
    q = np.array([0.4, 0.1, 0.1, 0.4, 0.01], np.float32)
    weight = np.array([1.0, 2.0, 0.5], np.float32)
    task = tfrs.tasks.Retrieval(temperature=0.5, remove_accidental_hits=True)
    found = task(
        query,
        candidates,
        sample_weight=weight,
        candidate_sampling_probability=q,
        candidate_ids=ids,
        compute_metrics=False,
        compute_batch_metrics=False,
    )
    expected = 0.0
    for row in range(3):
        logits = [query[row] @ candidates[c] / 0.5 - np.log(q[c]) for c in range(5)]
        allowed = [c for c in range(5) if c == row or ids[c] != ids[row]]
        expected += weight[row] * (np.log(sum(np.exp(logits[c]) for c in allowed)) - logits[row])
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_hard_negatives_are_near_and_of_another_category() -> None:
    from training.towers.negatives import hard_negatives

    rng = np.random.default_rng(0)
    listings = rng.normal(size=(600, 16)).astype(np.float32)
    listings /= np.linalg.norm(listings, axis=1, keepdims=True)
    category = rng.integers(0, 3, 600).astype(np.int32)
    queries, positive = listings[:50], category[:50]
    drawn = hard_negatives(queries, listings, positive, category, np.random.default_rng(1))
    assert (category[drawn] != positive).all()
    near = (queries * listings[drawn]).sum(axis=1).mean()
    assert near > (queries @ listings.T).mean() + 0.1


def test_starting_vectors_bring_words_of_one_session_together() -> None:
    from training.towers.vectors import starting_table

    rng = np.random.default_rng(0)
    groups = [["brolly", "umbrella", "parasol"], ["keyboard", "mechanical", "switches"]]
    sentences = [" ".join(rng.permutation(groups[i % 2])) for i in range(600)]
    featuriser = Featuriser.fit(sentences, buckets=10)
    table = starting_table(featuriser, sentences, 16, seed=0)
    assert table.shape == (featuriser.size, 16)
    assert not table[0].any()
    row = {word: table[1 + i] for i, word in enumerate(featuriser.words)}

    def cosine(a: str, b: str) -> float:
        return float(row[a] @ row[b] / np.linalg.norm(row[a]) / np.linalg.norm(row[b]))

    assert cosine("brolly", "umbrella") > cosine("brolly", "keyboard") + 0.1
    np.testing.assert_array_equal(table, starting_table(featuriser, sentences, 16, seed=0))


def test_a_few_titles_without_a_word_in_common_have_starting_vectors() -> None:
    from training.towers.vectors import starting_table

    sentences = ["диван угловой", "велосипед горный"]
    featuriser = Featuriser.fit([*sentences, *sentences], buckets=10)
    table = starting_table(featuriser, sentences, 16, seed=0)
    assert np.linalg.norm(table[1 : 1 + len(featuriser.words)], axis=1).all()


class _KilledError(Exception):
    pass


def test_the_same_seed_gives_the_same_towers_also_after_a_break(
    tiny_chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.towers.checkpoint import Checkpoint
    from training.towers.options import Options
    from training.towers.train import run

    inputs = tiny_chain / "dataset", tiny_chain / "listings"
    options = Options(epochs=2, batch=128, excerpts=1, composed=1, seed=5)
    run(*inputs, tmp_path / "whole", options)
    write = Checkpoint.write

    def killed(self: Checkpoint, model: Any, epochs: int) -> None:
        write(self, model, epochs)
        raise _KilledError

    monkeypatch.setattr(Checkpoint, "write", killed)
    with pytest.raises(_KilledError):
        run(*inputs, tmp_path / "broken", options)
    monkeypatch.undo()
    assert (tmp_path / "broken.training.npz").is_file()
    run(*inputs, tmp_path / "broken", options)
    assert not (tmp_path / "broken.training.npz").exists()
    for file in ("text.json", "category_embeddings.npy", "absent_words.json"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "broken" / file).read_bytes(), file
    # Not compared byte by byte: the converter numbers its tensors on through a process.
    texts = ["gaming keyboard", "old sofa", ""]
    whole, broken = (RuntimeTowers(tmp_path / name).queries(texts) for name in ("whole", "broken"))
    np.testing.assert_array_equal(whole, broken)


def test_events_on_unknown_listings_are_counted_and_not_learned_from(tiny_chain: Path, tmp_path: Path) -> None:
    import shutil

    from relevance.dataset import Dataset, write_listings
    from relevance.errors import DataWarning
    from relevance.events import read_behaviour
    from training.towers.corpus import read_corpus

    shutil.copytree(tiny_chain / "dataset", tmp_path / "dataset")
    listings = Dataset.open(tmp_path / "dataset").read_listings()
    clicked = read_behaviour(tmp_path / "dataset").event_listing
    gone = clicked[0]
    kept = [row for row, listing in enumerate(listings.ids) if listing != gone]
    write_listings(tmp_path / "dataset" / "listings.parquet", listings.take(kept))
    with pytest.warns(DataWarning, match=rf"dataset: left out: {clicked.count(gone)} events on unknown listings$"):
        corpus = read_corpus(tmp_path / "dataset", None)
    assert corpus.dropped_events == clicked.count(gone) > 0
    assert gone not in corpus.listings.ids


def test_choices_of_unknown_queries_are_told(tiny_chain: Path, tmp_path: Path) -> None:
    import shutil

    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from relevance.errors import DataWarning
    from relevance.events import CHOICES
    from training.towers.corpus import read_corpus

    shutil.copytree(tiny_chain / "dataset", tmp_path / "dataset")
    events = tmp_path / "dataset" / "events.parquet"
    table = pq.read_table(events)
    chosen = pc.is_in(table["action_name"], pa.array(CHOICES))
    orphaned = pc.if_else(chosen, pa.scalar("another id"), table["query_id"])
    pq.write_table(table.set_column(table.schema.get_field_index("query_id"), "query_id", orphaned), events)
    count = pc.sum(chosen).as_py()
    with pytest.warns(DataWarning, match=rf"left out: {count:,} clicks or messages of an unknown query_id$"):
        corpus = read_corpus(tmp_path / "dataset", None)
    assert len(corpus.train) == len(corpus.held) == 0


def test_a_log_of_one_day_without_hours_is_told(tmp_path: Path) -> None:
    """All its queries are of the last part."""
    from relevance.errors import DataWarning
    from relevance.events import write_behaviour
    from training.towers.corpus import read_corpus

    (tmp_path / "categories.csv").write_text("category_id,path\na,A\n")
    (tmp_path / "listings.csv").write_text("listing_id,title,category_id\n1,chair,a\n")
    at = "2026-01-31T00:00:00Z"
    queries = [{"query_id": f"q{i}", "user_query": "chair", "timestamp": at} for i in range(40)]
    target = {"object": {"object_id": "1"}}
    clicks = [
        {"action_name": "click", "query_id": f"q{i}", "timestamp": at, "event_attributes": target} for i in range(40)
    ]
    write_behaviour(tmp_path / "events.parquet", queries, clicks)
    with pytest.warns(DataWarning, match="40 queries, distinct times: 1; .*none is left to learn from and none to cal"):
        corpus = read_corpus(tmp_path, None)
    assert len(corpus.train) == len(corpus.held) == 0


def test_a_loss_that_is_no_number_names_its_batch(tiny_chain: Path, tmp_path: Path) -> None:
    from relevance.errors import TrainingError
    from training.towers.options import Options
    from training.towers.train import run

    options = Options(epochs=1, batch=128, excerpts=1, composed=0, fasttext=False, table_rate=1e38, learning_rate=1e38)
    with pytest.raises(TrainingError, match=r"the loss of batch \d+ of epoch 1 is (nan|inf).*start again"):
        run(tiny_chain / "dataset", None, tmp_path / "towers", options)
    assert not (tmp_path / "towers").exists()


@pytest.mark.parametrize(
    ("title", "made"), [("chair", {"excerpts": 0, "composed": 0}), ("🪑", {})], ids=["nothing made", "no words"]
)
def test_where_there_is_nothing_to_learn_from_it_is_said(title: str, made: dict[str, int], tmp_path: Path) -> None:
    from relevance.errors import DataError
    from training.towers.options import Options
    from training.towers.train import run

    (tmp_path / "categories.csv").write_text("category_id,path\na,🪑\n")
    (tmp_path / "listings.csv").write_text(f"listing_id,title,category_id\n1,{title},a\n2,{title},a\n")
    with pytest.raises(DataError, match=r"nothing to learn from: .*; add events or titles in words, or raise --excer"):
        run(tmp_path, None, tmp_path / "towers", Options(epochs=1, **made))


@pytest.mark.filterwarnings("ignore:fewer than")
def test_without_behaviour_the_catalogue_is_learned_from(
    tiny_chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from index.build import run as build
    from relevance.engine import Engine
    from training.towers.options import Options
    from training.towers.train import run

    shutil.copytree(tiny_chain / "dataset", tmp_path / "dataset")
    (tmp_path / "dataset" / "events.parquet").unlink()
    metrics = run(tmp_path / "dataset", None, tmp_path / "towers", Options(epochs=1, batch=128, excerpts=1, hard=False))
    assert metrics["pairs"] == 0
    assert (
        "no click or message follows a query of the first 70 % in time; learning from the catalogue"
        in capsys.readouterr().err
    )
    build(tmp_path / "dataset", None, tmp_path / "towers", tmp_path / "bundle")
    engine = Engine(tmp_path / "bundle")
    title = engine.store.rows([0])[0].title
    assert engine.search(title).hits[0].title == title
