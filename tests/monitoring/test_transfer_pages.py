"""The pages of a transfer: who reads what, what is shown before, and what a stale page may not do."""

import re

import pytest
from django.urls import reverse

from monitoring.actions.transferring import request_transfer
from monitoring.models import Transfer
from patients.actions import issue_token
from patients.models import AuditEvent, Integration
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def north():
    return a_clinic("North")


@pytest.fixture
def south():
    return a_clinic("South")


@pytest.fixture
def treatment(north):
    return a_treatment(north)


@pytest.fixture
def nurse(north):
    return a_person(north, "nurse")


@pytest.fixture
def transfer(treatment, south, nurse):
    return request_transfer(treatment=treatment, to_clinic=south, reason="Moves in with her son", by=nurse, now=NOW)


@pytest.fixture
def as_receiver(client, south):
    a_person(south, "prescriber")
    client.force_login(a_person(south, "nurse"))
    return client


@pytest.fixture
def as_sender(client, nurse):
    client.force_login(nurse)
    return client


def taking(south, **more):
    clinician = south.memberships.get(role="prescriber").staff_id
    return {"new_mrn": "S-1", "clinician": str(clinician)} | more


def basis_in(page):
    return re.search(r'name="basis" value="(\w+)"', page.content.decode()).group(1)


def test_asking_shows_what_it_means_before_anybody_is_asked(as_sender, treatment, south):
    address = reverse("ask_transfer", args=[treatment.patient_id])
    typed = {"to_clinic": south.pk, "reason": "Moves"}
    page = as_sender.post(address, typed).content.decode()
    assert "Not done yet" in page
    assert "If nobody answers for 3 days, an alert is raised here" in page
    assert not Transfer.objects.exists()
    as_sender.post(address, typed | {"confirm": "1"})
    assert Transfer.objects.get().reason == "Moves"
    assert as_sender.get(address).status_code == 302


def test_asking_without_a_reason_keeps_what_was_typed_and_says_what_is_missing(as_sender, treatment, south):
    address = reverse("ask_transfer", args=[treatment.patient_id])
    page = as_sender.post(address, {"to_clinic": south.pk, "reason": ""}).content.decode()
    assert "Say why the patient changes clinic" in page
    assert f'<option value="{south.pk}" selected>' in page


def test_h33_the_receiver_reads_only_what_is_needed_to_decide_and_both_trails_say_so(as_receiver, transfer, treatment):
    a_count(treatment, 2345, at=NOW - DAY)
    listed = as_receiver.get(reverse("transfers")).content.decode()
    assert "Q. A., born 1980" in listed
    assert "Quill" not in listed
    assert not AuditEvent.objects.filter(verb="transfer_opened").exists()
    page = as_receiver.get(reverse("transfer", args=[transfer.pk])).content.decode()
    for shown in ("Quill, Alex", "1980-05-17", transfer.old_mrn, "Moves in with her son", "Continue treatment"):
        assert shown in page
    assert "2345" not in page
    assert as_receiver.get(reverse("patient", args=[treatment.patient_id])).status_code == 404
    assert AuditEvent.objects.filter(verb="transfer_opened", patient=treatment.patient).count() == 2


@pytest.mark.slow
def test_accepting_shows_what_it_means_and_then_does_it(as_receiver, transfer, treatment, south):
    address = reverse("accept_transfer", args=[transfer.pk])
    page = as_receiver.post(address, taking(south))
    assert "joins South as MRN S-1" in page.content.decode()
    assert Transfer.objects.get().state == "requested"
    done = as_receiver.post(address, taking(south, confirm="1", basis=basis_in(page)))
    assert done.headers["Location"] == reverse("patient", args=[treatment.patient_id])
    assert as_receiver.get(done.headers["Location"]).status_code == 200


@pytest.mark.slow
def test_h39_accepting_on_a_verdict_that_has_changed_is_refused_with_the_new_one(
    as_receiver, transfer, treatment, south
):
    address = reverse("accept_transfer", args=[transfer.pk])
    basis = basis_in(as_receiver.post(address, taking(south)))
    a_count(treatment, 400, at=NOW)
    refused = as_receiver.post(address, taking(south, confirm="1", basis=basis))
    assert refused.status_code == 409
    assert "Stop treatment" in refused.content.decode()
    assert 'value="S-1"' in refused.content.decode()
    assert Transfer.objects.get().state == "requested"
    as_receiver.post(address, taking(south, confirm="1", basis=basis_in(refused)))
    assert Transfer.objects.get().state == "accepted"


