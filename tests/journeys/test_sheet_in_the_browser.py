"""A morning's pile of reports by keyboard alone: judged, saved, asked about, and nothing typed is lost."""

import time

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import Alert, Draft, Result
from tests.browser import assert_accessible, fits_both_dresses, read, says
from tests.cast import DAY, a_clinic, a_count, a_patient, a_person, a_treatment
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic():
    return a_clinic(count_unit="10*9/L")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


def on_treatment(clinic, number, last=2400, **fields):
    now = timezone.now()
    who = {"given_name": "Alex", "family_name": f"Quill{'abcdefghij'[number % 10]}"} | fields
    treatment = a_treatment(clinic, started=now - 60 * DAY, patient=a_patient(clinic, mrn=f"M{number:03}", **who))
    a_count(treatment, last, at=now - 7 * DAY, now=now - 7 * DAY)
    return treatment


@pytest.fixture
def ward(clinic):
    return [on_treatment(clinic, number) for number in range(1, 11)]


class Keyboard:
    """Counts every key that a person presses."""

    def __init__(self, page):
        self.page, self.keys = page, 0

    def type(self, text):
        self.keys += len(text)
        self.page.keyboard.type(text)

    def press(self, *keys):
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)

    def row(self, mrn, anc, *, clock=""):
        """Patient, count, what it means, saved: as it is done forty times a morning."""
        self.type(mrn)
        self.press("Enter")
        if clock:
            self.type(clock)
            self.press("Enter")
        self.type(anc)
        self.press("Enter")


def opened(open_page, staff, **more):
    page = open_page(staff, **more)
    page.goto("/log/")
    expect(page.locator("[name='1-who']")).to_be_focused()
    return page


def opened_with_a_line_that_may_break(open_page, staff):
    """The page, and its line: once that is broken, rows still reach the service and their answers are lost.

    All rows go through the line from the beginning: a page may send one more past a route that was laid just now.
    """
    page, line = open_page(staff), {"broken": False}

    def carry(route):
        if line["broken"]:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/log/row/", carry)
    page.goto("/log/")
    expect(page.locator("[name='1-who']")).to_be_focused()
    return page, line


def shows(page, number, state):
    page.wait_for_selector(f"#row-{number} .says[data-state={state}]")


def receipts(page, many):
    page.locator(".receipt").nth(many - 1).wait_for()


def test_ten_results_by_keyboard_alone_the_severe_one_raises_its_alert_and_a_bad_row_loses_nothing(
    open_page, nurse, ward
):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    values = ["2.41", "2.2", "0.41", "2.52", "2,3", "2.6", "1.42", "2.15", "2.9", "3.1"]
    for number, value in enumerate(values, start=1):
        hands.row(f"m{number:03}", value, clock="0" if number == 1 else "")
        if number == 3:
            shows(page, 3, "asked")
            says(page, "Severe: stop treatment", "#row-3")
            says(page, "Probably 4.1 10*9/L was meant", "#row-3")
            hands.type("0.41")
            hands.press("Enter")
            page.wait_for_selector("#row-3.receipt")
        elif number == 5:
            shows(page, 5, "refused")
            says(page, "with a point for the decimals", "#row-5")
            page.focus("#row-6 input:not([type=hidden])")
        else:
            shows(page, number, "judged")
            hands.press("Enter")
    receipts(page, 9)
    assert Alert.objects.filter(cause="neutropenia", severity=1).count() == 1
    says(page, "Severe: low neutrophil count", "#row-3")
    assert page.input_value("[name='5-anc']") == "2,3"
    page.fill("[name='5-anc']", "2.3")
    page.press("[name='5-anc']", "Enter")
    shows(page, 5, "judged")
    page.press("[name='5-anc']", "Enter")
    receipts(page, 10)
    assert Result.objects.filter(source="manual").count() == 10
    wait_until(lambda: not Draft.objects.exists(), pause=lambda _: page.wait_for_timeout(100))


def test_h11_a_number_that_nobody_has_is_confirmed_by_keyboard_and_asked_about_again_when_it_is_changed(
    open_page, nurse, ward
):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    hands.row("m001", "2600", clock="0")
    shows(page, 1, "refused")
    says(page, "probably 2600 /uL (2.6 x10^9/L) was meant", "#row-1")
    tick = page.get_by_label("I have looked at the report again: this number and its unit are right")
    tick.focus()
    hands.press("Space", "Enter")
    says(page, "The number again", "#row-1")
    page.fill("[name='1-anc']", "2700")
    page.press("[name='1-anc']", "Enter")
    shows(page, 1, "refused")
    expect(tick).not_to_be_checked()
    page.fill("[name='1-anc']", "2.7")
    page.press("[name='1-anc']", "Enter")
    shows(page, 1, "judged")
    page.press("[name='1-anc']", "Enter")
    receipts(page, 1)
    assert Result.objects.get(source="manual").anc == 2700


