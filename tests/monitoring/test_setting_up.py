"""Settings: what a clinic admin may change, what is shown before, and what nobody may."""

import re
import threading

import pytest
from django.db import connection
from django.urls import reverse

from monitoring.actions.staffing import roles_at, set_roles
from monitoring.models import Alert, Laboratory
from monitoring.rules.errors import InputError
from notifications.models import Delivery
from patients.models import DEFAULT_POLICIES, AuditEvent, Integration, Membership, Staff
from patients.policies import POLICIES
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic("North", count_unit="10*9/L")


@pytest.fixture
def admin(clinic):
    return a_person(clinic, "clinic_admin")


@pytest.fixture
def as_admin(client, admin):
    client.force_login(admin)
    return client


def both_steps(client, address, typed):
    """What the first step showed, and the answer to the second."""
    shown = client.post(address, typed).content.decode()
    return shown, client.post(address, typed | {"confirm": "1"})


def test_every_policy_has_words_and_bounds_that_its_default_keeps():
    assert {policy.name for policy in POLICIES} == set(DEFAULT_POLICIES), "add the policy to patients/policies.py"
    assert [policy.name for policy in POLICIES if policy.refusal(policy.default)] == []


def test_a_clinic_admin_sees_settings_and_no_patient(as_admin, clinic):
    a_treatment(clinic)
    for address in ("/settings/", f"/settings/{clinic.slug}/people/", f"/settings/{clinic.slug}/tokens/"):
        page = as_admin.get(address)
        assert page.status_code == 200
        assert "Quill" not in page.content.decode()


def test_a_new_on_call_address_is_shown_before_and_both_addresses_are_told(as_admin, clinic):
    typed = {"on_call_email": "new@north.example", "count_unit": "10*9/L", "time_zone": "UTC"}
    shown, _ = both_steps(as_admin, reverse("clinic_settings", args=[clinic.slug]), typed)
    assert f"no longer to {clinic.on_call_email}" in shown
    told = set(Delivery.objects.filter(about=f"clinic:{clinic.pk}").values_list("address", flat=True))
    assert told == {"new@north.example", clinic.on_call_email}
    event = AuditEvent.objects.get(verb="on_call_email_changed")
    assert event.detail == {"before": clinic.on_call_email, "after": "new@north.example"}


def test_a_new_unit_says_how_a_count_is_typed_then_and_nothing_is_changed_before_the_yes(as_admin, clinic):
    typed = {"on_call_email": clinic.on_call_email, "count_unit": "/uL", "time_zone": "UTC"}
    address = reverse("clinic_settings", args=[clinic.slug])
    shown = as_admin.post(address, typed).content.decode()
    assert "an ANC of 1500 per microlitre is then typed as 1500" in shown
    clinic.refresh_from_db()
    assert clinic.count_unit == "10*9/L"
    as_admin.post(address, typed | {"confirm": "1"})
    clinic.refresh_from_db()
    assert clinic.count_unit == "/uL"


def test_h21_the_time_zone_stays_while_anybody_is_treated_there(as_admin, clinic):
    typed = {
        "on_call_email": clinic.on_call_email,
        "count_unit": "10*9/L",
        "time_zone": "Europe/Lisbon",
        "confirm": "1",
    }
    address = reverse("clinic_settings", args=[clinic.slug])
    as_admin.post(address, typed)
    clinic.refresh_from_db()
    assert clinic.time_zone == "Europe/Lisbon"
    a_treatment(clinic)
    as_admin.post(address, typed | {"time_zone": "UTC"})
    clinic.refresh_from_db()
    assert clinic.time_zone == "Europe/Lisbon"
    assert "Stays while the clinic has patients" in as_admin.get(address).content.decode()


def test_a_policy_is_changed_within_its_bounds_and_said_so(as_admin, clinic):
    typed = {policy.name: policy.default for policy in POLICIES}
    address = reverse("clinic_policies", args=[clinic.slug])
    wrong = as_admin.post(address, typed | {"escalate_severe_minutes": 600}).content.decode()
    assert "less than or equal to 60" in wrong
    shown, _ = both_steps(as_admin, address, typed | {"escalate_severe_minutes": 10})
    assert "Severe alert: deputy told: 10 minutes, until now 15 minutes." in shown
    clinic.refresh_from_db()
    assert clinic.policies == {"escalate_severe_minutes": 10}


def test_an_invited_person_chooses_a_password_by_a_link_that_works_once(as_admin, client, clinic):
    typed = {"given_name": "Ida", "family_name": "New", "email": "ida@north.example", "name": "ida", "roles": ["nurse"]}
    both_steps(as_admin, reverse("invite_person", args=[clinic.slug]), typed | {"how": "send"})
    body = Delivery.objects.get(address="ida@north.example").body
    link = re.search(r"/welcome/\S+", body).group()
    client.logout()
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    client.post(address, {"new_password1": "a quiet long word", "new_password2": "a quiet long word"})
    assert client.login(request=form.wsgi_request, username="ida", password="a quiet long word")
    client.logout()
    assert "does not work any more" in client.get(link, follow=True).content.decode()
    assert roles_at(clinic, Staff.objects.get(username="ida")) == {"nurse"}


