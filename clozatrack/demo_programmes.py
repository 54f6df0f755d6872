"""What the pharmacy and the programmes of the demo clinic have on record: told through the actions of a clinic."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from clozatrack.demo_people import DAY
from monitoring.actions.dispensing import authorise
from monitoring.actions.non_rechallenge import appeal, enter_register
from monitoring.actions.overriding import ask_override, confirm_override, decline_override, review_override
from monitoring.actions.programmes import record_fact
from monitoring.actions.statements import issue_statement
from monitoring.actions.status_forms import set_registry_form
from monitoring.models import Treatment
from monitoring.rules.rems import ERAS
from patients.models import Clinic, Role, Staff


def tell(clinic: Clinic, now: datetime) -> None:
    """Overrides and bridges, statements, REMS records of its last months, a registry, and a register entry."""
    roles = {row.role: row.staff for row in clinic.memberships.select_related("staff")}
    calm = list(clinic.treatments.filter(advice="continue", band="normal", due_on__gt=now.date()).order_by("pk"))
    _overrides(calm[:4], roles, now)
    for treatment in calm[4:6]:
        issue_statement(
            treatment=treatment, entry=uuid.uuid4(), by=roles[Role.PHARMACIST], now=now - timedelta(hours=3),
            addressee="St. Mary's Hospital",
        )  # fmt: skip
    _rems(clinic, roles, now)
    set_registry_form(
        clinic=clinic, title="Monthly form", questions=["Cigarettes a day", "Bowels open every day?"],
        by=roles[Role.CLINIC_ADMIN], now=now - 90 * DAY,
    )  # fmt: skip
    for place, treatment in enumerate(calm[6:12]):
        facts: dict[str, Any] = {"clinic": clinic, "programme": "clinic", "by": roles[Role.PRESCRIBER], "now": now}
        record_fact(kind="enrolled", on=(now - 90 * DAY).date(), treatment=treatment, **facts)
        if place < 4:
            last = (now - (12 + 9 * place) * DAY).date()
            record_fact(kind="status_form", on=last, treatment=treatment, **facts)
    severe = clinic.treatments.filter(assessments__severe=True, paused_since__isnull=False).order_by("pk").first()
    if severe:
        entry = enter_register(
            treatment=severe, evidence="Severe neutropenia, confirmed the day after", other_drugs="Carbamazepine",
            confirmed=True, review_on=(now + 120 * DAY).date(), by=roles[Role.PRESCRIBER], now=now - 20 * DAY,
        )  # fmt: skip
        appeal(entry=entry, words="Carbamazepine may have done it", by=roles[Role.NURSE], now=now - 5 * DAY)


def _overrides(treatments: list[Treatment], roles: dict[str, Staff], now: datetime) -> None:
    nurse, prescriber, pharmacist = (roles[role] for role in (Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST))
    stories = (
        (40, True, "laboratory", "The courier lost the tube", 4),
        (12, False, "patient_away", "Snowed in, blood on Friday", 3),
        (25, False, "benefit", "Relapsed in the last gap", 7),
        (0, True, "laboratory", "The analyser is down until tomorrow", 3),
    )
    for number, (treatment, (ago, bridge, code, words, days)) in enumerate(zip(treatments, stories, strict=False)):
        at = now - ago * DAY - timedelta(hours=1)
        row = ask_override(
            treatment=treatment, bridge=bridge, code=code, words=words, days=days, hours=24, by=pharmacist, now=at
        )
        if number < 2:
            confirm_override(override=row, by=prescriber, now=at + timedelta(minutes=20))
            authorise(treatment=treatment, entry=uuid.uuid4(), override=row, by=pharmacist, now=at + timedelta(hours=1))
        if number == 0:
            review_override(override=row, by=nurse, now=at + 2 * DAY, words="Agreed, the courier wrote")
        if number == 2:
            decline_override(override=row, by=prescriber, now=at + timedelta(hours=1), answer="Blood is here by noon")


def _rems(clinic: Clinic, roles: dict[str, Staff], now: datetime) -> None:
    """The last months of the programme, for whoever was on treatment then."""
    prescriber, pharmacist = roles[Role.PRESCRIBER], roles[Role.PHARMACIST]
    facts: dict[str, Any] = {"clinic": clinic, "programme": "us-rems", "now": now}
    ended = ERAS[-1].begins
    record_fact(kind="pharmacy_certified", on=ended - 900 * DAY, code="PHA-20418", by=pharmacist, **facts)
    record_fact(kind="prescriber_certified", on=ended - 900 * DAY, person=prescriber, by=prescriber, **facts)
    for treatment in clinic.treatments.filter(events__kind="first_dose").order_by("events__at")[:2]:
        first = treatment.events.get(kind="first_dose").at.date()
        about = facts | {"treatment": treatment}
        record_fact(kind="enrolled", on=first - 2 * DAY, by=prescriber, **about)
        for month, day in enumerate(first + 30 * DAY * month for month in range(4)):
            if day >= ended:
                break
            record_fact(kind="authorisation", on=day, code=f"RDA-{treatment.pk:03}{month}", by=pharmacist, **about)
            record_fact(kind="status_form" if month != 2 else "dispense_rationale", on=day, by=prescriber, **about)
