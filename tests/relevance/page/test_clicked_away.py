"""Categories as chips: clicked away, alone and undone, and where the focus then is."""

from typing import Any

import relevance
from relevance.engine import Engine
from tests.live_engines import WORD
from tests.relevance.page.shown import focused, titles, told

FEW = [f"{WORD} among many other words {i}" for i in range(3)]


def test_what_is_clicked_away_makes_room_for_what_lies_beyond_the_first_page(
    crowd: tuple[Any, list[Any]], two_kinds: tuple[str, str]
) -> None:
    page, asked = crowd
    assert titles(page) == [WORD] * 24, "the first page lies in one category"
    chips = page.locator("#chips .only").all_inner_texts()
    page.click(".chip .away >> nth=0")
    page.wait_for_selector("[data-undo]")
    assert asked[-1] == {"query": WORD, "k": 24, "filters": {"not_categories": [two_kinds[0]]}}
    assert set(FEW) <= set(titles(page))
    assert WORD not in titles(page)
    assert page.locator("#chips .only").all_inner_texts() == chips[1:]
    away = page.inner_text("[data-undo]")
    page.reload()
    page.wait_for_selector("[data-undo]")
    assert page.inner_text("[data-undo]") == away, "the address has what was clicked away"
    assert WORD not in titles(page)
    page.click("[data-undo]")
    page.wait_for_selector("[data-undo]", state="detached")
    assert titles(page) == [WORD] * 24
    assert page.locator("#chips .only").all_inner_texts() == chips
    page.go_back()
    page.wait_for_selector("[data-undo]")
    assert WORD not in titles(page)


def test_nothing_else_is_said_where_all_of_it_was_clicked_away(page: Any, engine: Engine, title: str) -> None:
    roots = [i for i, above in enumerate(engine.ontology.parent) if above < 0]
    told(page, {engine.ontology.ids[i]: engine.ontology.path_text(i) for i in roots})
    page.goto(f"/?q={title}")
    page.wait_for_selector(".chip")
    for left in reversed(range(len(roots))):
        page.click(".chip .away >> nth=0")
        page.wait_for_function("left => document.querySelectorAll('.chip').length === left", arg=left)
    assert page.inner_text(".nothing") == "Nothing else like that here"
    assert page.locator("[data-undo]").count() == len(roots)


def test_a_category_alone(page: Any, engine: Engine, title: str) -> None:
    first = engine.search(title, 24).hits[0]
    category = str(first.category_id)
    asked = told(page, {category: first.category})
    page.goto(f"/?q={title}")
    page.wait_for_selector(".chip")
    assert page.inner_text(".chip .only").split() == [*first.category.split(" > ")[-1].split(), "61", "%"]
    expected = engine.search(title, 24, relevance.Filters(category=category)).hits
    page.click(".chip .only")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert asked[-1]["filters"] == {"category": category}
    assert titles(page) == [hit.title for hit in expected]
    page.click(".chip .only")
    page.wait_for_selector(".chip .only[aria-pressed=false]")
    assert asked[-1]["filters"] == {}


def test_words_alone_are_searched_under_the_same_filters(crowd: tuple[Any, list[Any]]) -> None:
    page, _ = crowd
    page.check("#compare")
    page.wait_for_selector("#words .card")
    assert titles(page, "words") == [WORD] * 24
    page.click(".chip .away >> nth=0")
    page.wait_for_selector("[data-undo]")
    assert sorted(titles(page, "words")) == FEW
    page.click("[data-undo]")
    page.wait_for_selector("[data-undo]", state="detached")
    page.click(".chip .only >> nth=1")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert sorted(titles(page, "words")) == FEW


def test_the_focus_stays_where_something_was_done(crowd: tuple[Any, list[Any]]) -> None:
    page, _ = crowd
    name = page.locator("#chips .only").first.inner_text().rsplit(maxsplit=2)[0]
    page.focus(".chip .away >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]")
    assert focused(page) == f"Not {name} · undo"
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]", state="detached")
    assert focused(page).startswith(name)
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert focused(page).startswith(name)
    page.focus(".chip .away >> nth=0")  # clicked away although it was the only one
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]")
    assert focused(page) == f"Not {name} · undo"
    assert page.locator("[aria-pressed=true]").count() == 0
    page.focus("#related a >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]", state="detached")
    assert page.evaluate("document.activeElement.id") == "engine-title"


def test_the_focus_of_a_box_that_is_typed_in_is_not_taken(crowd: tuple[Any, list[Any]]) -> None:
    page, _ = crowd
    page.click(".chip .away >> nth=0")
    page.focus("#query")
    page.wait_for_selector("[data-undo]")
    assert focused(page) == "query"


def test_a_category_that_is_gone_can_be_given_up(unlucky: Any, engine: Engine, title: str) -> None:
    unlucky.goto(f"/?q={title}&category=gone&not=gone,too")
    unlucky.wait_for_selector("#notice.error")
    assert "gone" in unlucky.inner_text("#notice")
    unlucky.click(".undo:not([data-undo])")
    unlucky.wait_for_selector(".undo:not([data-undo])", state="detached")
    unlucky.click("[data-undo]")
    unlucky.wait_for_selector(".chip")
    assert titles(unlucky) == [hit.title for hit in engine.search(title, 24).hits]
