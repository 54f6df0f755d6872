"""One of everything at one clinic: what an address may be about, and a row in every table that must not lose one."""

import uuid
from datetime import timedelta
from decimal import Decimal

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.dispensing import authorise, hand_over
from monitoring.actions.foreseeing import begin_change, foresee_chunk
from monitoring.actions.limiting import agree_limits
from monitoring.actions.non_rechallenge import enter_register
from monitoring.actions.overriding import ask_override
from monitoring.actions.programmes import record_fact
from monitoring.actions.self_checking import record_self_check
from monitoring.actions.statements import issue_statement, revoke_statement
from monitoring.actions.status_forms import set_registry_form
from monitoring.actions.transferring import request_transfer
from monitoring.actions.treating import document_ben, record_dose, void_dose
from monitoring.alerts import Raising
from monitoring.models import (
    BenProposal,
    Booking,
    Cause,
    Draft,
    Draw,
    Feed,
    IdempotencyKey,
    Import,
    Laboratory,
    Merge,
    QuarantinedRow,
    ResultReview,
    Severity,
    TakeOver,
    Way,
    Wish,
    Wording,
)
from monitoring.rules.feeling_unwell import Answers
from monitoring.rules.protocol import Floor
from notifications.actions import beat
from notifications.letters import letter
from notifications.models import Delivery, DeliveryEvent, Inbound, PushSubscription
from patients.actions import issue_token
from patients.closed_days import close_days
from patients.consenting import Person, add_carer, give_consent, make_code, make_link, wish
from patients.desk import set_front_desk
from patients.models import ContactPoint, ShiftOffer
from tests.cast import DAY, NOW, a_clinic, a_count, a_deputy, a_person, a_shift, a_treatment, an_absence

FIELDS = {
    "mrn": "M1", "date_of_birth": "1980-05-17", "drawn_at": "2026-09-14T09:00:00+00:00", "anc": "2.1", "unit": "10*9/L",
    "accession": "A1", "status": "final",
}  # fmt: skip
CSV = b"mrn,date_of_birth,drawn_at,anc,unit,accession,status\nM1,1980-05-17,2026-09-14 09:00,2.1,10*9/L,A1,final\n"


def things(clinic):
    """Ids by the name that an address gives them. All belong to this clinic, and so do their patients."""
    nurse, prescriber = a_person(clinic, "nurse"), a_person(clinic, "prescriber")
    treatment = a_treatment(clinic, clinician=prescriber)
    result = a_count(treatment, 2100, at=NOW - timedelta(days=2))
    found = [Raising(Cause.FEVER, Severity.MODERATE, "Fever reported.")]
    (alert,) = raise_alerts(treatment, found, result=None, now=NOW)
    west = a_clinic("West")
    transfer = request_transfer(treatment=a_treatment(clinic), to_clinic=west, reason="Moves", by=nurse, now=NOW)
    integration, _ = issue_token(clinic=clinic, name="lab", verbs=["results:write"], by=None, now=NOW)
    (closed,) = close_days(clinic=clinic, days={NOW.date() + timedelta(days=90): "Holiday"}, by=None, now=NOW)
    lost = letter("gone@staff.example", "an alert waits", "/", about="clinic", clinic_id=clinic.pk, now=NOW)
    lost.dead_at = NOW
    lost.save()
    limited = a_treatment(clinic, protocol="uk-ztas")
    floors = (Floor(1000, 3000), Floor(500, 2500))
    agree_limits(treatment=limited, floors=floors, until=NOW.date(), reason="Known", by=prescriber, now=NOW)
    change = begin_change(clinic=clinic, protocol_key="eu-2025-09", reason="The letter", by=prescriber, now=NOW)
    foresee_chunk(change, now=NOW)
    way = Way.objects.create(staff=nurse, channel="sms", address="+15005550001", label="phone", added_at=NOW)
    Wish.objects.create(staff=nurse, severity=4, channels=[], changed_at=NOW)
    ids = {
        "change_id": change.pk,
        "way_id": way.pk,
        "kind": "phone",
        "patient_id": treatment.patient_id,
        "treatment_id": treatment.pk,
        "result_id": result.pk,
        "event_id": treatment.events.first().pk,
        "alert_id": alert.pk,
        "transfer_id": transfer.pk,
        "delivery_id": Delivery.objects.get(dead_at=NOW).pk,
        "integration_id": integration.pk,
        "staff_id": nurse.pk,
        "slug": clinic.slug,
        "closed_id": closed.pk,
        "uidb64": "MQ",
        "token": "set-password",
        "protocol_key": treatment.protocol_key,
    }
    return (
        ids
        | _from_a_laboratory(clinic, treatment, nurse, integration)
        | _about_a_patient(clinic, nurse, prescriber)
        | _of_the_pharmacy(clinic, treatment, prescriber)
        | _of_the_rota(clinic, nurse, prescriber)
    )


def _of_the_rota(clinic, nurse, prescriber):
    deputy = a_deputy(clinic, nurse)
    # In the future: nothing of today is told to somebody else because of them.
    shift = a_shift(clinic, prescriber, NOW + timedelta(days=90), NOW + timedelta(days=91))
    offer = ShiftOffer.objects.create(shift=shift, giver=prescriber, taker=nurse, asked_at=NOW)
    day = (NOW + timedelta(days=90)).date()
    absence = an_absence(clinic, nurse, prescriber, day, day)
    return {"deputy_id": deputy.pk, "shift_id": shift.pk, "offer_id": offer.pk, "absence_id": absence.pk}


