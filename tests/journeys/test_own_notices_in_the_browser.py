"""On a phone: a patient says yes to notices, types the code that came, and the reminder's touch leads to their page."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.reminding.planning import plan
from notifications.actions import claim, send
from notifications.loop import deliver_due
from notifications.models import Delivery, PushSubscription
from patients.consenting import Person, wish
from patients.desk import set_front_desk
from tests.browser import assert_accessible, fits_both_dresses, notices, push_to, says
from tests.cast import a_clinic, a_person
from tests.journeys.test_own_messages_in_the_browser import ANSWER
from tests.journeys.test_own_page_in_the_browser import came_in
from tests.reminding.people import due_in
from tests.wires.http import Gateway as SmsProvider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCOPES = "async () => (await navigator.serviceWorker.getRegistrations()).map(one => new URL(one.scope).pathname).sort()"
SHOWN = """async () => (await (await navigator.serviceWorker.getRegistration("/my/")).getNotifications())
    .map(one => ({title: one.title, body: one.body, data: one.data}))"""


class Texts:
    """The text messages that came, as `came_in` reads them."""

    def __init__(self, provider):
        self.provider = provider

    def deliver(self, now):
        deliver_due(timezone.now)

    @property
    def bodies(self):
        return [one["Body"] for one in self.provider.messages]


@pytest.fixture
def texts(settings):
    with SmsProvider() as server:
        settings.SMS = server.settings
        yield Texts(server)


@pytest.fixture
def treatment():
    clinic, now = a_clinic(time_zone="UTC"), timezone.now()
    set_front_desk(
        clinic=clinic, phone="+1 555 010 0100", place="Room 12, ground floor", emergency_number="911",
        emergency_place="the nearest emergency department", by=a_person(clinic, "clinic_admin"), now=now,
    )  # fmt: skip
    return due_in(3, clinic=clinic, now=now, nurse=a_person(clinic, "nurse"))


@pytest.fixture
def phone(open_page, push, live_server):
    """A phone whose owner lets this address show notices."""
    page = open_page(width=390)
    page.context.grant_permissions(["notifications"], origin=live_server.url)
    page.add_init_script(ANSWER.format(**push.subscription))
    return page


def code_in(push):
    return re.search(r"\b(\d{6})\b", push.shown()[-1]["body"])[1]


def deliver_reminder(treatment):
    """The earliest reminder of theirs: planned a day ahead, so hour after hour until there is one."""
    now, theirs = timezone.now(), Delivery.objects.filter(channel="webpush", about__startswith="reminder:")
    for hours in range(72):
        if not theirs.exists():
            plan(now=now + timedelta(hours=hours))
    row = theirs.earliest("due_at")
    (leased,) = [one for one in claim(now=row.due_at, limit=50, channel="webpush") if one.pk == row.pk]
    assert send(leased, now=row.due_at)


def test_from_yes_to_the_reminder_whose_touch_opens_their_page(phone, texts, push, treatment):
    address = came_in(phone, treatment, texts)
    phone.goto(f"{address}choices/")
    phone.get_by_role("button", name="Show notices here").focus()
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=A notice with a code comes up")
    assert_accessible(phone)
    assert phone.evaluate(SCOPES) == ["/my/"]
    deliver_due(timezone.now)
    phone.get_by_label("Code").fill(code_in(push))
    phone.get_by_label("The day you were born").fill("1980-05-17")
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=We write to you there from now on")
    says(phone, "in a browser that you added on")
    assert_accessible(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    deliver_reminder(treatment)
    phone.goto(push.shown()[-1]["path"])
    phone.click("text=Send me the code")
    phone.wait_for_selector("#code")
    deliver_due(timezone.now)
    phone.fill("#code", code_in(push))
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=The next test")


@pytest.mark.usefixtures("whole_browser")
def test_the_worker_shows_the_neutral_words_and_never_the_products_name(phone, texts, push, treatment, live_server):
    address = came_in(phone, treatment, texts)
    phone.goto(f"{address}choices/")
    wire, known = phone.context.new_cdp_session(phone), []
    wire.on("ServiceWorker.workerRegistrationUpdated", lambda told: known.extend(told["registrations"]))
    wire.send("ServiceWorker.enable")
    phone.get_by_role("button", name="Show notices here").click()
    phone.wait_for_selector("text=A notice with a code comes up")
    deliver_due(timezone.now)
    registration = next(one["registrationId"] for one in known if one["scopeURL"].endswith("/my/"))
    for said in (json.dumps(push.shown()[0]), "{}"):
        push_to(phone, wire, origin=live_server.url, registrationId=registration, data=said)
    shown = notices(phone, SHOWN, 2)
    assert {one["title"] for one in shown} == {"A message for you", "A message"}
    assert not re.search(r"(?i)clozatrack|quill|alex|clozapin", str(shown))


def test_who_works_here_and_is_a_patient_elsewhere_keeps_both_in_one_browser(phone, texts, push, treatment):
    address = came_in(phone, treatment, texts)
    phone.goto(f"{address}choices/")
    phone.evaluate("navigator.serviceWorker.register('/push-worker.js', {scope: '/'})")
    phone.get_by_role("button", name="Show notices here").click()
    phone.wait_for_selector("text=A notice with a code comes up")
    assert phone.evaluate(SCOPES) == ["/", "/my/"]


def test_a_browser_that_says_no_is_answered_in_words_and_nothing_is_kept(open_page, texts, push, treatment):
    page = open_page(width=390)
    page.add_init_script("Notification.requestPermission = async () => 'denied'")
    address = came_in(page, treatment, texts)
    page.goto(f"{address}choices/")
    page.get_by_role("button", name="Show notices here").click()
    page.wait_for_selector("text=Your browser does not let us show notices")
    assert_accessible(page)
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(("javascript", "script"), [(False, ""), (True, "delete window.PushManager")])
def test_a_browser_that_cannot_says_so_and_the_rest_of_the_page_works(
    open_page, texts, push, treatment, javascript, script
):
    page = open_page(width=390, javascript=javascript)
    if script:
        page.add_init_script(script)
    address = came_in(page, treatment, texts)
    page.goto(f"{address}choices/")
    assert page.get_by_text("This browser cannot show notices.").is_visible()
    assert not page.get_by_text("Show notices here").is_visible()
    page.check("text=Large letters")
    page.click("button:text-is('Save')")
    page.wait_for_selector("text=Saved. Thank you.")


def test_the_page_can_stand_on_a_home_screen_as_an_iphone_asks_and_names_no_product_there(
    open_page, texts, push, treatment
):
    page = open_page(width=390)
    page.goto(f"{came_in(page, treatment, texts)}choices/")
    wire = page.context.new_cdp_session(page)
    manifest = wire.send("Page.getAppManifest")
    said = json.loads(manifest["data"])
    assert not manifest["errors"]
    assert (said["display"], "start_url" in said, said["scope"]) == ("standalone", False, "/my/")
    assert page.request.get(said["icons"][0]["src"]).ok
    assert not re.search(r"(?i)clozatrack|clozapin", f"{said['name']} {said['short_name']}")


def test_the_page_is_accessible_and_fits_also_in_large_print(open_page, texts, push, treatment):
    page, person = open_page(width=320), Person(treatment.patient)
    address = came_in(page, treatment, texts)
    wish(person=person, wishes={"large_print": True, "language": "es"}, by=None, now=timezone.now())
    page.goto(f"{address}choices/")
    assert page.get_by_role("button", name="Mostrar avisos aquí").is_visible()
    fits_both_dresses(page)
