"""The monthly forms of a clinic's own registry: drafted from what is known, many signed in one sitting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from monitoring.actions.judging import locked
from monitoring.actions.programmes import NOTICE_DAYS, form_state, record_fact
from monitoring.models import Assessment, BenStatus, Treatment
from monitoring.models.programme import Programme, ProgrammeRecord
from monitoring.rules.rems import PSF_DAYS, psf_due
from patients.models import Staff

STANDING = {"programme": Programme.CLINIC, "voided_at": None}


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as far as the system knows it. `basis`: the state of the treatment that it was drafted from."""

    treatment: Treatment
    state: str
    told: dict[str, Any]

    @property
    def basis(self) -> str:
        """Which form of which state: what a page posts back."""
        return f"{self.treatment.pk}:{self.treatment.version}"


def enrolled(treatments: "QuerySet[Treatment]") -> "QuerySet[Treatment]":
    """Those of them in their clinic's own registry now, each with the day of its last form."""
    mine = ProgrammeRecord.objects.filter(treatment=OuterRef("pk"), **STANDING)
    latest = mine.filter(kind__in=("enrolled", "disenrolled")).order_by("-on", "-pk").values("kind")[:1]
    forms = Q(programme_records__kind="status_form") & Q(
        programme_records__programme=Programme.CLINIC, programme_records__voided_at=None
    )
    return treatments.annotate(
        membership=Subquery(latest), last_form=Max("programme_records__on", filter=forms)
    ).filter(membership="enrolled", merged_into=None)


def to_sign(treatments: "QuerySet[Treatment]", *, now: datetime) -> "QuerySet[Treatment]":
    """Enrolled, and the form is missing, late or due within a week; the longest ago first."""
    # A day more than anywhere on earth is left to `form_state`, which knows the clinic's calendar.
    since = (now + timedelta(days=1)).date() - timedelta(days=PSF_DAYS - NOTICE_DAYS)
    waits = enrolled(treatments).filter(Q(last_form=None) | Q(last_form__lte=since))  # type: ignore[misc]  # annotated
    return waits.order_by("last_form", "pk")  # type: ignore[misc]  # likewise


def drafts(treatments: Sequence[Treatment], *, now: datetime) -> list[Draft]:
    """A draft for each, from the last judgement, in a fixed number of questions."""
    ids = [treatment.pk for treatment in treatments]
    said = Assessment.objects.filter(treatment__in=ids, replaces=None).order_by("treatment", "-version")
    judged = {row.treatment_id: row.judgement for row in said.distinct("treatment")}
    ben = set(BenStatus.objects.filter(treatment__in=ids).values_list("treatment", flat=True))
    return [_draft(one, judged.get(one.pk, {}), now, ben=one.pk in ben) for one in treatments]


def _draft(treatment: Treatment, judged: dict[str, Any], now: datetime, *, ben: bool) -> Draft:
    last: date | None = treatment.last_form  # type: ignore[attr-defined]  # annotated by `enrolled`
    due = psf_due(last)
    told = {
        "anc": judged.get("anc"),
        "band": judged.get("band"),
        "treatment": judged.get("treatment"),
        "frequency": judged.get("phase"),
        "ben": ben,
        "last_form": last.isoformat() if last else None,
        "due": due.isoformat() if due else None,
    }
    return Draft(treatment, form_state(last, now.astimezone(treatment.clinic.zone).date()), told)


@transaction.atomic
def sign(*, ticked: Iterable[Draft], by: Staff, now: datetime, ip: str | None = None) -> tuple[int, list[Treatment]]:
    """Sign these forms as they were drafted: how many, and whose are not because something new is known since."""
    signed, changed = 0, []
    for draft in sorted(ticked, key=lambda one: one.treatment.pk):
        treatment = locked(draft.treatment.pk)
        if treatment.version != draft.treatment.version:
            changed.append(draft.treatment)
            continue
        day = now.astimezone(treatment.clinic.zone).date()
        if ProgrammeRecord.objects.filter(treatment=treatment, kind="status_form", on=day, **STANDING).exists():
            continue
        record_fact(
            clinic=treatment.clinic, programme=Programme.CLINIC, kind="status_form", on=day, treatment=treatment,
            drafted=draft.told, by=by, now=now, ip=ip,
        )  # fmt: skip
        signed += 1
    return signed, changed
