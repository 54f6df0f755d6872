"""A morning with the worklist and its alerts, in a real browser."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import Alert, Draw
from monitoring.sweep import sweep
from tests.browser import fits_both_dresses, read, says
from tests.cast import DAY, a_clinic, a_count, a_patient, a_person, a_treatment
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture
def owner(clinic):
    return a_person(clinic, "prescriber")


def someone(clinic, days_ago, name="Quill", owner=None, anc=2400):
    now = timezone.now()
    treatment = a_treatment(
        clinic, started=now - 60 * DAY, clinician=owner, patient=a_patient(clinic, family_name=name)
    )
    a_count(treatment, anc, at=now - days_ago * DAY, now=now - days_ago * DAY)
    return treatment


@pytest.mark.parametrize("javascript", [True, False])
def test_a_nurse_notes_a_draw_and_the_patient_waits_for_the_result(open_page, clinic, nurse, javascript):
    someone(clinic, 9)
    page = open_page(nurse, javascript=javascript, at="/")
    page.click("#overdue >> text=Blood drawn")
    says(page, "The test stays owed")
    page.click("text=Cancel")
    page.wait_for_selector("#overdue")
    assert not Draw.objects.exists()
    page.click("#overdue >> text=Blood drawn")
    page.click("button:has-text('Note that blood was drawn')")
    page.wait_for_selector("text=The result is awaited")
    says(page, "Quill, Alex", "#drawn")
    assert "1 drawn, no result yet" in " ".join(read(page, ".sums").split())


@pytest.mark.parametrize("javascript", [True, False])
def test_an_alert_is_seen_handed_over_noted_and_never_lost_by_leaving(open_page, clinic, nurse, owner, javascript):
    someone(clinic, 1, owner=owner, anc=400)
    page = open_page(nurse, javascript=javascript, at="/")
    page.click("#alerts >> text=Low neutrophil count")
    page.select_option("#id_to", str(nurse.pk))
    page.fill("#hand_note", "On leave from noon")
    page.click("button:has-text('Hand over')")
    page.wait_for_selector("text=The alert is handed over")
    page.fill("#note_text", "Called the patient")
    page.click("button:has-text('Add the note')")
    page.wait_for_selector("text=The note is saved")
    says(page, "Called the patient")
    page.click("text=All alerts")
    says(page, "Mine (1)")
    assert Alert.objects.get(cause="neutropenia").state == "open"


def test_overdue_alerts_are_resolved_together_by_keyboard(open_page, clinic, nurse):
    for _ in range(2):
        someone(clinic, 9)
    sweep(now=timezone.now())
    page = open_page(nurse)
    page.goto("/alerts/?show=all")
    for box in page.query_selector_all("input[name=alert]"):
        box.focus()
        page.keyboard.press("Space")
    page.focus("button:has-text('Resolve those ticked')")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Resolve 2 alerts")
    page.select_option("#id_outcome", "acted")
    page.click("button:has-text('Resolve all 2')")
    page.wait_for_selector("text=2 alerts are resolved")
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_the_list_updates_itself_and_nobody_loses_their_place_or_their_typing(open_page, clinic, nurse):
    for number in range(26):
        someone(clinic, 9, f"Name{number:02}")
    page = open_page(nurse, width=390, at="/")
    page.click("#overdue-next")
    page.wait_for_url("**overdue=**")
    page.goto("/")
    link = page.locator("#overdue .person a", has_text="Name20, Alex")
    link.focus()
    before, focused = link.bounding_box()["y"], page.evaluate("document.activeElement.id")
    page.fill("#q", "half a wo")
    link.focus()
    someone(clinic, 1, "Severina", anc=300)
    page.evaluate("htmx.trigger('#worklist', 'refresh')")
    page.wait_for_timeout(300)
    assert "Severina" not in read(page, "#worklist")
    page.clock.install()
    page.clock.fast_forward(60_000)
    page.evaluate("htmx.trigger('#worklist', 'refresh')")
    page.wait_for_selector("#alerts >> text=Severina")
    # The list is put back in its place a moment after it has come.
    wait_until(
        lambda: abs(link.bounding_box()["y"] - before) < 2, longest=10, pause=lambda _: page.wait_for_timeout(50)
    )
    assert page.evaluate("document.activeElement.id") == focused
    assert page.input_value("#q") == "half a wo"
    expect(page.locator("#said")).to_contain_text("severe alert has come")


def test_a_list_that_can_no_longer_be_refreshed_says_so_and_keeps_its_rows(open_page, clinic, nurse):
    someone(clinic, 9)
    page = open_page(nurse, at="/")
    page.context.clear_cookies()
    page.evaluate("htmx.trigger('#worklist', 'refresh')")
    page.wait_for_selector("#stale:visible")
    says(page, "Quill, Alex", "#overdue")


def test_a_list_that_has_not_been_refreshed_for_long_says_so_until_it_is(open_page, clinic, nurse):
    someone(clinic, 9)
    page = open_page(nurse)
    page.clock.install()
    page.goto("/")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#overdue .says'))")
    page.clock.run_for(80_000)
    assert not page.is_visible("#stale")
    page.clock.run_for(20_000)
    assert page.is_visible("#stale")
    page.evaluate("getSelection().removeAllRanges()")
    page.evaluate("htmx.trigger('#worklist', 'refresh')")
    page.wait_for_selector("#stale", state="hidden")


def test_a_refresh_that_hangs_is_given_up_and_says_so(open_page, clinic, nurse):
    someone(clinic, 9)
    page, line = open_page(nurse), {"broken": False}
    page.route("**/*", lambda route: None if line["broken"] else route.continue_())
    page.goto("/")
    assert page.evaluate("htmx.config.timeout") == 15_000
    page.evaluate("htmx.config.timeout = 200")
    line["broken"] = True
    page.evaluate("htmx.trigger('#worklist', 'refresh')")
    page.wait_for_selector("#stale:visible")


def test_the_pages_of_today_and_alerts_are_accessible_and_fit(open_page, clinic, nurse, owner):
    for days_ago in (0, 7, 9):
        someone(clinic, days_ago, owner=owner)
    low = someone(clinic, 0, owner=owner, anc=400)
    sweep(now=timezone.now())
    alert = low.alerts.get(cause="neutropenia")
    page = open_page(nurse, width=320)
    drawn = f"/patients/{low.patient_id}/drawn/"
    for address in ("/?q=quill", "/print/", "/alerts/?show=all", f"/alerts/{alert.pk}/", drawn):
        page.goto(address)
        fits_both_dresses(page)


def test_the_morning_print_fits_a_sheet_and_shows_no_buttons(open_page, clinic, nurse):
    someone(clinic, 9)
    page = open_page(nurse)
    page.goto("/print/")
    page.emulate_media(media="print")
    assert page.is_visible(".morning .box")
    assert not page.is_visible("#print")
    assert not page.is_visible("header.bar")
