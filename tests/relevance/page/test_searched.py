"""What is searched, found and suggested."""

from typing import Any

from relevance.engine import Engine
from tests.browser import PHONE, ask


def test_hits_show_what_they_are_and_why(page: Any, engine: Engine, title: str) -> None:
    page.goto("/")
    ask(page, title)
    page.wait_for_selector("#engine .card")
    expected = engine.search(title, 24).hits
    assert page.locator("#engine .title").all_inner_texts() == [hit.title for hit in expected]
    first = page.locator("#engine .card").first.inner_text()
    assert expected[0].reason in first
    assert f"{round((expected[0].relevance or 0) * 100)} % sure" in first
    assert {"words", "meaning", "spelling"} >= set(page.locator("#engine .source").all_inner_texts())
    photo = page.locator("#engine .picture img").first
    photo.scroll_into_view_if_needed()
    assert page.wait_for_function("image => image.naturalWidth > 0", arg=photo.element_handle())


def test_the_address_is_the_search(page: Any, title: str) -> None:
    page.goto("/")
    ask(page, title)
    page.wait_for_selector("#engine .card")
    address = page.url
    ask(page, "🎮")
    page.wait_for_selector(".nothing")
    page.go_back()
    page.wait_for_selector("#engine .card")
    assert page.url == address
    assert page.input_value("#query") == title
    page.goto(address)
    page.wait_for_selector("#engine .card")


def test_nothing_like_that_is_said_clearly(page: Any, engine: Engine) -> None:
    page.goto("/?q=🎮")
    page.wait_for_selector(".nothing")
    assert page.inner_text(".nothing") == "Nothing like that here"
    assert f"None of the {len(engine)} listings answers “🎮”" in page.inner_text("#engine-title")
    assert page.locator("#engine .card").count() == 0


def test_a_related_search_is_a_click_away_and_begins_at_the_top(page: Any, engine: Engine, title: str) -> None:
    page.goto(f"/?q={title}")
    page.wait_for_selector("#related a")
    assert page.inner_text("#related-title") == "Related searches"
    links = page.locator("#related a")
    assert links.all_inner_texts() == list(engine.related(title, 6))
    assert links.first.bounding_box()["y"] > page.locator("#engine .card").last.bounding_box()["y"]
    chosen = links.first.inner_text()
    links.first.click()
    page.wait_for_function("title => document.title.startsWith(title)", arg=chosen)
    page.wait_for_function("related => document.querySelector('#related a').innerText === related",
                           arg=engine.related(chosen, 6)[0])  # fmt: skip
    assert page.input_value("#query") == chosen
    assert page.evaluate("scrollY") == 0
    page.go_back()
    page.wait_for_function("title => document.querySelector('#query').value === title", arg=title)


def test_where_there_is_nothing_related_searches_lead_on(page: Any, engine: Engine) -> None:
    absent = ("quantum flux capacitor", "grand piano", "helicopter", "combine harvester")
    query = next(query for query in absent if engine.search(query).abstained and engine.related(query))
    page.set_viewport_size(PHONE)
    page.goto(f"/?q={query}")
    page.wait_for_selector(".nothing")
    assert page.inner_text("#related-title") == "Try instead"
    links = page.locator("#related a")
    assert links.all_inner_texts() == list(engine.related(query, 6))
    boxes = [link.bounding_box() for link in links.all()]
    assert all(box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] for box in boxes)
    assert boxes[-1]["y"] + boxes[-1]["height"] <= PHONE["height"], "seen without scrolling"
    links.first.click()
    page.wait_for_selector("#engine .card")
    page.goto("/?q=🎮")
    page.wait_for_selector(".nothing")
    assert page.is_hidden("#related")


def test_without_related_searches_the_answer_stands(page: Any, title: str) -> None:
    page.route("**/related?*", lambda route: route.fulfill(status=200, body="no JSON"))
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    assert page.is_hidden("#related")


def test_what_is_typed_but_not_searched_stays(page: Any, title: str) -> None:
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    page.fill("#query", "something else")
    page.check("#compare")
    page.wait_for_selector("#words .card, #words-title:text('nothing found')")
    assert page.input_value("#query") == "something else"
    assert "compare=1" in page.url
    page.press("#query", "Enter")
    page.wait_for_function("document.title.startsWith('something else')")


def test_what_is_typed_before_the_service_answers_stays(page: Any) -> None:
    held: list[Any] = []
    page.route("**/health/ready", lambda route: held.append(route))
    page.goto("/")
    page.wait_for_selector("#query:focus")  # autofocus comes with the first frame
    page.keyboard.type("ab")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.wait_for_selector("#welcome")
    assert page.input_value("#query") == "ab"
    assert page.evaluate("document.activeElement.id") == "query"


def test_suggestions_by_keyboard(page: Any, engine: Engine) -> None:
    word = next(word for word in engine.towers.featuriser.words if engine.lexical.count(word) and word.isalpha())
    page.goto("/")
    page.wait_for_selector("#query:focus")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    assert page.input_value("#query") == ""
    page.keyboard.type(word[:2])
    page.wait_for_selector("#suggestions li")
    assert page.get_attribute("#query", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.querySelector('[aria-selected=true]').firstChild.textContent")
    page.keyboard.press("Enter")
    page.wait_for_selector("#suggestions", state="hidden")
    assert page.input_value("#query") == chosen
    page.wait_for_selector("#engine-title")
    page.keyboard.type("x")
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    assert page.is_hidden("#suggestions")
