"""The monthly forms of a clinic's own registry: drafted from what is known, many signed in one sitting.

A clinic may ask questions of its own on them; whoever signs answers each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from monitoring.actions.judging import locked
from monitoring.actions.programmes import NOTICE_DAYS, form_state, record_fact
from monitoring.models import Assessment, BenStatus, RegistryForm, Treatment
from monitoring.models.programme import Programme, ProgrammeRecord
from monitoring.rules.rems import PSF_DAYS, psf_due
from patients import audit
from patients.models import Clinic, Staff

MOST_QUESTIONS = 8
STANDING = {"programme": Programme.CLINIC, "voided_at": None}


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as far as the system knows it. `basis`: the state of the treatment that it was drafted from."""

    treatment: Treatment
    state: str
    told: dict[str, Any]
    form: RegistryForm | None = None
    answers: tuple[str, ...] = ()

    @property
    def basis(self) -> str:
        """Which form of which state: what a page posts back."""
        return f"{self.treatment.pk}:{self.treatment.version}:{self.form.pk if self.form else 0}"

    @property
    def questions(self) -> list[tuple[str, str]]:
        """What the clinic asks beyond what is known, each with its answer so far."""
        asked = self.form.questions if self.form else []
        return [(question, dict(enumerate(self.answers)).get(place, "")) for place, question in enumerate(asked)]

    @property
    def complete(self) -> bool:
        """Whether every question is answered."""
        return all(answer for _, answer in self.questions)

    @property
    def signed_as(self) -> dict[str, Any]:
        """What is kept with the signature."""
        own = {"form": self.form.title, "answers": self.questions} if self.form else {}
        return self.told | own


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
    clinics = {treatment.clinic_id for treatment in treatments}
    newest = RegistryForm.objects.filter(clinic__in=clinics).order_by("clinic", "-pk").distinct("clinic")
    forms = {form.clinic_id: form for form in newest}
    return [
        _draft(one, judged.get(one.pk, {}), now, ben=one.pk in ben, form=forms.get(one.clinic_id)) for one in treatments
    ]


def _draft(
    treatment: Treatment, judged: dict[str, Any], now: datetime, *, ben: bool, form: RegistryForm | None
) -> Draft:
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
    return Draft(treatment, form_state(last, now.astimezone(treatment.clinic.zone).date()), told, form)


@transaction.atomic
def sign(*, ticked: Iterable[Draft], by: Staff, now: datetime, ip: str | None = None) -> tuple[int, list[Treatment]]:
    """Sign these forms as they were drafted: how many, and whose are not because something new is known since.

    Raises ValueError where a question of the clinic is not answered; then none is signed.
    """
    signed, changed = 0, []
    for draft in sorted(ticked, key=lambda one: one.treatment.pk):
        if not draft.complete:
            raise ValueError(f"answer every question about {draft.treatment.patient} first")
        treatment = locked(draft.treatment.pk)
        if treatment.version != draft.treatment.version:
            changed.append(draft.treatment)
            continue
        day = now.astimezone(treatment.clinic.zone).date()
        if ProgrammeRecord.objects.filter(treatment=treatment, kind="status_form", on=day, **STANDING).exists():
            continue
        record_fact(
            clinic=treatment.clinic, programme=Programme.CLINIC, kind="status_form", on=day, treatment=treatment,
            drafted=draft.signed_as, by=by, now=now, ip=ip,
        )  # fmt: skip
        signed += 1
    return signed, changed


@transaction.atomic
def set_registry_form(
    *, clinic: Clinic, title: str, questions: Sequence[str], by: Staff, now: datetime, ip: str | None = None
) -> RegistryForm:
    """From now on the registry's form asks this. Raises ValueError without a title, or for too many questions."""
    asked = [question.strip() for question in questions if question.strip()]
    if not title.strip():
        raise ValueError("give the form a title")
    if len(asked) > MOST_QUESTIONS or len(set(asked)) < len(asked):
        raise ValueError(f"ask at most {MOST_QUESTIONS} questions, each once")
    form = RegistryForm.objects.create(clinic=clinic, title=title.strip(), questions=asked, set_at=now, set_by=by)
    audit.record(
        "registry_form_set", by=by, now=now, clinic_id=clinic.pk, subject=f"registry_form:{form.pk}", ip=ip,
        questions=len(asked),
    )  # fmt: skip
    return form


def registry_form(clinic: Clinic) -> RegistryForm | None:
    """The form in force; none: the clinic asks nothing beyond what is known."""
    return clinic.registry_forms.order_by("-pk").first()
