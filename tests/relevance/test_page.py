"""The page in a real browser: what a person sees and does. Skipped where the system has no Chromium."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance.engine import Engine
from tests.service_process import Service, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = {"width": 390, "height": 844}

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine: apt-get install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def service(tiny_chain: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("page") / "log"
    with serving(tiny_bundle, log, "--images", str(tiny_chain / "dataset")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:
    """A page that fails its test when a script does, or when it asks anybody but the service for anything."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if line.type == "error" else None)
    page.on("request", lambda asked: broken.append(asked.url) if not _own(asked.url, service) else None)
    yield page
    context.close()
    assert broken == []


def _own(url: str, service: Service) -> bool:
    return url.startswith((service.url + "/", "blob:", "data:"))


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    """The title of a listing that the words find, with a photo and among few."""
    photographed = engine.visual.embeddings.any(axis=1).nonzero()[0].tolist()
    listings = engine.store.rows(photographed)
    titles = (listings[row].title for row in photographed)
    return next(t for t in titles if any(hit.title == t for hit in engine.search(t, 24).hits))


def _ask(page: Any, query: str) -> None:
    page.fill("#query", query)
    page.press("#query", "Enter")


def test_hits_show_what_they_are_and_why(page: Any, engine: Engine, title: str) -> None:
    page.goto("/")
    _ask(page, title)
    page.wait_for_selector("#engine .card")
    expected = engine.search(title, 60).hits[:24]
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
    _ask(page, title)
    page.wait_for_selector("#engine .card")
    address = page.url
    _ask(page, "🎮")
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


@pytest.fixture
def told(page: Any, title: str) -> list[Any]:
    """The services' answers to `title`, but with the first two hits' categories as its category filter: so small a
    model tells none."""
    asked: list[Any] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        response = route.fetch()
        body = response.json()
        found = list({hit["category_id"]: hit["category"] for hit in body["hits"]}.items())[:2]
        categories = [{"category_id": i, "path": path, "probability": 0.61} for i, path in found]
        route.fulfill(json={**body, "category_filter": {"mode": "filter", "categories": categories, "coverage": 0.95}})

    page.route("**/search", answer)
    page.goto(f"/?q={title}")
    page.wait_for_selector(".chip")
    return asked


def test_a_category_is_clicked_away_and_brought_back(page: Any, engine: Engine, title: str, told: list[Any]) -> None:
    hits = engine.search(title, 60).hits
    away = hits[0].category
    assert page.inner_text(".chip .only >> nth=0").split() == [*away.split(" > ")[-1].split(), "61", "%"]
    page.click(".chip .away >> nth=0")
    left = [hit.title for hit in hits if hit.category != away and not hit.category.startswith(away + " > ")]
    assert page.locator("#engine .title").all_inner_texts() == left[:24]
    page.click(".undo")
    assert page.locator("#engine .title").all_inner_texts() == [hit.title for hit in hits[:24]]
    assert page.locator(".chip").count() == len({hit.category for hit in hits[:2]})


def test_a_category_alone(page: Any, engine: Engine, title: str, told: list[Any]) -> None:
    category = str(engine.search(title, 60).hits[0].category_id)
    expected = engine.search(title, 60, relevance.Filters(category=category)).hits[:24]
    page.click(".chip .only >> nth=0")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert told[-1]["filters"] == {"category": category}
    assert page.locator("#engine .title").all_inner_texts() == [hit.title for hit in expected]
    page.click(".chip .only >> nth=0")
    page.wait_for_selector(".chip .only[aria-pressed=false]")
    assert told[-1]["filters"] == {}


def test_similar_listings_on_a_click_and_back_with_escape(page: Any, engine: Engine, title: str) -> None:
    page.goto(f"/?q={title}")
    page.click("#engine .card:has(img) >> nth=0")
    page.wait_for_selector("#detail .hits .card")
    assert page.locator("#detail .source").first.inner_text() == "photo"
    clicked = engine.catalogue.find(page.locator("#engine .card:has(img)").first.get_attribute("data-id"))
    assert clicked is not None
    assert all(str(value) in page.inner_text("#detail .listing") for value in json.loads(clicked.attributes).values())
    shown = page.locator("#detail .hits .card").first
    other = shown.locator(".title").inner_text()
    shown.click()
    page.wait_for_function("title => document.querySelector('#detail-title').innerText === title", arg=other)
    page.keyboard.press("Escape")
    page.wait_for_selector("#detail", state="hidden")


def test_a_photo_that_is_chosen_or_dropped(page: Any, engine: Engine, tiny_chain: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    photo = tiny_chain / "dataset" / str(engine.store.rows([row])[row].image)
    expected = [hit.title for hit in engine.similar(image=photo.read_bytes(), k=24)]
    page.goto("/")
    page.set_input_files("#photo", photo)
    page.wait_for_selector("#asked img")
    assert page.locator("#engine .title").all_inner_texts() == expected
    page.goto("/")
    page.evaluate(
        """async ([bytes, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        [list(photo.read_bytes()), photo.name],
    )
    page.wait_for_selector("#asked img")
    assert page.locator("#engine .title").all_inner_texts() == expected


def test_a_file_that_is_no_photo_is_refused_in_words(page: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk")
    page.goto("/")
    page.set_input_files("#photo", tmp_path / "notes.txt")
    page.wait_for_selector("#notice.error")
    assert page.inner_text("#notice") == "That did not work: “notes.txt” is not a photo"


def test_suggestions_by_keyboard(page: Any, engine: Engine) -> None:
    word = next(word for word in engine.towers.featuriser.words if engine.lexical.count(word) and word.isalpha())
    page.goto("/")
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


def test_what_is_typed_before_the_service_answers_stays(page: Any) -> None:
    held: list[Any] = []
    page.route("**/health/ready", lambda route: held.append(route))
    page.goto("/")
    page.keyboard.type("ab")
    page.wait_for_function("document.readyState === 'complete'")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.wait_for_selector("#welcome")
    assert page.input_value("#query") == "ab"
    assert page.evaluate("document.activeElement.id") == "query"


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


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Any, title: str) -> None:
    page.set_viewport_size(PHONE)
    for address in ("/", f"/?q={title}", f"/?q={title}&compare=1", "/?q=🎮"):
        page.goto(address)
        page.wait_for_selector("#engine-title, #welcome:not([hidden])")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"/?q={title}")
    page.click("#engine .card >> nth=0")
    page.wait_for_selector("#detail[open]")
    box = page.locator("#detail").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_every_control_has_a_name_and_can_be_reached(page: Any, title: str) -> None:
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, a")].filter(control =>
            !control.closest("dialog") && !(control.getAttribute("aria-label") || control.innerText.trim()
            || control.labels?.[0]?.innerText.trim())).map(control => control.outerHTML)"""
    )
    assert unnamed == []
    page.focus("#query")
    reached = set()
    for _ in range(40):  # past the chips of up to eight categories, two controls each
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"photo", "compare", "card"} <= reached