def test_two_of_one_name_are_told_apart_and_nobody_is_chosen_by_chance(open_page, clinic, nurse):
    on_treatment(clinic, 1, family_name="Marsh")
    on_treatment(clinic, 2, family_name="Marsh", date_of_birth=timezone.now().date().replace(year=1991, day=1))
    page = opened(open_page, nurse)
    page.keyboard.type("marsh")
    page.wait_for_selector("#found-1 [data-mrn] >> nth=1")
    assert read(page, "#found-1").count("same name") == 2
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.locator("[name='1-who']")).to_have_value("marsh")
    page.wait_for_selector("#found-1 [data-mrn] >> nth=1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[name='1-who']")).to_have_value("M002")
    says(page, "born 1991", "#row-1 .chosen")


def test_an_expired_session_loses_nothing_and_the_row_is_saved_after_signing_in_elsewhere(open_page, nurse, ward):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    shows(page, 1, "judged")
    Session.objects.all().delete()
    hands.press("Enter")
    page.wait_for_selector("#sheet-alarm:not([hidden])")
    says(page, "Nothing that you typed is lost", "#sheet-alarm")
    assert page.input_value("[name='1-anc']") == "2.41"
    with page.context.expect_page() as opening:
        page.click("#sheet-alarm a")
    other = opening.value
    other.fill("#id_username", nurse.username)
    other.fill("#id_password", "a long password")
    other.click("text=Sign in >> nth=-1")
    other.wait_for_url("**/")
    page.focus("[name='1-anc']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#row-1.receipt")
    assert Result.objects.get(source="manual").anc == 2410


def test_a_dropped_connection_keeps_the_row_and_the_same_entry_is_saved_once(open_page, nurse, ward):
    page, line = opened_with_a_line_that_may_break(open_page, nurse)
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    shows(page, 1, "judged")
    line["broken"] = True
    hands.press("Enter")
    alarm = page.locator("#sheet-alarm:not([hidden])", has_text="row 1 (M001) may not be saved")
    alarm.wait_for()
    with page.expect_response("**/log/draft/"):
        hands.type("M002")
    page.wait_for_timeout(200)
    assert alarm.is_visible(), "what came through after it does not silence the row that did not"
    says(page, "It is not known whether this was saved", "#row-1 .lost")
    assert_accessible(page)
    line["broken"] = False
    page.focus("[name='1-anc']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#row-1.receipt")
    page.wait_for_selector("#sheet-alarm", state="hidden")
    assert Result.objects.filter(source="manual").count() == 1


def test_h11_a_row_whose_answer_was_lost_and_that_is_changed_then_says_what_was_saved(open_page, nurse, ward):
    page, line = opened_with_a_line_that_may_break(open_page, nurse)
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    shows(page, 1, "judged")
    line["broken"] = True
    hands.press("Enter")
    page.wait_for_selector("#row-1 .lost")
    line["broken"] = False
    page.fill("[name='1-anc']", "2.14")
    page.press("[name='1-anc']", "Enter")
    page.wait_for_selector("#sheet-alarm", state="hidden")
    says(page, "This row was saved already", "#row-1")
    says(page, "your change is not saved", "#row-1")
    assert_accessible(page)
    page.click("#row-1 a:has-text('correct the saved result')")
    page.wait_for_url("**/act/correct/?subject=*")
    assert Result.objects.get(source="manual").anc == 2410


def test_a_request_without_an_answer_ends_and_the_row_takes_enter_again(open_page, nurse, ward):
    page = open_page(nurse)
    page.add_init_script("AbortSignal.timeout = ((real) => () => real.call(AbortSignal, 1500))(AbortSignal.timeout)")
    page.route("**/log/row/", lambda route: None)
    page.goto("/log/")
    expect(page.locator("[name='1-who']")).to_be_focused()
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    page.wait_for_selector("#row-1:not(.waiting) .lost")
    says(page, "Not saved yet", "#row-1 .lost")
    page.unroute("**/log/row/")
    hands.press("Enter")
    shows(page, 1, "judged")
    page.wait_for_selector("#sheet-alarm", state="hidden")


def test_a_slow_draft_never_replaces_a_newer_one(open_page, nurse, ward):
    page, held = open_page(nurse), []
    page.route("**/log/draft/", lambda route: held.append(route) if not held else route.continue_())
    page.goto("/log/")
    expect(page.locator("[name='1-who']")).to_be_focused()
    page.keyboard.type("M001")
    wait_until(lambda: held, pause=lambda _: page.wait_for_timeout(100))
    page.keyboard.type("2")
    page.wait_for_timeout(800)
    assert not Draft.objects.exists(), "the newer one waits for the older one"
    held[0].continue_()
    wait_until(
        lambda: [draft.rows[0]["who"] for draft in Draft.objects.all()] == ["M0012"],
        pause=lambda _: page.wait_for_timeout(100),
    )


