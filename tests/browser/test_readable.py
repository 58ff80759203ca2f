"""The report is readable by anybody: without scripts, on a phone, in the dark, on paper, by ear."""

import pytest

from gradparity.reports.wording import result_line

CASE = "cases/contract/a09_indexed_slices/{}.html"
READABLE = 4.5  # the least contrast of text that WCAG 2.2 allows at level AA

CONTRASTS = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.e-]+/g).map(Number);
    const [r, g, b, a = 1] = text.startsWith("color(") ? numbers : [
      numbers[0] / 255, numbers[1] / 255, numbers[2] / 255, numbers[3],
    ];
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) =>
    rgb
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
    }
    return [1, 1, 1];
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("svg, option, script")) continue;
    const ink = luminance(parse(getComputedStyle(element).color).rgb);
    const paper = luminance(background(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    const name = `${element.tagName} ${element.className} ${element.parentElement.className}`;
    found[name] = Math.min(found[name] ?? Infinity, Math.round(100 * contrast) / 100);
  }
  return found;
}"""


@pytest.fixture
def case_page(failing):
    """The page of a case with a check that fails."""
    return f"cases/{failing[0]['case']}.html"


def test_everything_is_readable_with_scripts_off(open_page, document, failing, case_page):
    page = open_page(scripts=False)
    assert page.locator("h1").text_content() == result_line(document["totals"], ended=True)
    assert page.locator("#filter").is_hidden()
    listed = page.locator("table.cases tbody tr:not(.family) a").all_text_contents()
    assert sorted(listed) == sorted(case["name"] for case in document["cases"])
    reasons = page.locator(".failures").first.text_content()
    assert all(check["id"] in reasons and check["reason"] in reasons for check in failing)
    page.locator('a[href="coverage.html"]').click()
    assert page.locator(".tile").first.is_visible()
    assert page.locator("#dtypes").is_hidden()
    page = open_page(case_page, scripts=False)
    assert page.get_by_text(failing[0]["reason"]).first.is_visible()


def test_a_family_leads_to_its_cases_with_scripts_off(open_page):
    page = open_page(scripts=False)
    page.locator(".heat th a").first.click()
    assert page.locator("tr.family th:target").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report.html", "report.html#verdict=differ", "coverage.html"])
def test_all_text_stands_out_from_what_is_behind_it(open_page, name, scheme):
    contrasts = open_page(name, color_scheme=scheme).evaluate(CONTRASTS)
    assert contrasts
    assert {what: n for what, n in contrasts.items() if n < READABLE} == {}


def test_the_schemes_are_different(open_page):
    colours = [
        open_page(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours[0] != colours[1]


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(open_page, case_page, width):
    for name in ("report.html", "report.html#verdict=differ", "coverage.html", case_page):
        page = open_page(name, width=width)
        content, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert content <= window, name


def test_the_overview_answers_in_one_screen(open_page):
    page = open_page()
    for heading in ("Verdicts", "Exactness", "Since the last run", "Families", "Checks that fail"):
        box = page.locator(f"h2:has-text('{heading}')").first.bounding_box()
        assert box["y"] + box["height"] <= 800, heading


@pytest.mark.parametrize("name", ["report.html", "coverage.html"])
def test_pages_tell_a_screen_reader_what_is_what(open_page, name):
    page = open_page(name)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title()
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("input, select")]
          .filter((one) => !one.labels.length).map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    assert page.locator("svg:not([aria-label]):not([aria-hidden])").count() == 0
    assert page.locator("table:not(:has(th[scope]))").count() == 0
    assert page.locator("a:not([href])").count() == 0


def test_the_filter_tells_its_counts_to_a_screen_reader(open_page):
    page = open_page()
    assert page.locator("output[name=shown]").get_attribute("aria-live") == "polite"


def test_paper_shows_no_controls(open_page):
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("#filter").is_hidden()