def test_a_link_is_shown_once_when_asked_for_and_then_is_in_no_message(as_admin, clinic):
    typed = {"given_name": "Ida", "family_name": "New", "email": "ida@north.example", "name": "ida", "roles": ["nurse"]}
    _, done = both_steps(as_admin, reverse("invite_person", args=[clinic.slug]), typed | {"how": "show"})
    assert "/welcome/" in done.content.decode()
    assert not Delivery.objects.exists()


def test_a_taken_name_or_address_is_refused_with_what_would_be_right(as_admin, clinic, admin):
    typed = {"given_name": "Ida", "family_name": "New", "roles": ["nurse"], "how": "send", "confirm": "1"}
    address = reverse("invite_person", args=[clinic.slug])
    page = as_admin.post(address, typed | {"name": admin.username.upper(), "email": "ida@north.example"})
    assert "is taken; choose another sign-in name" in page.content.decode()
    page = as_admin.post(address, typed | {"name": "ida", "email": admin.email})
    assert "give that account a role at this clinic" in page.content.decode()


def test_a_role_given_holds_at_once(as_admin, clinic):
    nurse = a_person(clinic, "nurse")
    shown, _ = both_steps(
        as_admin, reverse("person_roles", args=[clinic.slug, nurse.pk]), {"roles": ["nurse", "prescriber"]}
    )
    assert "is nurse and prescriber at North; until now nurse" in shown
    assert roles_at(clinic, nurse) == {"nurse", "prescriber"}


def test_nobody_changes_their_own_roles_not_even_by_a_forged_request(as_admin, clinic, admin):
    a_person(clinic, "clinic_admin")
    address = reverse("person_roles", args=[clinic.slug, admin.pk])
    page = as_admin.post(address, {"roles": ["clinic_admin", "prescriber"], "confirm": "1"})
    assert "nobody changes their own roles" in page.content.decode()
    assert roles_at(clinic, admin) == {"clinic_admin"}