def test_h39_time_alone_makes_a_page_stale_though_no_scheduler_ran(as_receiver, transfer, south, time_machine):
    address = reverse("accept_transfer", args=[transfer.pk])
    a_count(transfer.treatment, 2300, at=NOW)
    basis = basis_in(as_receiver.post(address, taking(south)))
    time_machine.move_to(NOW + 8 * DAY, tick=False)
    as_receiver.force_login(south.memberships.get(role="nurse").staff)
    assert as_receiver.post(address, taking(south, confirm="1", basis=basis)).status_code == 409


def test_h39_a_page_without_its_basis_is_refused(as_receiver, transfer, south):
    address = reverse("accept_transfer", args=[transfer.pk])
    assert as_receiver.post(address, taking(south, confirm="1")).status_code == 409


def test_accepting_with_an_mrn_of_somebody_else_keeps_what_was_typed(as_receiver, transfer, south):
    a_patient(south, mrn="s-1")
    address = reverse("accept_transfer", args=[transfer.pk])
    basis = basis_in(as_receiver.post(address, taking(south)))
    page = as_receiver.post(address, taking(south, confirm="1", basis=basis)).content.decode()
    assert "belongs to another patient of South" in page
    assert 'value="S-1"' in page


def test_declining_needs_a_reason_that_the_sender_reads(as_receiver, transfer):
    address = reverse("decline_transfer", args=[transfer.pk])
    assert "Say why" in as_receiver.post(address, {"reason": ""}).content.decode()
    as_receiver.post(address, {"reason": "Full until May"})
    assert Transfer.objects.get().answer == "Full until May"
    page = as_receiver.get(reverse("transfer", args=[transfer.pk])).content.decode()
    assert "Quill" not in page
    assert "her son" not in page


def test_only_the_sender_withdraws_and_only_the_receiver_answers(client, transfer, nurse, south):
    client.force_login(a_person(south, "nurse"))
    assert client.post(reverse("withdraw_transfer", args=[transfer.pk])).status_code == 404
    client.force_login(nurse)
    for name in ("accept_transfer", "decline_transfer"):
        assert client.post(reverse(name, args=[transfer.pk]), {"reason": "No"}).status_code == 404
    client.post(reverse("withdraw_transfer", args=[transfer.pk]))
    assert Transfer.objects.get().state == "withdrawn"


@pytest.mark.slow
def test_h33_after_the_move_the_old_clinic_has_its_own_number_left_and_nothing_else(
    as_receiver, client, transfer, treatment, nurse, south, north
):
    _, token = issue_token(clinic=north, name="lab", verbs=["patients:read", "results:read"], by=None, now=NOW)
    address = reverse("accept_transfer", args=[transfer.pk])
    basis = basis_in(as_receiver.post(address, taking(south)))
    as_receiver.post(address, taking(south, confirm="1", basis=basis), follow=True)
    client.force_login(nurse)
    page = client.get(reverse("transfer", args=[transfer.pk])).content.decode()
    assert transfer.old_mrn in page
    for gone in ("Quill", "S-1"):
        assert gone not in page + client.get("/transfers/").content.decode() + client.get("/").content.decode()
    assert client.get(reverse("patient", args=[treatment.patient_id])).status_code == 404
    client.logout()
    answer = client.get(f"/api/v1/treatments/{treatment.pk}/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404
    assert Integration.objects.filter(revoked_at=None).exists()


@pytest.mark.slow
def test_the_list_asks_a_fixed_number_of_questions(as_sender, north, south, nurse, django_assert_max_num_queries):
    def ask(number):
        for _ in range(number):
            request_transfer(treatment=a_treatment(north), to_clinic=south, reason="Moves", by=nurse, now=NOW)

    ask(2)
    with django_assert_max_num_queries(12) as few:
        as_sender.get("/transfers/")
    ask(8)
    with django_assert_max_num_queries(12) as many:
        as_sender.get("/transfers/")
    assert len(few) == len(many)