def _of_the_pharmacy(clinic, treatment, prescriber):
    pharmacist = a_person(clinic, "pharmacist")
    override = ask_override(
        treatment=treatment, bridge=False, code="benefit", words="Relapse", days=3, hours=24, by=pharmacist, now=NOW
    )
    row = record_fact(
        clinic=clinic, programme="clinic", kind="enrolled", on=NOW.date(), by=prescriber, now=NOW, treatment=treatment
    )
    statement, ended = (
        issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW) for _ in range(2)
    )
    revoke_statement(statement=ended, reason="Lost", by=pharmacist, now=NOW)
    set_registry_form(clinic=clinic, title="Monthly", questions=["Smokes?"], by=prescriber, now=NOW)
    leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    given = {"strength_mg": Decimal(100), "quantity": 21, "days": 7}
    dispense = hand_over(authorisation=leave, by=pharmacist, now=NOW, **given)
    day = NOW.date()
    enter_register(
        treatment=treatment, evidence="Severe", other_drugs="", confirmed=None, review_on=day + timedelta(days=90),
        by=prescriber, now=NOW,
    )  # fmt: skip
    Draft.objects.create(staff=pharmacist, clinic=clinic, rows=[], saved_at=NOW)
    return {
        "override_id": override.pk,
        "record_id": row.pk,
        "authorisation_id": leave.pk,
        "dispense_id": dispense.pk,
        "statement_id": statement.pk,
        "code": statement.code,
        "name": "fever",
        "key": "on-time",
    }


def _from_a_laboratory(clinic, treatment, nurse, integration):
    laboratory = Laboratory.objects.create(
        clinic=clinic, name="Central", source="central", created_at=NOW, columns={name: name for name in FIELDS}
    )
    imported = Import.objects.create(
        laboratory=laboratory, clinic=clinic, file_name="a.csv", sha256="0", content=CSV, rows=1, uploaded_at=NOW,
        uploaded_by=nurse,
    )  # fmt: skip
    row = QuarantinedRow.objects.create(
        imported=imported, clinic=clinic, number=2, fields=dict(FIELDS), field="mrn", message="nobody", created_at=NOW,
        answer_by=NOW,
    )  # fmt: skip
    IdempotencyKey.objects.create(
        integration=integration, key="1", body_hash="0", result=treatment.results.first(), created_at=NOW
    )
    feed = Feed.objects.create(clinic=clinic, source="central", name="Central", first_at=NOW, last_at=NOW)
    beat("sweep", now=NOW)
    DeliveryEvent.objects.create(delivery=Delivery.objects.first(), at=NOW, kind="sent")
    Inbound.objects.create(provider_id=f"SM{clinic.pk}", sender="+15005550001", words="thanks", at=NOW)
    keys = {"p256dh": "k", "auth": "a"}
    PushSubscription.objects.create(holder="staff:1", endpoint=f"https://p.example/{clinic.pk}", created_at=NOW, **keys)
    return {
        "laboratory_id": laboratory.pk,
        "feed_id": feed.pk,
        "import_id": imported.pk,
        "row_id": row.pk,
        "quarantined_id": row.pk,
    }


def _about_a_patient(clinic, nurse, prescriber):
    treatment, other = a_treatment(clinic), a_treatment(clinic)
    patient = treatment.patient
    contact = ContactPoint.objects.create(patient=patient, kind="phone", value="555", recorded_at=NOW)
    draw = Draw.objects.create(treatment=treatment, clinic=clinic, drawn_at=NOW, recorded_at=NOW)
    count = a_count(treatment, 2500, at=NOW - DAY)
    ResultReview.objects.create(result=count, staff=nurse, at=NOW)
    Booking.objects.create(treatment=treatment, clinic=clinic, day=NOW.date(), booked_at=NOW)
    merge = Merge.objects.create(kept=treatment, merged=other, reason="One person", at=NOW, by=nurse)
    proposal = BenProposal.objects.create(treatment=other, evidence="Duffy", documented_at=NOW, documented_by=nurse)
    TakeOver.objects.create(treatment=treatment, told_by="Letter", recorded_at=NOW)
    dose = record_dose(treatment=treatment, daily_mg=Decimal(100), at=NOW, by=nurse, now=NOW)
    void_dose(dose=dose, by=nurse, now=NOW, reason="Wrong patient")
    document_ben(treatment=treatment, baseline_anc=None, evidence="Duffy", by=nurse, confirmed_by=prescriber, now=NOW)
    _reaching(treatment, nurse)
    return {"contact_id": contact.pk, "draw_id": draw.pk, "merge_id": merge.pk, "proposal_id": proposal.pk}


def _reaching(treatment, nurse):
    """A carer who agreed, a code, a link, wishes, what a clinic says of itself, and a check."""
    clinic, patient = treatment.clinic, treatment.patient
    carer = add_carer(patient=patient, name="Kim", relation="sister", phone="+15550100999", email="", by=nurse, now=NOW)
    person = Person(patient, carer)
    give_consent(person=person, channel="sms", how="in_person", by=nurse, now=NOW)
    wish(person=person, wishes={"language": "es"}, by=nurse, now=NOW)
    place = {"person": person, "channel": "sms", "address": carer.phone, "now": NOW}
    make_code(purpose="confirm", **place)
    make_link(purpose="page", **place)
    set_front_desk(
        clinic=clinic, phone="555-0100", place="Room 1", emergency_number="911", emergency_place="the hospital",
        by=nurse, now=NOW,
    )  # fmt: skip
    Wording.objects.create(clinic=clinic, kind="day", language="en", body="Hello. Today! [link]", at=NOW, by=nurse)
    record_self_check(treatment=treatment, answers=Answers(), entry=uuid.uuid4(), now=NOW)
