"""Every page that the table of doors knows, in a real browser: nothing scrolls sideways, everything can be read.

A new address is looked at as soon as it stands in that table.
"""

import pytest

from monitoring.views.acts.table import ACTS
from tests.browser import AXE, dressed, unreadable
from tests.cast import a_clinic, a_person
from tests.house.test_doors import LETTERS, TABLE, addresses, filled
from tests.things import things

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, ZOOMED, DESK, WIDE = 320, 640, 1280, 1920
"""640 px is a window of 1280 px at 200 % zoom."""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """() => [...document.querySelectorAll('.scroll > table.stack')]
    .filter(one => one.scrollWidth > one.parentElement.clientWidth).length"""
"""Rows that stand as cards on a phone and are wider than it: their words end in the middle."""
BAR = "() => document.querySelector('header.bar')?.offsetHeight ?? 0"
AT_REST = """addEventListener("htmx:beforeRequest", event => {
    if (event.detail.requestConfig.verb === "post") event.preventDefault();
}, true)"""
"""A page that goes on by itself, as an import does, stands still while it is looked at."""
NO_PAGES = ("api_", "sign_out", "welcome", "refused_rows", "report_csv", "reports_pdf", "health")


def pages(known):
    """Path and letter of the role that opens it."""
    for address in addresses():
        row = TABLE.get(address.name)
        if row is None or address.name.startswith(NO_PAGES) or not (row.get or row.about == "open"):
            continue
        who = "P" if "P" in row.get else row.get[:1]
        names = ACTS if address.name == "act" else ("",)
        for name in names:
            yield filled(address, known | {"name": name} if name else known), who


@pytest.mark.timeout(600)
def test_every_page_fits_every_width_and_can_be_read_in_dark_and_light(open_page):
    clinic = a_clinic("North")
    known, opened, wrong = things(clinic), {}, []
    for path, who in pages(known):
        if who not in opened:
            opened[who] = open_page(a_person(clinic, LETTERS[who]) if who else None)
            opened[who].add_init_script(AT_REST)
        page = opened[who]
        # Files are downloaded, and some addresses only take what is posted to them: neither is a page.
        asked = page.request.get(path)
        if asked.status == 405 or not asked.headers.get("content-type", "").startswith("text/html"):
            continue
        answer = page.goto(path)
        assert answer.status in (200, 404), (path, answer.status)
        for width in (PHONE, ZOOMED, WIDE, DESK):
            page.set_viewport_size({"width": width, "height": 900})
            if over := page.evaluate(TOO_WIDE):
                wrong.append(f"{path} is {over} px wider than {width}")
            if width == PHONE and page.evaluate(CUT):
                wrong.append(f"{path} has a table that is cut at {width}")
            if width >= DESK and (high := page.evaluate(BAR)) > 70:
                wrong.append(f"{path}: the menu takes {high} px at {width}")
        page.evaluate(AXE.read_text())
        for scheme, width in (("light", DESK), ("dark", PHONE)):
            wrong += [f"{path}, {scheme} at {width}: {html}" for html in unreadable(dressed(page, scheme, width))]
    assert not wrong, "\n".join(wrong)


def test_on_a_phone_the_rest_of_the_places_are_in_a_menu_that_needs_no_script(open_page):
    clinic = a_clinic("North")
    page = open_page(a_person(clinic, "nurse"), width=390, javascript=False, at="/")
    bar = page.locator("header.bar")
    assert bar.bounding_box()["height"] < 70
    assert not bar.get_by_role("link", name="Register").is_visible()
    bar.locator("summary").focus()
    page.keyboard.press("Enter")
    bar.locator(".menu >> text=Register").click()
    page.wait_for_url("**/register/")


def test_whose_record_it_is_stays_in_sight_while_the_page_scrolls(open_page):
    clinic = a_clinic("North")
    known = things(clinic)
    page = open_page(a_person(clinic, "nurse"), width=390)
    page.goto(f"/patients/{known['patient_id']}/")
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => window.scrollY > 500")
    assert page.get_by_role("heading", level=1).bounding_box()["y"] >= 0
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
