"""How staff are told: their channels for each severity, and one message for each of them in every path of an alert."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.answering import hand_over
from monitoring.actions.reaching import (
    add_browser,
    add_phone,
    add_webhook,
    choose_channels,
    confirm_way,
    end_bounced,
    remove_way,
    ways_to,
    wished,
)
from monitoring.models import Alert, Severity, Way, Wish
from monitoring.rules.errors import InputError
from monitoring.sweep import sweep
from notifications.models import Delivery, PushSubscription
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
NUMBER = "+15005550001"
BROWSER = {"endpoint": "https://push.example/1", "p256dh": "k", "auth": "a", "label": "Firefox"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


def code_of(way):
    return Delivery.objects.get(about=f"way:{way.pk}").body[:6]


def with_phone(staff, number=NUMBER, *, now=NOW):
    way = add_phone(staff=staff, number=number, now=now)
    return confirm_way(way=way, code=code_of(way), now=now)


def wishes(staff, **channels):
    chosen = {Severity[name.upper()].value: words.split() for name, words in channels.items()}
    return choose_channels(staff=staff, wishes=chosen, now=NOW)


def told(**which):
    return sorted(Delivery.objects.filter(about__startswith="alert:", **which).values_list("channel", "address"))


def test_without_a_choice_everything_comes_by_e_mail(prescriber):
    for severity in Severity.values:
        assert ways_to(prescriber, severity) == [("email", prescriber.email)]


def test_a_way_counts_only_when_the_code_that_went_there_was_typed(prescriber):
    way = add_phone(staff=prescriber, number="+1 (500) 555-0001", now=NOW)
    sent = Delivery.objects.get(about=f"way:{way.pk}")
    assert (sent.channel, sent.address, sent.clinic_id) == ("sms", NUMBER, None)
    with pytest.raises(InputError, match="confirm it below first"):
        wishes(prescriber, severe="sms")
    confirm_way(way=way, code=code_of(way), now=NOW)
    wishes(prescriber, severe="sms email")
    assert ways_to(prescriber, 1) == [("email", prescriber.email), ("sms", NUMBER)]


def test_a_wrong_code_is_counted_and_after_five_even_the_right_one_is_late(prescriber):
    way = add_phone(staff=prescriber, number=NUMBER, now=NOW)
    wrong = f"{(int(code_of(way)) + 1) % 10**6:06}"
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(InputError, match=f"{left} tries are left"):
            confirm_way(way=way, code=wrong, now=NOW)
    with pytest.raises(InputError, match="five wrong codes"):
        confirm_way(way=way, code=code_of(way), now=NOW)


def test_a_code_lasts_15_minutes_and_confirms_once(prescriber):
    way = add_phone(staff=prescriber, number=NUMBER, now=NOW)
    with pytest.raises(InputError, match="older than 15 minutes"):
        confirm_way(way=way, code=code_of(way), now=NOW + 15.1 * MINUTE)
    confirm_way(way=way, code=code_of(way), now=NOW + 15 * MINUTE)
    with pytest.raises(InputError, match="spent"):
        confirm_way(way=way, code=code_of(way), now=NOW)


def test_nobody_makes_us_send_more_than_five_codes_an_hour(prescriber):
    for number in range(5):
        add_phone(staff=prescriber, number=f"+1500555000{number}", now=NOW)
    with pytest.raises(InputError, match="try again later"):
        add_phone(staff=prescriber, number=NUMBER, now=NOW)
    add_phone(staff=prescriber, number=NUMBER, now=NOW + 61 * MINUTE)


def test_the_old_number_takes_messages_until_the_new_one_is_confirmed(prescriber):
    with_phone(prescriber)
    wishes(prescriber, severe="sms")
    new = add_phone(staff=prescriber, number="+15005550002", now=NOW)
    assert ways_to(prescriber, 1) == [("sms", NUMBER)]
    confirm_way(way=new, code=code_of(new), now=NOW)
    assert ways_to(prescriber, 1) == [("sms", "+15005550002")]


@pytest.mark.parametrize("number", ["555 0001", "+0 5005550001", "+1", "call me"])
def test_a_number_without_its_country_is_refused_with_what_would_be_right(prescriber, number):
    with pytest.raises(InputError, match=r"\+1 555 123 4567"):
        add_phone(staff=prescriber, number=number, now=NOW)


def test_severe_is_never_switched_off(prescriber):
    with pytest.raises(InputError, match="leave one channel on"):
        wishes(prescriber, severe="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Wish.objects.create(staff=prescriber, severity=1, channels=[], changed_at=NOW)
    wishes(prescriber, routine="", mild="")
    assert ways_to(prescriber, 4) == []
    assert AuditEvent.objects.get(verb="channels_chosen").detail == {"mild": "none", "routine": "none"}


def test_the_last_way_of_severe_alerts_cannot_be_removed(prescriber):
    way = with_phone(prescriber)
    wishes(prescriber, severe="sms")
    with pytest.raises(InputError, match="reach you only here"):
        remove_way(way=way, now=NOW)
    wishes(prescriber, severe="sms email")
    remove_way(way=way, now=NOW)
    assert ways_to(prescriber, 1) == [("email", prescriber.email)]


def test_e_mail_stands_in_when_every_chosen_way_is_lost(prescriber):
    way = add_browser(staff=prescriber, now=NOW, **BROWSER)
    confirm_way(way=way, code=code_of(way), now=NOW)
    wishes(prescriber, severe="webpush", moderate="webpush", mild="")
    assert ways_to(prescriber, 1) == [("webpush", str(way.subscription_id))]
    PushSubscription.objects.update(ended_at=NOW, ended_because="410")
    assert ways_to(prescriber, 1) == ways_to(prescriber, 2) == [("email", prescriber.email)]
    assert ways_to(prescriber, 3) == []


def test_a_browser_that_somebody_else_adds_is_no_longer_the_first_ones(clinic, prescriber):
    way = add_browser(staff=prescriber, now=NOW, **BROWSER)
    confirm_way(way=way, code=code_of(way), now=NOW)
    wishes(prescriber, severe="webpush")
    add_browser(staff=a_person(clinic, "nurse"), now=NOW, **BROWSER)
    assert ways_to(prescriber, 1) == [("email", prescriber.email)]


def test_h32_a_telephone_to_which_two_messages_bounced_is_used_no_more(prescriber):
    with_phone(prescriber)
    wishes(prescriber, severe="sms")
    Delivery.objects.update(sent_at=NOW, bounced_at=NOW)
    assert end_bounced(channel="sms", address=NUMBER, now=NOW) == 0
    Delivery.objects.create(
        once="again", channel="sms", address=NUMBER, created_at=NOW, due_at=NOW, sent_at=NOW, bounced_at=NOW
    )
    assert end_bounced(channel="sms", address=NUMBER, now=NOW) == 1
    assert ways_to(prescriber, 1) == [("email", prescriber.email)]


def test_h09_a_severe_count_is_told_once_by_each_chosen_channel(clinic, prescriber):
    with_phone(prescriber)
    wishes(prescriber, severe="sms email")
    treatment = a_treatment(clinic, clinician=prescriber)
    for _ in range(2):
        a_count(treatment, 400, accession="A1")
    assert told() == [("email", prescriber.email), ("sms", NUMBER)]
    short = Delivery.objects.get(channel="sms", about__startswith="alert:")
    assert (short.path, len(short.body) < 160) == (f"/alerts/{Alert.objects.get(cause='neutropenia').pk}/", True)
    assert "Quill" not in short.body


def test_the_sweep_tells_by_each_chosen_channel_under_keys_of_their_own(clinic, prescriber):
    with_phone(prescriber)
    wishes(prescriber, routine="sms email")
    a_count(a_treatment(clinic, clinician=prescriber), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    sweep(now=NOW)
    assert told() == [("email", prescriber.email), ("sms", NUMBER)]
    short = Delivery.objects.get(channel="sms", about__startswith="alert:")
    alert = Alert.objects.get()
    assert short.body == f"Clozatrack: new task. http://localhost:8000/alerts/{alert.pk}/ (sign-in needed)"
    assert (short.path, short.priority) == (f"/alerts/{alert.pk}/", 4)


def test_whoever_wants_no_routine_alerts_gets_none_from_the_sweep_and_on_call_gets_none_instead(clinic, prescriber):
    wishes(prescriber, routine="")
    a_count(a_treatment(clinic, clinician=prescriber), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    assert sweep(now=NOW)["overdue"] == 1
    assert told() == []


@pytest.mark.slow
def test_many_at_once_are_one_message_for_each_channel(clinic, prescriber):
    with_phone(prescriber)
    wishes(prescriber, routine="sms email")
    for _ in range(5):
        a_count(a_treatment(clinic, clinician=prescriber), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    rows = Delivery.objects.filter(about="sweep:overdue")
    assert sorted(rows.values_list("channel", flat=True)) == ["email", "sms"]
    assert rows.get(channel="sms").body.startswith("Clozatrack: 5 alerts were raised, to be answered by you. http")


def test_the_sweep_and_the_actions_key_a_way_alike(clinic, prescriber):
    hook = add_webhook(staff=prescriber, address="https://hooks.example/" + "x" * 200, now=NOW)
    confirm_way(way=hook, code=code_of(hook), now=NOW)
    wishes(prescriber, severe="webhook", routine="webhook")
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    a_count(treatment, 400)
    keys = Delivery.objects.filter(about__startswith="alert:").values_list("once", flat=True)
    ends = {once.rpartition("webhook:")[2] for once in keys}
    assert len(keys) == 2
    assert len(ends) == 1
    assert len(ends.pop()) == 24


def test_an_alert_that_is_handed_over_comes_by_the_new_owners_channels(clinic, prescriber):
    nurse = a_person(clinic, "nurse")
    with_phone(nurse)
    wishes(nurse, severe="sms")
    a_count(a_treatment(clinic, clinician=prescriber), 400)
    hand_over(alert=Alert.objects.get(cause="neutropenia"), to=nurse, by=prescriber, now=NOW)
    assert ("sms", NUMBER) in told()


def test_a_correction_is_not_told_to_a_number_that_is_nobodys_now(clinic, prescriber):
    way = with_phone(prescriber)
    wishes(prescriber, severe="sms email")
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 400, accession="A9")
    wishes(prescriber, severe="email")
    remove_way(way=way, now=NOW)
    before = len(told(channel="sms"))
    a_count(treatment, 2400, accession="A9", version=2, status="corrected", now=NOW + MINUTE)
    assert Alert.objects.filter(cause="correction").exists()
    assert len(told(channel="sms")) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "sms", "address": ""},
        {"channel": "webpush", "address": "x"},
        {"channel": "email", "address": "a@b.example"},
        {"tries": 6},
        {"code_hash": "h", "confirmed_at": NOW},
        {"ended_at": NOW},
    ],
)
def test_what_cannot_be_is_refused_by_the_database(prescriber, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Way.objects.create(**{"staff": prescriber, "channel": "sms", "address": NUMBER, "added_at": NOW} | wrong)


def test_one_live_way_a_channel_and_only_known_channels(prescriber):
    with_phone(prescriber)
    for wrong in ({"confirmed_at": NOW}, {}, {}):
        if not wrong and not Way.objects.filter(confirmed_at=None).exists():
            Way.objects.create(staff=prescriber, channel="sms", address="+15005550003", added_at=NOW)
            continue
        with pytest.raises(IntegrityError), transaction.atomic():
            Way.objects.create(staff=prescriber, channel="sms", address="+15005550004", added_at=NOW, **wrong)
    for wrong in ({"channels": ["pigeon"], "severity": 2}, {"channels": [], "severity": 9}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Wish.objects.create(staff=prescriber, changed_at=NOW, **wrong)


def test_what_is_wished_is_read_back(prescriber):
    wishes(prescriber, mild="")
    assert wished(prescriber) == {1: ["email"], 2: ["email"], 3: [], 4: ["email"]}
