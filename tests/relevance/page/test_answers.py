"""A search and its answer: hits that say why, related searches, or clearly that there is nothing."""

from functools import partial
from typing import Any

import relevance
from relevance.engine import MAX_K, Engine
from tests.relevance.page.shown import PHONE, ask


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


def test_a_title_is_text_and_never_markup(page: Any, title: str) -> None:
    hit = {
        "listing_id": "1", "score": 1.0, "relevance": 0.5, "source": "lexical", "reason": "<b>why</b>",
        "title": "<img src=x onerror=alert(1)>", "price": None, "category_id": None, "category": "", "image": None,
    }  # fmt: skip
    nothing = {"mode": "none", "categories": [], "coverage": 0.95}
    body = {"query": "x", "hits": [hit], "category_filter": nothing, "fallback": None, "abstained": False}
    page.route("**/search", lambda route: route.fulfill(json={**body, "versions": {}, "timings": {"all": 1.0}}))
    page.goto("/?q=x")
    page.wait_for_selector("#engine .card")
    assert page.inner_text("#engine .title") == "<img src=x onerror=alert(1)>"


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


def test_the_notice_tells_whether_words_or_filters_found_nothing(page: Any, engine: Engine) -> None:
    word = max(engine.towers.featuriser.words, key=engine.lexical.count)
    having = {hit.category_id for hit in engine.lexical_search(word, MAX_K)}
    leaves = (engine.ontology.ids[i] for i in range(len(engine.ontology)) if engine.ontology.is_leaf[i])
    filtered = (leaf for leaf in leaves if leaf not in having)
    rescued = ((leaf, engine.fallback(word, relevance.Filters(category=leaf), 24)) for leaf in filtered)
    category = next(leaf for leaf, fallback in rescued if fallback.hits)
    page.goto(f"/?q={word}&category={category}")
    page.wait_for_selector("#notice:not([hidden])")
    assert page.inner_text("#notice").startswith("No listing has every word of the query and passes the filters. ")
    absent = next(w for w in ("zzzz", "qqqq") if engine.search(f"{word} {w}", 24).hits)
    page.goto(f"/?q={word} {absent}")
    page.wait_for_selector("#notice:not([hidden])")
    assert page.inner_text("#notice").startswith("No listing has every word of the query. ")


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
    page.wait_for_function("related => document.querySelector('#related a')?.innerText === related",
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


def test_words_alone_stand_beside(page: Any, engine: Engine, title: str) -> None:
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    assert page.is_hidden("#words")
    page.check("#compare")
    page.wait_for_selector("#words .card")
    expected = engine.lexical_search(title, 24)
    assert page.locator("#words .title").all_inner_texts() == [hit.title for hit in expected]
    left, right = (page.locator(f"#{name}").bounding_box() for name in ("engine", "words"))
    assert left["x"] + left["width"] <= right["x"]
    page.uncheck("#compare")
    page.wait_for_selector("#words", state="hidden")


def test_the_answer_does_not_wait_for_related_searches(page: Any, title: str) -> None:
    held: list[Any] = []
    page.route("**/related?*", lambda route: held.append(route))
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    assert page.is_hidden("#related")
    held[0].continue_()
    page.wait_for_selector("#related a")


def test_what_a_proxy_answers_is_told_in_words(unlucky: Any, title: str) -> None:
    page = unlucky
    for status, body, told in (
        (502, "", "That did not work: the answer was no answer of the service (502)"),
        (503, "<html>busy</html>", "That did not work: the answer was no answer of the service (503)"),
        (503, '{"error": "too many requests; try again"}', "That did not work: too many requests; try again"),
    ):
        answer = {"status": status, "body": body}
        page.route("**/search", partial(_fulfilled, answer))
        page.goto(f"/?q={title}")
        page.wait_for_selector("#notice.error")
        assert page.inner_text("#notice") == told
        assert page.text_content("#told").strip() == told, "a reader of screens is told as well"
        page.unroute("**/search")
    page.route("**/search", lambda route: route.abort())
    page.goto(f"/?q={title}")
    page.wait_for_selector("#notice.error")
    assert page.inner_text("#notice") == "The service does not answer. Try again."


def _fulfilled(answer: dict[str, Any], route: Any) -> None:
    route.fulfill(**answer)


def test_what_the_service_is_is_asked_again(unlucky: Any, title: str) -> None:
    page, asked = unlucky, list[str]()

    def ready(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/health/ready", ready)
    page.goto("/?q=🎮")
    page.wait_for_selector(".nothing")
    assert "No listing answers" in page.inner_text("#engine-title")
    ask(page, title)
    page.wait_for_selector("#engine .card img")
    assert len(asked) == 2


def test_back_leads_to_where_one_was(page: Any, title: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/?q={title}")
    page.wait_for_selector("#related a")
    page.evaluate("scrollTo(0, 300)")
    page.evaluate("document.querySelector('#related a').click()")
    page.wait_for_function("() => scrollY === 0")
    page.go_back()
    page.wait_for_function("() => scrollY === 300")
