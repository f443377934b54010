"""The page on a phone, and without a mouse."""

from typing import Any

from tests.relevance.page.shown import PHONE


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Any, title: str) -> None:
    page.set_viewport_size(PHONE)
    for address in ("/", f"/?q={title}", f"/?q={title}&compare=1", "/?q=🎮", f"/?q={'Kapitän' * 12}"):
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
    assert page.locator("h1").all_inner_texts() == ["Search listings"]
    page.focus("#query")
    reached = set()
    for _ in range(40):  # past the chips of up to eight categories, two controls each
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"photo", "compare", "card"} <= reached
