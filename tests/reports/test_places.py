"""Places: links lead to the anchor of the check on its case's page; files count from the root."""

import re
from html import unescape
from urllib.parse import unquote, urlsplit

import pytest

from gradparity.reports.document import document
from gradparity.reports.pages import pages
from gradparity.reports.places import Places


@pytest.mark.parametrize("query", ["z1~w1", "z%41~w[float32] @b", 'a"b<c>#d?e&f', "ä 100%"])
@pytest.mark.parametrize("name", ["tutorial/sum", "odd/a b#c?d%41"])
def test_a_link_leads_to_the_check(make, query, name):
    data = document(make.run(make.agreeing(of=make.case(name), query=query)))
    url = urlsplit(Places.of(data, "https://e.org/r/").page(data["checks"][0]))
    page = pages(data)[unquote(url.path).removeprefix("/r/")]
    ids = [unescape(id) for id in re.findall(r'id="([^"]*)"', page)]
    assert unquote(url.fragment) in ids


def test_without_a_url_there_are_no_links(make):
    data = document(make.run(make.agreeing()))
    places = Places.of(data)
    assert places.page(data["checks"][0]) is None
    assert places.report is None


def test_a_file_is_named_from_the_root_of_the_repository(make):
    data = document(make.run(make.agreeing()))
    check = data["checks"][0]
    assert Places.of(data).file(check) == "cases/tutorial/weighted_sum.yaml"
    assert Places.of(data, folder="sub").file(check) == "sub/cases/tutorial/weighted_sum.yaml"
    assert Places.of(data, folder="sub").file({"file": "../x.yaml"}) == "x.yaml"
