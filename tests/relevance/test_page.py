"""The page in a real browser: what a person sees and does. Skipped where the system has no Chromium."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance.engine import MAX_K, Engine
from tests.live_engines import WORD
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
    with _opened(browser, service) as page:
        yield page


def _is_error(line: Any) -> bool:
    """What the console calls one, but for a photo that a listing names and nobody has: the page shows a letter."""
    return bool(line.type == "error" and "/images/" not in line.location.get("url", ""))


@contextmanager
def _opened(browser: Any, service: Service) -> Iterator[Any]:
    """A page that fails its test when a script does, or when it asks anybody but the service for anything."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if _is_error(line) else None)
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


def _told(page: Any, categories: dict[str, str]) -> list[Any]:
    """The service's answers, but with these categories (id -> path) as category filter: so small a model tells none.
    Returns what was asked, to which more is added."""
    asked: list[Any] = []
    filled = [{"category_id": i, "path": path, "probability": 0.61} for i, path in categories.items()]
    told = {"mode": "filter", "categories": filled, "coverage": 0.95}

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        response = route.fetch()
        body = {**response.json(), "category_filter": told} if response.ok else response.json()
        route.fulfill(response=response, json=body)

    page.route("**/search", answer)
    return asked


def _titles(page: Any, section: str = "engine") -> list[str]:
    return list(page.locator(f"#{section} .title").all_inner_texts())


def _focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.id"))


@pytest.fixture(scope="module")
def two_kinds(engine: Engine) -> tuple[str, str]:
    """Leaves of two roots: the one that WORD, which means nothing, is nearest to, and one that it is far from."""
    ontology, cosines = engine.ontology, engine.read(WORD).categories
    leaves = sorted((i for i in range(len(ontology)) if ontology.is_leaf[i]), key=lambda i: -cosines[i])
    far = next(i for i in reversed(leaves) if ontology.paths[i][0] != ontology.paths[leaves[0]][0])
    return ontology.ids[leaves[0]], ontology.ids[far]


