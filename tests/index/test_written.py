"""How words are mostly written: counted by hand, and shown by a bundle."""

import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from index.build import run
from index.written import most_written
from relevance.dataset import Dataset, write_listings
from relevance.engine import Engine
from relevance.seen import query_key
from relevance.suggestions import Suggester
from relevance.text import tokens


def _anything(word: str) -> bool:
    return True


def test_the_form_of_more_than_half() -> None:
    texts = ["Bürostuhl, Weiß", "bürostuhl weiss", "burostuhl", "BÜROSTUHL!", "women\u2019s", "women's womens"]
    # Of "weiss" each form stands once, and neither is more than half.
    assert most_written(texts, _anything) == {"burostuhl": "bürostuhl", "womens": "women's"}


def test_one_word_for_two_is_shown_as_neither_unless_it_is_mostly_one() -> None:
    texts = ["größe"] * 3 + ["große"] * 2 + ["grosse"]
    assert most_written(texts, _anything) == {}
    assert most_written([*texts, "größe"], _anything) == {"grosse": "größe"}


def test_the_order_of_texts_says_nothing_and_words_nobody_knows_are_left_out() -> None:
    texts = ["Été à Paris", "l'été", "café"]
    found = most_written(texts, _anything)
    assert found == most_written(texts[::-1], _anything) == {"a": "à", "cafe": "café", "ete": "été", "lete": "l'été"}
    assert list(found) == sorted(found)
    assert most_written(texts, {"cafe", "paris"}.__contains__) == {"cafe": "café"}


@pytest.fixture(scope="module")
def bundle(tiny_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle built again where everybody writes ö for o: as normalised, the words are the same."""
    root = tmp_path_factory.mktemp("accented")
    dataset = root / "dataset"
    shutil.copytree(tiny_chain / "dataset", dataset)
    listings = Dataset.open(dataset).read_listings()
    titles = [title.replace("o", "ö").replace("O", "Ö") for title in listings.titles]
    attributes = [{name: _with_accents(value) for name, value in own.items()} for own in listings.attributes]
    write_listings(dataset / "listings.parquet", replace(listings, titles=titles, attributes=attributes))
    log = pq.read_table(dataset / "events.parquet")
    at = log.schema.get_field_index("user_query")
    typed = pa.array([_with_accents(query) for query in log["user_query"].to_pylist()], log.schema.field(at).type)
    pq.write_table(log.set_column(at, log.schema.field(at), typed), dataset / "events.parquet")
    run(dataset, tiny_chain / "listings", tiny_chain / "towers", root / "bundle")
    return root / "bundle"


def _with_accents(value: object) -> object:
    return value.replace("o", "ö") if isinstance(value, str) else value


def test_a_bundle_shows_words_as_its_listings_and_people_do(bundle: Path, tiny_bundle: Path) -> None:
    engine, plain = Engine(bundle), Engine(tiny_bundle)
    assert engine.related_queries.queries == plain.related_queries.queries
    assert engine.reader.seen.weights == plain.reader.seen.weights
    query = next(query for query in engine.related_queries.queries if engine.related_queries.together(query, 5))
    found, before = engine.related(query), plain.related(query)
    assert any("ö" in other for other in found)
    assert not any("o" in other for other in found)
    assert list(map(query_key, found)) == list(map(query_key, before))


def test_a_bundle_corrects_and_suggests_in_the_words_of_its_listings(bundle: Path) -> None:
    engine = Engine(bundle)
    engine.relevance = replace(engine.relevance, threshold=0.0)
    word = next(word for word in engine.towers.featuriser.words if "o" in word and _corrected(engine, word))
    shown, typed = word.replace("o", "ö"), f"{_mistyped(word)} überwürfe"
    fallback = engine.fallback(typed)
    assert fallback.corrected_query == f"{shown} überwürfe"
    assert engine.reader.read(typed).reading.corrected == f"{word} uberwurfe"
    reasons = {hit.reason for hit in engine.fallback(_mistyped(word)).hits}
    assert f"has every word of “{shown}”" in reasons
    suggester = Suggester.of(engine, engine.catalogue.count)
    texts = [each.text for each in suggester.suggest(word[:-1], k=20) if each.category is None]
    assert shown in texts
    assert word not in texts


def _corrected(engine: Engine, word: str) -> bool:
    """Whether a listing that is online has the word, and it is what its mistyping is corrected to."""
    if len(word) < 7 or not word.isalpha() or not engine.catalogue.count(word):
        return False
    corrected = engine.reader.read(f"{_mistyped(word)} überwürfe").reading.corrected
    return corrected == f"{word} uberwurfe" and tokens(word) == [word]


def _mistyped(word: str) -> str:
    return word[:2] + word[3] + word[2] + word[4:]
