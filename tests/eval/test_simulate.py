"""The simulated marketplace and its people."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein

from eval.simulate import command
from eval.simulate.assumptions import Searchers
from eval.simulate.dice import Dice
from eval.simulate.marketplace import read_leaves
from eval.simulate.searching import Site, simulate
from eval.simulate.typing_errors import beside, by_ear, double, misspell, omit, transpose
from eval.simulate.wishes import Catalogue, Wish, Wishes
from eval.simulate.wording import first_try, next_try
from relevance.dataset import Dataset, listing_text
from relevance.errors import ArtifactError, DataError, DataWarning
from relevance.events import read_behaviour
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.ubi import CLICK

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)
GAMING_KEYBOARD = "Consumer electronics > Computer products > Keyboards and Mouse > Gaming keyboard"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("market") / "dataset"
    command.command(out=out, listings=500, sessions=1500, seed=3, end="2026-05-01", catalogue=None, vocabulary=None)
    return out


@pytest.mark.parametrize("error", [beside, by_ear, omit, double, transpose])
@given(word=WORDS, seed=st.integers(0, 10_000))
def test_one_typing_error_is_one_error(error, word: str, seed: int) -> None:  # type: ignore[no-untyped-def]
    wrong = error(word, Dice((seed,)))
    assert wrong[0] == word[0]
    # By ear, three letters may become one.
    assert DamerauLevenshtein.distance(word, wrong) <= (3 if error is by_ear else 1)


@given(st.lists(WORDS, min_size=1, max_size=4), st.integers(0, 10_000))
def test_misspell_touches_one_word(words: list[str], seed: int) -> None:
    wrong = misspell(" ".join(words), Dice((seed,))).split(" ")
    assert len(wrong) == len(words)
    assert sum(a != b for a, b in zip(words, wrong, strict=True)) <= 1


def test_short_words_are_left_alone() -> None:
    assert misspell("a bmx 12345", Dice((0,))) == "a bmx 12345"


def test_the_ontology_is_deep_uneven_and_has_its_leaves() -> None:
    leaves = read_leaves()
    depths = {len(leaf.path) for leaf in leaves}
    assert 280 <= len(leaves) <= 400
    assert min(depths) == 2
    assert max(depths) == 5
    assert len({leaf.path for leaf in leaves}) == len(leaves)
    assert GAMING_KEYBOARD in {" > ".join(leaf.path) for leaf in leaves}
    for leaf in leaves:
        assert leaf.sellers, leaf.path
        assert leaf.searchers, leaf.path


def test_the_market_is_a_valid_dataset(market: Path) -> None:
    dataset = Dataset.open(market)
    listings = dataset.read_listings(dataset.read_ontology())
    behaviour = read_behaviour(market, listings.ids)
    assert len(listings) == 500
    assert behaviour.dropped_unknown_listings == 0
    share = np.mean([category is None for category in listings.category_ids])
    assert 0.05 < share < 0.2
    assert 0.05 < np.mean([not images for images in listings.images]) < 0.2
    end = np.datetime64("2026-05-01", "ms")
    assert 0 < np.mean(listings.expires_at < end) < 0.2
    assert behaviour.query_times.max() < end
    empty = np.mean([not hits for hits in behaviour.hit_ids])
    assert 0.2 < empty < 0.8
    assert {"impression", "click", "contact_seller"} == set(behaviour.actions)


def test_the_log_shows_what_the_lexical_engine_finds(market: Path) -> None:
    dataset = Dataset.open(market)
    listings = dataset.read_listings()
    behaviour = read_behaviour(market)
    texts = zip(listings.titles, listings.descriptions, listings.attributes, strict=True)
    index = LexicalIndex.build(listing_text(*text) for text in texts)
    for query in range(0, 300, 7):
        at = behaviour.query_times[query]
        rows, _ = index.search(behaviour.queries[query], 500)
        online = [listings.ids[row] for row in rows if listings.created_at[row] <= at and at < listings.expires_at[row]]
        assert behaviour.hit_ids[query] == online[:20]


def test_intents_stand_apart_from_what_training_reads(market: Path) -> None:
    intents = pq.read_table(market / "truth" / "intents.parquet").to_pylist()
    behaviour = read_behaviour(market)
    assert sorted(intent["query_id"] for intent in intents) == sorted(behaviour.query_ids)
    log = pq.read_table(market / "events.parquet")
    assert not {"kind", "category_ids", "constraints"} & set(log.column_names)
    kinds = {intent["kind"] for intent in intents}
    assert {"plain", "synonym", "typo", "absent"} <= kinds
    assert all(bool(intent["category_ids"]) == (intent["kind"] != "absent") for intent in intents)
    assert all(isinstance(json.loads(intent["constraints"]), dict) for intent in intents)


def test_the_same_seed_gives_the_same_market(market: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    command.command(out=again, listings=500, sessions=1500, seed=3, end="2026-05-01", catalogue=None, vocabulary=None)
    for name in ("listings.parquet", "events.parquet", "truth/intents.parquet", "truth/listings.parquet"):
        assert pq.read_table(market / name).equals(pq.read_table(again / name)), name
    photos = sorted((market / "images").iterdir())
    assert all(photo.read_bytes() == (again / "images" / photo.name).read_bytes() for photo in photos)


def test_people_search_an_existing_catalogue_in_the_words_of_a_vocabulary(market: Path, tmp_path: Path) -> None:
    vocabulary = tmp_path / "words.csv"
    vocabulary.write_text("category,words_people_use\nGaming keyboard,clackboard|clickety\n", encoding="utf-8")
    out = tmp_path / "searched"
    command.command(
        out=out, listings=1, sessions=3000, seed=1, end="2026-05-01", catalogue=market, vocabulary=[vocabulary]
    )
    queries = read_behaviour(out).queries
    assert any("clackboard" in query for query in queries)
    assert Dataset.open(out).read_listings().ids == Dataset.open(market).read_listings().ids


def test_what_people_did_is_not_replaced_by_a_simulation(market: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(market, own)

    def simulate() -> None:
        command.command(out=own, listings=1, sessions=50, seed=1, end="2026-05-01", catalogue=own, vocabulary=None)

    (own / "missing_photos.csv").write_text("listing_id,image\n")
    simulate()  # over an earlier simulation
    assert (own / "missing_photos.csv").exists()
    for name in ("events.jsonl", "notes.txt"):
        (own / name).write_text("{}")
        with pytest.raises(ArtifactError, match=f"holds {name}, which this command did not write"):
            simulate()
        (own / name).unlink()
    shutil.rmtree(own / "truth")  # so the events are people's
    before = (own / "events.parquet").read_bytes()
    with pytest.raises(ArtifactError, match=r"holds events\.parquet"):
        simulate()
    assert (own / "events.parquet").read_bytes() == before


def _searched_in_words_of(table: str, market: Path, folder: Path) -> None:
    vocabulary = folder / "words.csv"
    vocabulary.write_text(table, encoding="utf-8")
    out = folder / "searched"
    command.command(out=out, listings=1, sessions=5, seed=1, end=None, catalogue=market, vocabulary=[vocabulary])


def test_rows_of_a_vocabulary_that_find_no_category_are_told(market: Path, tmp_path: Path) -> None:
    table = "category,words_people_use\nA > Gaming keyboard,clackboard\nNope,x\n"
    with pytest.warns(DataWarning, match=r"left out: 2 rows whose category is no name .*\(A > Gaming keyboard, Nope\)"):
        _searched_in_words_of(table, market, tmp_path)


def test_a_vocabulary_with_other_columns_is_refused(market: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"category,words_people_use, found a, b"):
        _searched_in_words_of("a,b\n1,2\n", market, tmp_path)


def test_a_last_day_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--end: expected a day"):
        command.command(out=tmp_path / "x", listings=1, sessions=1, seed=1, end="soon", catalogue=None, vocabulary=None)


@pytest.fixture
def catalogue() -> Catalogue:
    ontology = Ontology.from_paths(["f", "f1", "f2"], [("Fashion",), ("Fashion", "Shoes"), ("Fashion", "Hats")])
    shoes, hats = ontology.position("f1"), ontology.position("f2")
    attributes = [{"gender": "Women", "baseColour": "Navy Blue"}, {"gender": "Unisex", "baseColour": "Red"}]
    words = {"Shoes": (["shoes", "sneakers"], 1), "Hats": (["hats"], 1)}
    return Catalogue(ontology, [shoes, hats], attributes, words, frozenset({"shoes", "hats", "helicopter"}))


def test_wishes_are_graded_by_category_and_constraints(catalogue: Catalogue) -> None:
    shoes, hats = catalogue.category
    wish = Wish(frozenset({shoes}), frozenset({0}), {"gender": ["Women"], "baseColour": ["Red"]}, ["shoes"], 1, {})
    assert wish.grade(shoes, {"gender": "Women", "baseColour": "Red"}, 0) == 3
    assert wish.grade(shoes, {"gender": "Women", "baseColour": "Blue"}, 0) == 2
    assert wish.grade(shoes, {"gender": "Men"}, 0) == 1
    assert wish.grade(hats, {"gender": "Women", "baseColour": "Red"}, 0) == 1
    assert wish.grade(hats, {}, 5) == 0


def test_constraints_accept_the_catalogues_own_values(catalogue: Catalogue) -> None:
    assert catalogue.names == {"gender": "gender", "colour": "baseColour"}
    assert catalogue.accepted["gender"]["ladies"] == ["Unisex", "Women"]
    assert catalogue.accepted["colour"]["blue"] == ["Navy Blue"]


def test_of_several_colours_people_want_one(catalogue: Catalogue) -> None:
    both = replace(catalogue, attributes=[{"baseColour": ["Navy Blue", "Red"], "brand": ["Acme", "Zed"]}, {}])
    assert both.accepted["colour"]["blue"] == ["Navy Blue"]
    assert both.accepted["colour"]["red"] == ["Red"]
    wishes = Wishes(both, Dice((0,)), Searchers(absent=0.0, colour=1.0, brand=1.0))
    drawn = [wish for wish in (wishes.draw() for _ in range(100)) if wish.constraints]
    assert {tuple(wish.constraints["baseColour"]) for wish in drawn} == {("Navy Blue",), ("Red",)}
    assert {(*wish.constraints["brand"], wish.phrases["brand"]) for wish in drawn} == {("Acme", "acme"), ("Zed", "zed")}
    shoes = catalogue.category[0]
    assert all(wish.grade(shoes, both.attributes[0], 0) == 3 for wish in drawn)
    assert {wish.grade(shoes, {"baseColour": ["Red"], "brand": "Zed"}, 0) for wish in drawn} == {1, 2, 3}


@pytest.mark.parametrize("leaves", [0.0, 1.0])
def test_who_clicked_goes_on_or_leaves(catalogue: Catalogue, leaves: float) -> None:
    online = np.array([0, 0]), np.array([2**62, 2**62])
    site = Site(["a", "b"], *online, LexicalIndex.build(["shoes sneakers", "hats"]))
    assume = Searchers(absent=0.0, click=(1.0, 1.0, 1.0, 1.0), content=0.0, leaves=leaves)
    log = simulate(site, catalogue, 50, np.datetime64("2026-05-01", "ms"), 0, assume)
    clicked = {event["query_id"] for event in log.events if event["action_name"] == CLICK}
    assert clicked
    followed = {f"{query_id[:-1]}{int(query_id[-1]) + 1}" for query_id in clicked if query_id[-1] != "3"}
    assert len(followed & {query["query_id"] for query in log.queries}) == (0 if leaves else len(followed))


def test_absent_wishes_name_nothing_of_the_catalogue(catalogue: Catalogue) -> None:
    wishes = Wishes(catalogue, Dice((0,)), Searchers(absent=1.0))
    drawn = [wishes.draw() for _ in range(300)]
    assert all(wish.absent for wish in drawn)
    assert not any("helicopter" in word for wish in drawn for word in wish.words)


@given(st.integers(0, 5000))
def test_people_always_type_something_and_mend_it_later(seed: int) -> None:
    wish = Wish(frozenset({1}), frozenset(), {}, ["gaming keyboard", "light up keyboard"], 1, {"colour": "black"})
    dice, assume = Dice((seed,)), Searchers(typo=1.0, corrects=1.0)
    first = first_try(wish, dice, assume)
    assert first.text.strip()
    second = next_try(first, wish, dice, assume)
    assert second.kind not in ("typo", "joined")
    assert second.noun in wish.words
