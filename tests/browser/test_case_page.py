"""A case's page in a browser: its picture, its values and its scripts, for anybody."""

import pytest
from tests.browser.test_readable import CONTRASTS, READABLE

DIAMOND = "cases/tutorial/diamond.html"
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => (each.open = true))"


@pytest.fixture
def failing_page(failing):
    """The page of a case with a check that fails."""
    return f"cases/{failing[0]['case']}.html"


def check_of(page, name):
    return page.locator(f"details.check[id='{name}']")


def test_a_link_to_a_check_opens_it_and_shows_its_picture(open_page):
    page = open_page(f"{DIAMOND}#one-edge@c-%3Ee", width=900)
    check = check_of(page, "one-edge@c->e")
    assert check.locator("figure.picture svg").is_visible()
    for text in ("c_stopped", "stopped", "None", "gets 2", "starts with 1"):
        assert check.locator("svg text", has_text=text).first.is_visible()
    assert page.locator("details.check[open]").count() == 1


def test_what_is_stopped_looks_other_than_what_flows(open_page):
    page = open_page(f"{DIAMOND}#one-edge@c-%3Ee")
    colours = {
        kind: check_of(page, "one-edge@c->e")
        .locator(f"svg g.{kind} path.g")
        .first.evaluate("(path) => getComputedStyle(path).stroke")
        for kind in ("flow", "stopped", "none")
    }
    assert len(set(colours.values())) == 3


def test_a_failing_check_is_open_and_marks_what_differs(open_page, failing, failing_page):
    page = open_page(failing_page)
    check = check_of(page, failing[0]["id"].split("::", 1)[1])
    assert check.locator(".reason").is_visible()
    assert check.locator("mark.wrong").first.is_visible()
    assert "ulp" in check.locator("mark.wrong").first.get_attribute("title")
    assert check.locator("table.worst tbody tr").first.is_visible()


@pytest.mark.parametrize("clipboard", ["there", "missing"])
def test_a_script_can_be_copied(open_page, document, clipboard):
    page = open_page(f"{DIAMOND}#no-stop")
    if clipboard == "missing":
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    script = check_of(page, "no-stop").locator("details.script").nth(1)
    script.locator("summary").click()
    script.locator("button").click()
    page.wait_for_function(
        "(button) => ['Copied', 'Selected: press Ctrl+C'].includes(button.textContent)",
        arg=script.locator("button").element_handle(),
    )
    code = script.locator("code").text_content()
    assert code.startswith(f"import {document['implementation']['tf1']['namespace']} as tf\n")
    if clipboard == "missing":
        assert page.evaluate("getSelection().toString()").strip() == code.strip()


def test_everything_is_there_with_scripts_off(open_page):
    page = open_page(DIAMOND, scripts=False)
    assert page.locator("button").count() == 0
    check = check_of(page, "no-stop")
    check.locator("summary").first.click()
    assert check.locator("figure.picture svg").is_visible()
    check.locator("details.script summary").first.click()
    assert check.locator("details.script code").first.is_visible()


def test_all_checks_open_and_close_at_once(open_page):
    page = open_page(DIAMOND)
    page.get_by_role("button", name="Open all").click()
    assert page.locator("details.check:not([open])").count() == 0
    page.get_by_role("button", name="Close all").click()
    assert page.locator("details.check[open]").count() == 0


def test_the_keyboard_alone_leads_to_a_check(open_page):
    page = open_page(DIAMOND)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the checks"
    page.keyboard.press("Enter")
    for _ in range(3):  # past the two buttons
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.locator("details.check").first.evaluate("(check) => check.open")


def test_one_case_leads_to_the_next_and_back_to_the_report(open_page):
    page = open_page(DIAMOND)
    title = page.title()
    page.get_by_role("link", name="next case").click()
    assert page.title() != title
    page.get_by_role("link", name="previous case").click()
    assert page.title() == title
    page.get_by_role("link", name="Report", exact=True).click()
    assert page.url.endswith("report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(open_page, failing_page, scheme):
    page = open_page(failing_page, color_scheme=scheme)
    page.evaluate(OPEN_ALL)
    contrasts = page.evaluate(CONTRASTS)
    assert {what: n for what, n in contrasts.items() if n < READABLE} == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_no_opened_check_scrolls_sideways(open_page, failing_page, width):
    for name in (failing_page, DIAMOND):
        page = open_page(name, width=width)
        page.evaluate(OPEN_ALL)
        content, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert content <= window, name


def test_a_screen_reader_is_told_what_is_what(open_page, failing_page):
    for name in (failing_page, DIAMOND):
        page = open_page(name)
        assert page.locator("h1").count() == 1
        assert page.locator("svg:not([aria-label])").count() == 0
        assert page.locator("img:not([alt]), img[alt='']").count() == 0
        assert page.locator("table:not(:has(th[scope]))").count() == 0
        assert page.locator("nav:not([aria-label])").count() == 0


def test_paper_shows_all_of_it_and_no_controls(open_page):
    page = open_page(DIAMOND, scripts=False)
    page.emulate_media(media="print")
    heights = page.locator("details pre").evaluate_all("(all) => all.map((e) => e.offsetHeight)")
    assert len(heights) > 6
    assert all(heights)
    assert page.locator("nav.top").is_hidden()
