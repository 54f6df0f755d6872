"""A new service has no clinic: the one command that makes the first, and what its admin finds."""

import re

import pytest
from django.core.management import CommandError, call_command

from notifications.models import Delivery
from patients.actions import revoke_token
from patients.models import AuditEvent, Clinic, Staff
from tests.cast import NOW, a_clinic, a_patient, a_person

pytestmark = pytest.mark.django_db
TYPED = {
    "--name": "Lakeside Clinic", "--zone": "Europe/Berlin", "--on-call": "oncall@lakeside.example",
    "--protocol": "eu-2025-09", "--admin": "a.lake", "--given-name": "Ada", "--family-name": "Lake",
    "--email": "ada@lakeside.example",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


def add_clinic(capsys, slug="lakeside", **other):
    typed = TYPED | {f"--{name.replace('_', '-')}": value for name, value in other.items()}
    call_command("add_clinic", slug, *[word for pair in typed.items() for word in pair])
    return capsys.readouterr().out


def link_in(said):
    return re.search(r"http://[^/]+(/welcome/\S+)", said)[1]


def choose_password(client, link):
    """Through the link, as the person does who was handed it."""
    page = client.get(link, follow=True)
    return client.post(
        page.redirect_chain[-1][0],
        {"new_password1": "a long enough one", "new_password2": "a long enough one"},
        follow=True,
    )


def test_the_first_clinic_gets_an_admin_who_chooses_a_password_and_invites_the_rest(client, capsys):
    link = link_in(add_clinic(capsys))
    assert "Your password is set" in choose_password(client, link).content.decode()
    client.post("/sign-in/", {"username": "a.lake", "password": "a long enough one"})
    assert "Lakeside Clinic" in client.get("/settings/").content.decode()
    assert client.get("/settings/lakeside/people/invite/").status_code == 200
    clinic = Clinic.objects.get()
    assert (clinic.time_zone, clinic.count_unit, clinic.default_protocol) == ("Europe/Berlin", "10*9/L", "eu-2025-09")
    assert "does not work any more" in client.get(link, follow=True).content.decode()


def test_the_on_call_address_is_written_to_so_that_mail_is_proven_before_the_first_alert(capsys):
    add_clinic(capsys)
    message = Delivery.objects.get()
    assert message.address == "oncall@lakeside.example"
    assert "on-call address of Lakeside Clinic" in message.subject


def test_the_trail_says_that_a_clinic_was_founded_and_by_no_person(capsys):
    add_clinic(capsys)
    event = AuditEvent.objects.get(verb="clinic_founded")
    assert (event.clinic.slug, event.staff) == ("lakeside", None)
    assert event.subject == f"staff:{Staff.objects.get().pk}"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"slug": "Lake side"}, "SHORT_NAME: Enter a valid “slug”"),
        ({"zone": "Berlin"}, "--zone: Berlin is not an IANA time zone such as Europe/Berlin."),
        ({"on_call": "nobody"}, "--on-call: Enter a valid email address."),
        ({"unit": "mmol/L"}, "--unit: mmol/L is no unit here; known: "),
        ({"protocol": "us-label"}, "--protocol: us-label is no protocol here; known: us-label-2025, "),
        ({"admin": "a b"}, "--admin: Use 3 to 40 letters, digits, dots or dashes."),
        ({"name": " "}, "--name: This field is required."),
    ],
)
def test_what_is_wrong_is_said_by_the_option_that_was_typed_and_nothing_is_added(capsys, wrong, said):
    with pytest.raises(CommandError, match=re.escape(said)):
        add_clinic(capsys, **wrong)
    assert not Clinic.objects.exists()
    assert not Staff.objects.exists()


def test_all_that_is_wrong_is_said_at_once(capsys):
    with pytest.raises(CommandError) as refused:
        add_clinic(capsys, zone="Berlin", email="ada")
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["--zone", "--email"]


def test_a_second_clinic_for_the_same_admin_asks_for_no_new_password(client, capsys):
    choose_password(client, link_in(add_clinic(capsys)))
    said = add_clinic(capsys, slug="hill", name="Hill Clinic")
    assert "signs in as a.lake with the password they have" in said
    assert "/welcome/" not in said
    assert {row.clinic.slug for row in Staff.objects.get().memberships.all()} == {"lakeside", "hill"}


def test_one_that_is_there_already_stays_as_it_is(capsys):
    add_clinic(capsys)
    with pytest.raises(CommandError, match="SHORT_NAME: there is a clinic lakeside already"):
        add_clinic(capsys, zone="Europe/Lisbon")
    assert Clinic.objects.get().time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"email": "else@lakeside.example"}, "--admin: a.lake is taken by an account with another e-mail address"),
        ({"admin": "b.lake"}, "--email: ada@lakeside.example belongs to the account a.lake"),
    ],
)
def test_nobody_becomes_admin_through_half_of_somebody_elses_account(capsys, other, said):
    add_clinic(capsys)
    with pytest.raises(CommandError, match=said):
        add_clinic(capsys, slug="hill", **other)
    assert Clinic.objects.count() == 1


def test_an_admin_who_is_alone_and_locked_out_gets_a_link_from_whoever_runs_the_service(client, capsys):
    add_clinic(capsys)
    call_command("password_link", "a.lake")
    assert "Your password is set" in choose_password(client, link_in(capsys.readouterr().out)).content.decode()
    assert AuditEvent.objects.filter(verb="password_link_shown", clinic__slug="lakeside").count() == 1


def test_no_link_for_an_account_that_is_unknown_or_closed(capsys):
    person = a_person(a_clinic("North"), "nurse")
    Staff.objects.filter(pk=person.pk).update(is_active=False)
    for name, said in (("nobody", "there is no account nobody"), (person.username, "works at no clinic any more")):
        with pytest.raises(CommandError, match=said):
            call_command("password_link", name)
    assert capsys.readouterr().out == ""


def test_the_first_morning_says_where_to_begin_and_later_ones_do_not(client):
    clinic = a_clinic("North")
    client.force_login(a_person(clinic, "nurse"))
    page = client.get("/").content.decode()
    assert "No patient is here yet" in page
    assert 'href="/register/file/"' in page
    a_patient(clinic)
    assert "No patient is here yet" not in client.get("/").content.decode()


def test_whoever_may_not_register_is_not_sent_to_it(client):
    client.force_login(a_person(a_clinic("North"), "pharmacist"))
    assert "No patient is here yet" not in client.get("/").content.decode()


def test_a_program_has_one_open_token_of_its_name(capsys):
    clinic = a_clinic("North")
    call_command("issue_token", "results:write", clinic=clinic.slug, name="lab")
    with pytest.raises(CommandError, match="Lab has an open token at North already"):
        call_command("issue_token", "results:write", clinic=clinic.slug, name="Lab")
    revoke_token(integration=clinic.integrations.get(), by=None, now=NOW)
    call_command("issue_token", "results:write", clinic=clinic.slug, name="lab")
    assert len(capsys.readouterr().out.split()) == 2