def test_what_was_typed_is_there_again_after_the_page_was_closed(open_page, nurse, ward):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    shows(page, 1, "judged")
    wait_until(
        lambda: any("2.41" in str(draft.rows) for draft in Draft.objects.all()),
        pause=lambda _: page.wait_for_timeout(100),
    )
    page.goto("/log/")
    assert page.input_value("[name='1-who']") == "M001"
    says(page, "born 1980-05-17", "#row-1 .chosen")
    kept_by_the_browser = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "2.41" not in kept_by_the_browser
    assert "M001" not in kept_by_the_browser


def test_rows_left_with_tab_are_shown_and_saved_together_by_one_stroke(open_page, nurse, ward):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    for number in (1, 2):
        hands.type(f"M{number:03}")
        hands.press("Enter")
        if number == 1:
            hands.type("0")
            hands.press("Enter")
        hands.type("2.41" if number == 1 else "0.41")
        hands.press("Tab", "Tab")
        shows(page, number, "judged" if number == 1 else "asked")
        page.focus(f"[name='{number + 1}-who']")
    assert not Result.objects.filter(source="manual").exists()
    page.keyboard.press("Control+Enter")
    receipts(page, 1)
    assert Result.objects.get(source="manual").treatment == ward[0]


def test_a_second_person_signs_by_keyboard_and_a_wrong_password_loses_nothing(open_page, nurse, clinic):
    on_treatment(clinic, 1, last=900)
    colleague = a_person(clinic, "pharmacist", first_name="Sam", last_name="Reed")
    page = opened(open_page, nurse)
    keys = Keyboard(page)
    keys.row("M001", "1.3", clock="0")
    shows(page, 1, "asked")
    keys.type("1.3")
    keys.press("Enter", "Enter")  # the number again; no number of a report
    keys.type("Sam")
    keys.press("Enter")
    for password in ("a wrong one", "a long password"):
        page.wait_for_function("() => document.activeElement.type === 'password'")
        keys.type(password)
        with page.expect_response("**/log/row/"):
            keys.press("Enter")
        if password == "a wrong one":
            page.wait_for_selector("text=Sam Reed is not signed")
            page.focus("#row-1 input[type=password]")
    receipts(page, 1)
    assert Result.objects.get(source="manual").reason == f"{colleague} has read the report too."


def test_white_cells_are_a_key_away(open_page, nurse, ward):
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    for words in ("M001", "0", "w4.0", "55"):
        hands.type(words)
        hands.press("Enter")
    shows(page, 1, "judged")
    says(page, "2.2, was 2.4", "#row-1")


def test_without_a_script_two_rows_are_shown_and_then_saved(open_page, nurse, ward):
    page = open_page(nurse, javascript=False)
    page.goto("/log/")
    for number, value in ((1, "2.41"), (2, "0.38")):
        page.fill(f"[name='{number}-who']", f"M{number:03}")
        page.fill(f"[name='{number}-anc']", value)
    page.fill("[name='1-drawn_time']", "0")
    page.press("[name='2-anc']", "Enter")
    page.wait_for_selector("text=1 ready to be saved")
    assert "stop treatment" in read(page, "#row-2").lower()
    page.fill("[name='2-again']", "0.38")
    page.click("text=Save the rows that are right")
    page.wait_for_selector("text=2 saved")
    assert Alert.objects.filter(cause="neutropenia", severity=1).exists()


def test_the_sheet_is_accessible_and_fits_from_a_phone_up(open_page, nurse, clinic, ward):
    on_treatment(clinic, 11, last=900)
    page = opened(open_page, nurse, width=320)
    hands = Keyboard(page)
    hands.row("M001", "2.41", clock="0")
    shows(page, 1, "judged")
    hands.press("Enter")
    hands.row("M011", "1.3")
    shows(page, 2, "asked")
    page.focus("[name='3-who']")
    hands.row("M002", "1500")
    shows(page, 3, "refused")
    page.focus("[name='4-who']")
    hands.type("quill")
    page.wait_for_selector("#found-4 [data-mrn] >> nth=1")
    fits_both_dresses(page)


def test_forty_results_take_fewer_than_four_minutes_of_typing(open_page, nurse, clinic, capsys):
    for number in range(1, 41):
        on_treatment(clinic, number)
    page = opened(open_page, nurse)
    hands = Keyboard(page)
    began, waits = time.monotonic(), []
    for number in range(1, 41):
        hands.row(f"M{number:03}", f"2.{10 + number}", clock="0" if number == 1 else "")
        asked = time.monotonic()
        shows(page, number, "judged")
        waits.append(time.monotonic() - asked)
        hands.press("Enter")
    receipts(page, 40)
    took = time.monotonic() - began
    # A practised hand presses three keys a second; the eyes rest a second and a half on each judgement, or wait for it.
    person = hands.keys / 3 + sum(max(1.5, wait) for wait in waits)
    with capsys.disabled():
        print(
            f"\n40 results: {hands.keys} keys, {hands.keys / 40:.1f} a row; machine {took:.0f} s, of which"
            f" {sum(waits):.1f} s waiting for judgements; a person about {person:.0f} s"
        )
    assert Result.objects.filter(source="manual").count() == 40
    assert person < 240