def test_the_last_admin_keeps_the_role_and_a_former_admin_changes_nothing(clinic, admin):
    other = a_person(clinic, "clinic_admin")
    set_roles(clinic=clinic, person=other, roles=set(), by=admin, now=NOW)
    with pytest.raises(InputError, match="no longer a clinic admin"):
        set_roles(clinic=clinic, person=admin, roles=set(), by=other, now=NOW)
    assert roles_at(clinic, admin) == {"clinic_admin"}


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_take_each_others_role_at_once_leave_one(clinic, admin):
    other = a_person(clinic, "clinic_admin")

    def take(person, by):
        try:
            set_roles(clinic=clinic, person=person, roles=set(), by=by, now=NOW)
        except InputError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=pair) for pair in ((other, admin), (admin, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.filter(clinic=clinic, role="clinic_admin", active=True).count() == 1


def test_h08_who_leaves_hands_patients_and_open_alerts_over(as_admin, clinic):
    leaving, staying = a_person(clinic, "prescriber"), a_person(clinic, "prescriber")
    treatment = a_treatment(clinic, clinician=leaving)
    a_count(treatment, 400, at=NOW - DAY)
    address = reverse("person_roles", args=[clinic.slug, leaving.pk])
    shown, _ = both_steps(as_admin, address, {"roles": [], "successor": staying.pk})
    assert "Patients: 1, open alerts: 2" in shown
    treatment.refresh_from_db()
    leaving.refresh_from_db()
    alert = Alert.objects.get(cause="neutropenia")
    assert (treatment.clinician, alert.owner, leaving.is_active) == (staying, staying, False)
    assert Delivery.objects.filter(address=staying.email, about=f"alert:{alert.pk}").exists()


def test_who_works_elsewhere_keeps_the_account_and_gets_a_role_here_by_address(as_admin, clinic):
    south = a_clinic("South")
    nurse = a_person(south, "nurse")
    typed = {"known_email": nurse.email.upper(), "roles": ["nurse"]}
    shown, _ = both_steps(as_admin, reverse("add_known_person", args=[clinic.slug]), typed)
    assert "with the password they have" in shown
    both_steps(as_admin, reverse("person_roles", args=[clinic.slug, nurse.pk]), {"roles": []})
    nurse.refresh_from_db()
    assert (roles_at(south, nurse), roles_at(clinic, nurse), nurse.is_active) == ({"nurse"}, set(), True)


def test_a_forgotten_password_goes_to_the_person_and_to_nobodys_eyes(as_admin, clinic):
    nurse = a_person(clinic, "nurse")
    page = as_admin.post(reverse("person_password", args=[clinic.slug, nurse.pk]), follow=True)
    assert "/welcome/" not in page.content.decode()
    assert "/welcome/" in Delivery.objects.get(address=nurse.email).body
    stranger = a_person(a_clinic("South"), "nurse")
    gone = a_person(clinic, "nurse")
    gone.memberships.update(active=False)
    gone.memberships.create(clinic=stranger.memberships.get().clinic, role="nurse", active=True)
    for person in (stranger, gone):
        assert as_admin.post(reverse("person_password", args=[clinic.slug, person.pk])).status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("how", ["show", "send"])
def test_an_invitation_that_is_sent_twice_is_one_account_and_shows_its_link_again(as_admin, clinic, how):
    address = reverse("invite_person", args=[clinic.slug])
    typed = {
        "given_name": "Nora", "family_name": "New", "name": "nora.new", "email": "nora@example.org", "roles": ["nurse"],
        "how": how,
    }  # fmt: skip
    answers = [as_admin.post(address, typed | {"confirm": "1"}, follow=True).content.decode() for _ in range(2)]
    links = [re.findall(r"/welcome/[^<]+", answer) for answer in answers]
    assert links[0] == links[1]
    assert len(links[0]) == (how == "show")
    assert "is invited" in answers[1]
    assert Staff.objects.filter(username="nora.new").count() == 1
    assert Delivery.objects.filter(address="nora@example.org").count() == (how == "send")
    other = as_admin.post(address, typed | {"roles": ["clinic_admin"], "confirm": "1"}).content.decode()
    assert "is taken" in other
    person = Staff.objects.get(username="nora.new")
    person.set_password("a long password")
    person.save()
    assert "is taken" in as_admin.post(address, typed | {"confirm": "1"}).content.decode()


def test_a_token_that_is_asked_for_twice_leaves_none_that_nobody_saw(as_admin, clinic):
    address = reverse("tokens", args=[clinic.slug])
    typed = {"name": "Lab feed", "verbs": ["results:write"], "confirm": "1"}
    as_admin.post(address, typed)
    assert "has an open token already" in as_admin.post(address, typed).content.decode()
    token = Integration.objects.get()
    take_back = reverse("revoke", args=[clinic.slug, token.pk])
    for _ in range(2):
        assert as_admin.post(take_back).status_code == 302
    assert AuditEvent.objects.filter(verb="token_revoked").count() == 1
    assert as_admin.get(take_back).status_code == 404
    as_admin.post(address, typed)
    assert Integration.objects.filter(revoked_at=None).count() == 1


def test_a_token_is_shown_once_told_to_on_call_and_can_be_taken_back(as_admin, clinic):
    address = reverse("tokens", args=[clinic.slug])
    shown, done = both_steps(as_admin, address, {"name": "Lab feed", "verbs": ["results:write"]})
    assert "may, for North: Record results." in shown
    token = re.search(r"<code>(\S+)</code>", done.content.decode()).group(1)
    assert token not in as_admin.get(address).content.decode()
    assert Delivery.objects.filter(address=clinic.on_call_email).count() == 1
    as_admin.post(reverse("revoke", args=[clinic.slug, Integration.objects.get().pk]))
    assert as_admin.get("/api/v1/patients/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_laboratorys_columns_are_named_once_each(as_admin, clinic):
    lab = Laboratory.objects.create(clinic=clinic, name="Lab", source="lab", columns={"mrn": "Pat"}, created_at=NOW)
    address = reverse("laboratory", args=[clinic.slug, lab.pk])
    typed = {"name": "Central lab", "unit": "", "column_mrn": "Patient", "column_anc": "Neut abs"}
    shown, _ = both_steps(as_admin, address, typed)
    assert "“Neut abs” is read as anc." in shown
    lab.refresh_from_db()
    assert (lab.name, lab.columns) == ("Central lab", {"mrn": "Patient", "anc": "Neut abs"})
    page = as_admin.post(address, typed | {"column_wbc": "Patient", "confirm": "1"}).content.decode()
    assert "Patient stands for two things" in page


def test_a_password_is_changed_by_who_knows_the_old_one(client, clinic):
    nurse = a_person(clinic, "nurse")
    client.force_login(nurse)
    typed = {"new_password1": "another quiet word", "new_password2": "another quiet word"}
    assert (
        "old password was entered incorrectly"
        in client.post("/password/", typed | {"old_password": "no"}).content.decode()
    )
    client.post("/password/", typed | {"old_password": "a long password"})
    nurse.refresh_from_db()
    assert nurse.check_password("another quiet word")
    assert client.get("/").status_code == 200
