"""What is typed stays, and suggestions are chosen by keyboard."""

from typing import Any

from relevance.engine import Engine


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


def test_late_suggestions_stay_away(page: Any, engine: Engine) -> None:
    word = next(word for word in engine.towers.featuriser.words if engine.lexical.count(word) and word.isalpha())
    held: list[Any] = []
    page.route("**/suggest?*", lambda route: held.append(route))
    page.goto("/")
    page.wait_for_selector("#query:focus")
    for key in ("Enter", "Escape"):
        page.fill("#query", word[:3])
        while not held:
            page.wait_for_timeout(20)
        page.keyboard.press(key)
        if key == "Enter":
            page.wait_for_function("() => document.title !== 'relevance'")
        else:
            page.wait_for_timeout(50)
        held.pop().continue_()
        page.wait_for_timeout(200)
        assert page.get_attribute("#query", "aria-expanded") == "false"
