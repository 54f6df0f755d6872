"""Reports and manual at a phone's width, in the dark, by keyboard, without JavaScript, and on paper."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser import fits_both_dresses, read, says
from tests.cast import DAY, a_clinic, a_count, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TYPED = "?protocol=us-label-2025&population=general&unit=/uL&first_dose=2026-06-14&as_of=2026-09-13T08:00&counts="


@pytest.fixture
def nurse():
    clinic, now = a_clinic(), timezone.now()
    started = now - 60 * DAY
    for late in (0, 2):
        treatment = a_treatment(clinic, started=started)
        for week, anc in ((1, 2600), (2, 2600), (3, 1400)):
            at = started + week * 7 * DAY + late * DAY
            a_count(treatment, anc, at=at, now=at + timedelta(hours=1))
    return a_person(clinic, "nurse")


def test_every_page_is_accessible_in_both_schemes_and_fits_a_phone(open_page, nurse):
    page = open_page(nurse, width=320)
    for address in (
        "/reports/",
        "/reports/?as_known_on=2199-01-01",
        "/manual/",
        "/manual/uk-cpms/",
        "/manual/try/",
        f"/manual/try/{TYPED}2026-09-12+870",
        f"/manual/try/{TYPED}nonsense",
    ):
        page.goto(address)
        fits_both_dresses(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_nurse_asks_about_a_past_day_and_gets_the_answer_of_that_day(open_page, nurse, javascript):
    page = open_page(nurse, javascript=javascript, at="/")
    page.click("nav >> text=Reports")
    page.click("text=Filters, days, and a past day")
    known_on = timezone.now().date() - timedelta(days=50)
    page.fill("#id_as_known_on", f"{known_on}")
    page.keyboard.press("Enter")
    page.wait_for_url("**as_known_on**")
    says(page, f"{known_on} 23:59")
    assert "2 missed" not in read(page)
    expect(page.get_by_text("All as PDF")).to_have_attribute("href", re.compile(f"as_known_on={known_on}$"))


def test_the_words_above_the_bars_fit_the_narrowest_phone(open_page, nurse):
    page = open_page(nurse, width=320)
    page.goto("/reports/")
    ends = page.eval_on_selector_all(".chart text", "all => all.map(one => one.getBoundingClientRect().right)")
    assert max(ends) <= 320 - 16


def test_the_box_is_asked_by_keyboard_alone(open_page, nurse):
    page = open_page(nurse, javascript=False)
    page.goto("/manual/try/")
    page.focus("#id_first_dose")
    page.fill("#id_first_dose", "2026-06-14")
    page.fill("#id_counts", "2026-09-12 09:30 0.42")
    page.focus("button:has-text('Show what the rules say')")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Stop treatment")
    says(page, '"kind": "count"', "pre")


def test_paper_shows_the_numbers_and_not_the_filters(open_page, nurse):
    page = open_page(nurse)
    page.goto("/reports/")
    page.emulate_media(media="print")
    assert not page.is_visible("text=Filters, days, and a past day")
    assert not page.is_visible("text=All as PDF")
    assert page.is_visible("text=As known at")
    assert page.is_visible("table >> nth=0")