@pytest.fixture(scope="module")
def crowded(
    tiny_bundle: Path, two_kinds: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service where more listings of one category have WORD than a page shows, and a few of another do."""
    folder = tmp_path_factory.mktemp("crowded")
    many, few = two_kinds
    listings = [relevance.NewListing(f"m{i}", WORD, category_id=many) for i in range(60)]
    listings += [relevance.NewListing(f"f{i}", f"{WORD} among many other words {i}", category_id=few) for i in range(3)]
    with relevance.open(tiny_bundle, live=folder / "live") as written:
        written.upsert(listings)
    with serving(tiny_bundle, folder / "log", "--live", str(folder / "live")) as service:
        yield service


@pytest.fixture
def crowd(
    browser: Any, crowded: Service, engine: Engine, two_kinds: tuple[str, str]
) -> Iterator[tuple[Any, list[Any]]]:
    """The page after a search of WORD, with both categories as chips; and what it asked."""
    with _opened(browser, crowded) as page:
        paths = {i: engine.ontology.path_text(engine.ontology.position(i)) for i in two_kinds}
        asked = _told(page, paths)
        page.goto(f"/?q={WORD}")
        page.wait_for_selector(".chip")
        yield page, asked


FEW = [f"{WORD} among many other words {i}" for i in range(3)]


def test_what_is_clicked_away_makes_room_for_what_lies_beyond_the_first_page(
    crowd: tuple[Any, list[Any]], two_kinds: tuple[str, str]
) -> None:
    page, asked = crowd
    assert _titles(page) == [WORD] * 24, "the first page lies in one category"
    chips = page.locator("#chips .only").all_inner_texts()
    page.click(".chip .away >> nth=0")
    page.wait_for_selector("[data-undo]")
    assert asked[-1] == {"query": WORD, "k": 24, "filters": {"not_categories": [two_kinds[0]]}}
    assert set(FEW) <= set(_titles(page))
    assert WORD not in _titles(page)
    assert page.locator("#chips .only").all_inner_texts() == chips[1:]
    away = page.inner_text("[data-undo]")
    page.reload()
    page.wait_for_selector("[data-undo]")
    assert page.inner_text("[data-undo]") == away, "the address has what was clicked away"
    assert WORD not in _titles(page)
    page.click("[data-undo]")
    page.wait_for_selector("[data-undo]", state="detached")
    assert _titles(page) == [WORD] * 24
    assert page.locator("#chips .only").all_inner_texts() == chips
    page.go_back()
    page.wait_for_selector("[data-undo]")
    assert WORD not in _titles(page)


def test_nothing_else_is_said_where_all_of_it_was_clicked_away(page: Any, engine: Engine, title: str) -> None:
    roots = [i for i, above in enumerate(engine.ontology.parent) if above < 0]
    _told(page, {engine.ontology.ids[i]: engine.ontology.path_text(i) for i in roots})
    page.goto(f"/?q={title}")
    page.wait_for_selector(".chip")
    for left in reversed(range(len(roots))):
        page.click(".chip .away >> nth=0")
        page.wait_for_function("left => document.querySelectorAll('.chip').length === left", arg=left)
    assert page.inner_text(".nothing") == "Nothing else like that here"
    assert page.locator("[data-undo]").count() == len(roots)


def test_words_alone_are_searched_under_the_same_filters(crowd: tuple[Any, list[Any]]) -> None:
    page, _ = crowd
    page.check("#compare")
    page.wait_for_selector("#words .card")
    assert _titles(page, "words") == [WORD] * 24
    page.click(".chip .away >> nth=0")
    page.wait_for_selector("[data-undo]")
    assert sorted(_titles(page, "words")) == FEW
    page.click("[data-undo]")
    page.wait_for_selector("[data-undo]", state="detached")
    page.click(".chip .only >> nth=1")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert sorted(_titles(page, "words")) == FEW


def test_the_focus_stays_where_something_was_done(crowd: tuple[Any, list[Any]]) -> None:
    page, _ = crowd
    name = page.locator("#chips .only").first.inner_text().rsplit(maxsplit=2)[0]
    page.focus(".chip .away >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]")
    assert _focused(page) == f"Not {name} · undo"
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]", state="detached")
    assert _focused(page).startswith(name)
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert _focused(page).startswith(name)
    page.focus(".chip .away >> nth=0")  # clicked away although it was the only one
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]")
    assert _focused(page) == f"Not {name} · undo"
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
    assert _focused(page) == "query"


def test_a_category_alone(page: Any, engine: Engine, title: str) -> None:
    first = engine.search(title, 24).hits[0]
    category = str(first.category_id)
    asked = _told(page, {category: first.category})
    page.goto(f"/?q={title}")
    page.wait_for_selector(".chip")
    assert page.inner_text(".chip .only").split() == [*first.category.split(" > ")[-1].split(), "61", "%"]
    expected = engine.search(title, 24, relevance.Filters(category=category)).hits
    page.click(".chip .only")
    page.wait_for_selector(".chip .only[aria-pressed=true]")
    assert asked[-1]["filters"] == {"category": category}
    assert _titles(page) == [hit.title for hit in expected]
    page.click(".chip .only")
    page.wait_for_selector(".chip .only[aria-pressed=false]")
    assert asked[-1]["filters"] == {}


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
    shown.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("title => document.querySelector('#detail-title').innerText === title", arg=other)
    assert page.evaluate("document.activeElement.className") == "close"
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
    assert page.is_hidden("#compare"), "there are no words to compare with"
    page.focus("#asked .undo")
    page.keyboard.press("Enter")
    page.wait_for_selector("#welcome:not([hidden])")
    assert page.is_visible("#compare")
    assert _focused(page) == "query"
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
    page.check("#compare")
    page.wait_for_selector("#welcome:not([hidden])")


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
