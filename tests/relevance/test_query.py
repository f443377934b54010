"""A query that was read is remembered, and nothing else of it changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import relevance
from relevance import query as query_module
from relevance.engine import Engine
from relevance.seen import SeenQueries
from relevance.wanted import WantedValues

QUERIES = ("gaming keyboard", "gamming keybord", "sofa", "quantum flux capacitor", "")


def test_what_is_remembered_is_what_was_read(tiny_bundle: Path) -> None:
    engine, other = Engine(tiny_bundle), Engine(tiny_bundle)
    for text in QUERIES:
        first = engine.read(text)
        assert engine.read(text) is first
        fresh = other.read(text)
        np.testing.assert_array_equal(first.embedding, fresh.embedding)
        np.testing.assert_array_equal(first.shares, fresh.shares)
        assert (first.reading, first.category_filter) == (fresh.reading, fresh.category_filter)
        assert first.text == text


def test_a_category_filter_reads_no_more_than_it_needs(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, other = Engine(tiny_bundle), Engine(tiny_bundle)
    expected = [other.read(text).category_filter for text in QUERIES]
    monkeypatch.delattr(type(engine.reader), "qualifying")  # what only a whole reading asks
    assert [engine.category_filter(text) for text in QUERIES] == expected
    topic = engine.reader.topic("sofa")
    assert engine.reader.topic("sofa") is topic
    monkeypatch.undo()
    assert engine.read("sofa").embedding is topic.embedding


def test_nobody_can_alter_it(tiny_bundle: Path) -> None:
    query = Engine(tiny_bundle).read("sofa")
    for array in (query.embedding, query.categories, query.shares):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_few_and_short_ones_are_remembered(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "_REMEMBERED", 2)
    engine = Engine(tiny_bundle)
    first = engine.read("sofa")
    engine.read("keyboard")
    assert engine.read("sofa") is first
    engine.read("chair")  # a third: what was known is forgotten
    assert engine.read("sofa") is not first
    long = "sofa " * 100
    assert engine.read(long) is not engine.read(long)


def test_what_is_learned_is_read_by(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    category = engine.ontology.ids[int(engine.columns.category[0])]
    before = engine.read("zorblax quux")
    engine.reader.learn(seen=SeenQueries(engine.ontology, {"zorblax quux": {category: 1e6}}, 1.0))
    after = engine.read("zorblax quux")
    assert before.shares[engine.ontology.position(category)] < 0.9
    assert after.shares[engine.ontology.position(category)] == pytest.approx(1.0, abs=1e-3)
    assert after.wanted == before.wanted


def test_another_catalogue_reads_anew(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    first = engine.read("sofa")
    over = engine.reader.over(engine.categories, engine.catalogue)
    assert over.read("sofa") is not first
    assert engine.read("sofa") is first


def test_a_shorter_query_is_the_correction_of_the_whole(tiny_bundle: Path) -> None:
    reader = Engine(tiny_bundle).reader
    reader.learn(wanted=WantedValues({"brown": {"colour": {"Brown": 1.0}}}))
    asked = reader.read("brown sofa")
    assert asked.nouns == ("sofa",)
    (less,) = reader.shortened(asked)
    assert (less.text, less.reading.corrected) == ("brown sofa", "sofa")
    assert (less.wanted, less.qualifiers) == (asked.wanted, asked.qualifiers) != ({}, ())
    np.testing.assert_array_equal(less.embedding, reader.read("sofa").embedding)


def test_the_second_noun_is_measured_by_the_towers(tiny_bundle: Path) -> None:
    reader = Engine(tiny_bundle).reader
    towers = reader._towers
    alone = {
        word: float(towers.nothing @ towers.query(word) - (towers.category_embeddings @ towers.query(word)).max())
        for word in ("sofa", "quux")
    }
    assert reader.read("sofa quux").nouns == ("sofa", "quux")
    assert reader.read("sofa quux").second_noun == pytest.approx(alone["quux"] - alone["sofa"], abs=1e-5)
    assert reader.read("sofa").second_noun == 0.0


def test_the_vector_of_a_query_is_that_by_which_listings_are_found(tiny_bundle: Path) -> None:
    with relevance.open(tiny_bundle) as engine:
        vectors = np.load(tiny_bundle / "vectors.npy")
        title = engine.current.store.rows([0])[0].title
        embedding = engine.embed_query(title)
        assert (embedding.dtype, embedding.shape) == (np.float32, vectors.shape[1:])
        assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)
        online = engine.current.catalogue.online(np.datetime64("now", "ms"))
        nearest = np.argsort(-np.where(online, vectors @ embedding, -2.0))[:5]
        found = engine.current.catalogue.nearest(engine.current.read(title).embedding, 5, online)[0]
        assert found.tolist() == nearest.tolist()


def test_the_vector_of_a_misspelt_query_leans_to_its_correction(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    misspelt = next(text for text in ("keybord", "keyboarrd", "laptp", "jaket") if engine.read(text).reading.corrected)
    corrected = engine.towers.query(str(engine.read(misspelt).reading.corrected))
    assert engine.embed_query(misspelt) @ corrected > engine.towers.query(misspelt) @ corrected


def test_a_correction_counts_by_how_clear_it_is(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Engine(tiny_bundle).reader
    towers = reader._towers
    typed, meant = towers.query("sofs"), towers.query("sofa")
    assert reader.read("sofs").reading.corrected == "sofa"
    towers.featuriser = replace(towers.featuriser, pieces=("anything",))
    for clear, share in ((0.3, 0.75), (0.1, 0.5), (-0.4, 1 / 3)):  # 0.05 at least
        clearness = {id(meant): clear, id(typed): 0.1}
        monkeypatch.setattr(towers, "query", {"sofs": typed, "sofa": meant}.__getitem__)
        monkeypatch.setattr(towers, "nothing", np.zeros_like(typed))
        monkeypatch.setattr(reader.categories, "cosines", lambda it, at=clearness: np.array([at.get(id(it), 0.0)]))
        mixed = (1 - share) * typed + share * meant
        np.testing.assert_allclose(reader._embed("sofs", "sofa", None), mixed / np.linalg.norm(mixed), rtol=1e-5)


def test_without_a_prior_a_correction_may_be_of_a_word_for_something_else(tiny_bundle: Path) -> None:
    reader = Engine(tiny_bundle).reader
    towers = reader._towers
    assert not towers.featuriser.pieces
    mixed = 0.6 * towers.query("sofs") + 0.4 * towers.query("sofa")
    np.testing.assert_allclose(reader._embed("sofs", "sofa", None), mixed / np.linalg.norm(mixed), rtol=1e-5)


def test_words_that_a_lexicon_has_for_things_here_lead_somewhere(tiny_bundle: Path) -> None:
    engine = Engine(tiny_bundle)
    assert not engine.reader.speller.occurs("davenport")
    engine.towers.featuriser = replace(engine.towers.featuriser, names=frozenset({"davenport"}))
    assert engine.reader.over(engine.categories, engine.catalogue).speller.occurs("davenport")


def test_the_vector_of_a_query_leans_to_its_head(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Engine(tiny_bundle).reader
    monkeypatch.setattr(reader.nouns, "head", lambda words: words[:1])
    towers = reader._towers
    mixed = 0.5 * towers.query("keyboard under sofa") + 0.5 * towers.query("keyboard")
    np.testing.assert_allclose(reader.read("keyboard under sofa").embedding, mixed / np.linalg.norm(mixed), rtol=1e-5)
    np.testing.assert_array_equal(reader.read("keyboard").embedding, towers.query("keyboard"))


def test_a_query_by_which_people_found_something_is_familiar(tiny_bundle: Path) -> None:
    reader = Engine(tiny_bundle).reader
    assert reader.read("zorblax quux").reading.familiar < 0.7
    ontology, empty = reader.categories.ontology, reader.categories.empty
    nothing_left, there = (ontology.ids[int(np.flatnonzero(rows)[0])] for rows in (empty, ~empty))
    reader.learn(seen=SeenQueries(ontology, {"zorblax quux": {nothing_left: 300.0}}, 1.0))
    left = reader.read("zorblax quux")
    assert left.reading.familiar < 0.7
    assert not left.shares[empty].any()
    reader.learn(seen=SeenQueries(ontology, {"zorblax quux": {nothing_left: 300.0, there: 3.0}}, 1.0))
    assert reader.read("zorblax quux").reading.familiar == 1.0
    assert reader.read("zorblax").reading.familiar < 0.7
