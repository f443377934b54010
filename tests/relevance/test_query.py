"""A query that was read is remembered, and nothing else of it changes."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import relevance
from relevance import query as query_module
from relevance.engine import Engine
from relevance.ontology import Ontology
from relevance.seen import SeenQueries
from relevance.text import Featuriser
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


ONTOLOGY = Ontology.from_paths(["watches"], [("Watches",)])
PLACES = {
    "watch": -0.6,
    "leather": -0.3,
    "brown": -0.5,
    "battery": 0.3,
    "strap": -0.1,
    "chronograph": 0.1,
    "zorblax": 0.2,
    "wedding": 0.2,
    "brand": 0.0,
}
"""How near words are to nothing, rather than to a thing."""


@pytest.mark.parametrize(
    ("query", "nouns"),
    [
        ("watch battery", ("watch", "battery")),
        ("leather watch battery brand", ("watch", "battery")),
        ("battery watch", ("watch",)),
        ("watch", ("watch",)),
        ("watch for wedding", ("watch",)),  # a filler is between them
        ("watch with battery", ("watch",)),  # a frequent word of the language is
        ("watch brown battery", ("watch",)),  # a word for an attribute is
        ("watch 2nd battery", ("watch",)),
        ("watch strap", ("watch",)),  # known together
        ("watch chronograph", ("watch",)),  # said by those who found what they wanted
        ("watch zorblax", ("watch",)),  # known, and from no listing
        ("brown", ()),
        ("for 24", ()),
        ("時 計", ()),
        ("", ()),
    ],
)
def test_what_a_query_is_about(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, query: str, nouns: tuple[str, ...]
) -> None:
    reader = Engine(tiny_bundle).reader
    featuriser = Featuriser(("watchstrap", "zorblax"), (), pieces=("##er", "with"), fillers=frozenset({"for"}))
    monkeypatch.setattr(reader, "_towers", SimpleNamespace(featuriser=featuriser))
    monkeypatch.setattr(reader, "_nothing", PLACES.__getitem__)
    monkeypatch.setattr(reader, "wanted", WantedValues({"brown": {"colour": {"Brown": 1.0}}}))
    monkeypatch.setattr(reader, "seen", SeenQueries(ONTOLOGY, {"chronograph men": {"watches": 9.0}}, 1.0))
    assert reader.nouns(query.split()) == nouns


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("sofa x quux", ["sofa"]),
        ("zorblax sofa for quux x zorblax", ["zorblax sofa"]),
        ("sofa for a brown quux", ["sofa brown", "sofa"]),  # brown is the sofa
        ("brown sofa", ["sofa"]),
        ("for x sofa", []),
        ("sofa quux for zorblax", []),  # about the second noun, not the sofa
        ("sofa", []),
        ("brown", []),
        ("", []),
    ],
)
def test_a_query_gets_shorter(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, query: str, left: list[str]) -> None:
    reader = Engine(tiny_bundle).reader
    reader.learn(wanted=WantedValues({"brown": {"colour": {"Brown": 1.0}}}))
    places = {"sofa": -0.6}
    monkeypatch.setattr(reader, "_nothing", lambda word: places.get(word, 0.0))
    featuriser = replace(reader._towers.featuriser, fillers=frozenset({"for"}))
    monkeypatch.setattr(reader._towers, "featuriser", featuriser)
    asked = reader.read(query)
    shorter = list(reader.shortened(asked))
    assert [less.reading.corrected for less in shorter] == left
    for less in shorter:
        assert (less.text, less.wanted, less.qualifiers) == (query, asked.wanted, asked.qualifiers)
        np.testing.assert_array_equal(less.embedding, reader.read(str(less.reading.corrected)).embedding)


def test_the_second_noun_is_measured_beside_the_first(tiny_bundle: Path) -> None:
    reader = Engine(tiny_bundle).reader
    towers, categories = reader._towers, reader.categories
    alone = {
        word: float(towers.nothing @ towers.query(word) - (towers.category_embeddings @ towers.query(word)).max())
        for word in ("sofa", "quux")
    }
    assert reader.nouns(["sofa", "quux"]) == ("sofa", "quux")
    assert reader.read("sofa quux").second_noun == pytest.approx(alone["quux"] - alone["sofa"], abs=1e-5)
    assert reader.read("sofa").second_noun == 0.0
    assert len(categories.cosines(towers.query("sofa"))) == len(towers.category_embeddings)


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
