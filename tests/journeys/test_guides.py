"""The guides' pictures: `make pictures` takes them anew; every run looks whether the pages say what the guides name.

To add a page: one row in PICTURES, and its picture in a guide.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from django.utils import timezone

from clozatrack.demo_clinic import load
from monitoring.models import Alert, Treatment
from monitoring.sweep import sweep
from notifications.actions import beat
from notifications.models import Delivery
from patients.models import Staff
from tests.browser import read

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOCS = Path(__file__).parents[2] / "docs"
TAKING = os.environ.get("CLOZATRACK_PICTURES") == "1"
TRY = (
    "/manual/try/?protocol=us-label-2025&population=general&unit=10*9/L&first_dose=2026-06-14"
    "&counts=2026-06-12+2.6%0A2026-09-05+2.1%0A2026-09-12+09:30+0.87&as_of=2026-09-13T08:00"
)


class Picture(NamedTuple):
    """A page as somebody sees it: the texts are named by the guide and must be on the page."""

    file: str
    guide: str
    who: str
    address: str
    texts: tuple[str, ...]
    look_at: str = ""
    """What alone is in the picture, where it is not the whole window."""


PICTURES = (
    Picture("today.png", "nurse", "nurse", "/", (
        "Today", "Alerts waiting for an answer", "Overdue", "Due today", "Due in the next 7 days")),
    Picture("log-sheet.png", "nurse", "nurse", "/log/", ("Log results",)),
    Picture("alerts.png", "nurse", "nurse", "/alerts/", ("Alerts", "Everybody's")),
    Picture("import.png", "integrator", "nurse", "/import/", ("Import",)),
    Picture("settings.png", "clinic-admin", "clinic-admin", "/settings/", ("Settings",)),
    Picture("supply.png", "pharmacist", "pharmacist", "/patients/{supplied}/supply/", (
        "May supply", "Authorise this supply", "Tablets at home", "Supply by two people")),
    Picture("patient.png", "nurse", "nurse", "/patients/{corrected}/", ("Advice", "Why", "Log a result")),
    Picture("log-result.png", "nurse", "nurse", "/patients/{corrected}/log/", ("Log a result", "Show what it means")),
    Picture("alert.png", "nurse", "nurse", "/alerts/{alert}/", ("Acknowledge", "Resolve")),
    Picture("patient-severe.png", "prescriber", "prescriber", "/patients/{severe}/", ("Advice", "Why")),
    Picture("manual.png", "prescriber", "prescriber", "/manual/", (
        "Manual", "General population", "BEN (benign ethnic neutropenia, Duffy-null)",
        "When a test is due and overdue", "Try it")),
    Picture("try-it.png", "prescriber", "prescriber", TRY, ("What do the rules say?",)),
    Picture("reports.png", "prescriber", "prescriber", "/reports/", (
        "Reports", "Tests done on time", "Missed draws", "Alerts and answer times", "Neutropenia",
        "Patients by band and frequency")),
    Picture("reports-past.png", "clinic-admin", "clinic-admin", "/reports/?as_known_on={past}", (
        "As known on", "Half answered within", "Of these not drawn yet")),
    Picture("messages.png", "clinic-admin", "clinic-admin", "/messages/", (
        "Messages", "the newest first"), look_at="main"),
    Picture("try-it-line.png", "integrator", "nurse", TRY, (
        "What do the rules say?", "The same question for the command line"), look_at="section:has(pre)"),
)  # fmt: skip


def places():
    """Where the demo's people are today."""
    severe = Alert.objects.filter(cause="neutropenia", severity=1, resolved_at=None).latest("raised_at")
    corrected = Alert.objects.filter(cause="correction").latest("raised_at")
    return {
        "severe": severe.treatment.patient_id,
        "alert": severe.pk,
        "corrected": corrected.treatment.patient_id,
        "supplied": Treatment.objects.filter(advice="continue", frequency="monthly").earliest("pk").patient_id,
        "past": timezone.now().date().replace(day=1).isoformat(),
    }


def a_demo_that_people_can_sign_in_to():
    load(now=timezone.now())
    sweep(now=timezone.now())
    letter = Delivery.objects.latest("pk")
    Delivery.objects.filter(pk=letter.pk).update(
        dead_at=timezone.now(), attempts=30, last_error="550 5.1.1 no such mailbox"
    )
    Delivery.objects.filter(sent_at=None, dead_at=None, repeatable=True).update(sent_at=timezone.now())
    beat("deliver", now=timezone.now())
    for staff in Staff.objects.filter(username__in={picture.who for picture in PICTURES}):
        staff.set_password("a long password")
        staff.save()


@pytest.mark.timeout(900)  # the demo's two years of history are made by the real actions
def test_every_page_still_says_what_the_guides_name_and_has_its_picture(open_page):
    a_demo_that_people_can_sign_in_to()
    assert Treatment.objects.exists()
    where, pages = places(), {}
    for picture in PICTURES:
        if picture.who not in pages:
            pages[picture.who] = open_page(Staff.objects.get(username=picture.who))
        page = pages[picture.who]
        page.goto(picture.address.format(**where))
        shown = read(page, "body")
        for text in picture.texts:
            assert text in shown or page.get_by_text(text).count(), (picture.file, text)
        if TAKING:
            take(page, picture)


def take(page, picture):
    subject = page.locator(picture.look_at) if picture.look_at else page
    subject.screenshot(path=DOCS / "pictures" / picture.file, animations="disabled")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_a_guide_names_the_texts_of_its_pictures_and_the_pictures_are_there(picture):
    guide = (DOCS / f"guide-{picture.guide}.md").read_text()
    told = re.sub(r"\s+", " ", guide)
    assert f"pictures/{picture.file}" in guide
    assert (DOCS / "pictures" / picture.file).read_bytes().startswith(b"\x89PNG")
    for text in picture.texts:
        assert text in told, text


def test_no_guide_shows_a_picture_that_no_test_takes():
    taken = {picture.file for picture in PICTURES}
    for guide in DOCS.glob("*.md"):
        assert set(re.findall(r"pictures/([a-z-]+\.png)", guide.read_text())) <= taken, guide.name
    assert {path.name for path in (DOCS / "pictures").glob("*.png")} <= taken


@pytest.mark.parametrize("guide", sorted(DOCS.glob("guide-*.md")), ids=lambda path: path.stem)
def test_a_guide_is_one_page(guide):
    assert len(guide.read_text().split()) < 450
