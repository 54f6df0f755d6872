"""The patient's page in a real browser: its chart by keyboard, its links, the past, and paper."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.actions.treating import record_dose, record_event
from monitoring.models import Result
from tests.browser import fits_both_dresses, read, says
from tests.cast import DAY, Decimal, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIRST_SCREEN = 844


@pytest.fixture
def clinic():
    return a_clinic(count_unit="10*9/L")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture
def treatment(clinic):
    """A year with a mild dip, a severe drop under treatment, a break, a rechallenge, a correction and a fever."""
    now, patient = (
        timezone.now(),
        a_patient(clinic, family_name="Featherstonehaugh-Whitcombe", given_name="Maximiliane"),
    )
    treatment = a_treatment(clinic, started=now - 330 * DAY, clinician=a_person(clinic, "prescriber"), patient=patient)
    told = {280: 3400, 240: 1320, 239: 1700, 200: 410, 199: 700, 197: 1600, 150: 2900, 90: 2500, 40: 3100, 2: 2800}
    for mg, days in ((12, 330), (300, 310), (25, 140), (250, 100)):
        record_dose(treatment=treatment, daily_mg=Decimal(mg), at=now - days * DAY, by=None, now=now - days * DAY)
    for days, anc in told.items():
        at = now - days * DAY
        a_count(treatment, anc, at=at, now=at, supported=days == 199, accession=f"D{days}")
        if days == 200:
            record_event(treatment=treatment, kind="last_dose", at=at + DAY / 24, by=None, now=at + DAY / 12)
        if days == 150:
            record_event(treatment=treatment, kind="rechallenge_approved", at=at, by=None, now=at, reason="Benefit")
            record_event(treatment=treatment, kind="restart", at=at + DAY, by=None, now=at + DAY)
    a_count(treatment, 310, at=now - 40 * DAY, now=now - 39 * DAY, accession="D40", status="corrected")
    a_count(treatment, 3100, at=now - 40 * DAY, now=now - 38 * DAY, accession="D40", status="corrected", reason="Slip")
    return treatment


def address(treatment, more=""):
    return f"/patients/{treatment.patient_id}/{more}"


def test_the_page_is_accessible_in_every_dress_and_fits(open_page, nurse, treatment):
    page = open_page(nurse, width=320)
    day = f"{timezone.now() - 199 * DAY:%Y-%m-%d}"
    for more in ("", "?scale=log&range=all", "?range=3m&all=1", f"?as_of={day}", "judgements/"):
        page.goto(address(treatment, more))
        fits_both_dresses(page)


def test_on_a_phone_who_the_advice_and_the_next_test_are_on_the_first_screen(open_page, nurse, treatment):
    page = open_page(nurse, width=390)
    page.goto(address(treatment))
    for words in ("Featherstonehaugh", "Severe neutropenia before", "Continue treatment", "Next blood test"):
        box = page.locator(f"main >> text={words}").first.bounding_box()
        assert box["y"] + box["height"] < FIRST_SCREEN, words


def test_the_counts_are_read_one_after_the_other_by_arrow_keys_and_lead_to_their_rows(open_page, nurse, treatment):
    page = open_page(nurse)
    page.goto(address(treatment))
    points = page.locator(".plot a.point:not(.old)")
    assert page.locator('.plot a.point[tabindex="0"]').count() == 1
    page.focus('.plot a.point[tabindex="0"]')
    page.keyboard.press("Home")
    heard = []
    for _ in range(points.count()):
        heard.append(page.evaluate("document.activeElement.querySelector('title').textContent"))
        assert page.locator(".point:focus-visible .reading").is_visible()
        page.keyboard.press("ArrowRight")
    assert len(set(heard)) == points.count()
    assert any("ANC 410 per microlitre, severe" in words for words in heard)
    assert any("ANC 700 per microlitre, moderate, under G-CSF or lithium" in words for words in heard)
    page.keyboard.press("Enter")
    latest = Result.objects.order_by("-drawn_at", "-version").first()
    page.wait_for_url(f"**#result-{latest.pk}")
    expect(page.locator("tr:target strong")).to_have_text("2800")


def test_without_javascript_every_count_is_a_stop_of_its_own_and_they_can_be_skipped(open_page, nurse, treatment):
    page = open_page(nurse, javascript=False)
    page.goto(address(treatment))
    page.focus(".chart-panel .skip")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class(re.compile("^point"))
    page.focus(".chart-panel .skip")
    page.keyboard.press("Enter")
    page.wait_for_url("**#results")


def test_shapes_tell_supported_and_replaced_counts_apart_and_the_key_says_how(open_page, nurse, treatment):
    page = open_page(nurse)
    page.goto(address(treatment))
    assert page.locator(".plot use.ring").count() == 1
    assert page.locator(".plot .old").count() == 2
    key = read(page, ".key")
    for words in ("count under G-CSF or lithium", "corrected or entered in error", "off treatment", "rechallenge"):
        assert words in key
    assert page.locator(".plot .pause rect").count() == 1
    assert page.locator(".axis .threshold").all_text_contents() == ["1500", "1000", "500"]


def test_the_time_and_the_scale_are_chosen_by_links_that_keep_each_other(open_page, nurse, treatment):
    page = open_page(nurse)
    page.goto(address(treatment))
    all_counts = page.locator(".plot a.point").count()
    page.click("nav[aria-label='Scale'] >> text=Log")
    page.wait_for_url("**scale=log**")
    page.click("nav[aria-label='Time shown'] >> text=3 months")
    page.wait_for_url("**range=3m**")
    assert "scale=log" in page.url
    expect(page.locator(".choices [aria-current]")).to_have_text(["3 months", "Log"])
    assert page.locator(".plot a.point").count() < all_counts


def test_a_day_gone_by_is_chosen_in_the_page_and_cannot_be_taken_for_today(open_page, nurse, treatment):
    page = open_page(nurse)
    page.goto(address(treatment))
    page.fill("#as_of", f"{timezone.now() - 199 * DAY:%Y-%m-%d}")
    page.click("text=Show that day")
    says(page, "You are looking at the past")
    says(page, "Stop treatment")
    assert not page.locator("text=Log a result").count()
    page.click("text=Back to now")
    says(page, "Continue treatment")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_prints_on_one_page_with_the_advice_and_the_chart_and_no_button(open_page, nurse, treatment, scheme):
    page = open_page(nurse, scheme=scheme)
    page.goto(address(treatment))
    assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True))) == 1
    page.emulate_media(media="print")
    assert page.locator("text=Printed from Clozatrack").is_visible()
    assert page.locator(".advice").is_visible()
    assert page.locator(".plot").is_visible()
    assert not page.locator("text=Log a result").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.value')).fill") == "rgb(0, 0, 0)"
