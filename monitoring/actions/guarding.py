"""What a typed result is asked about, whether it was answered, and who hears of it. Typed results only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from monitoring.alerts import Raising
from monitoring.models import Cause, Result, Severity, Treatment
from monitoring.models.limits import table_at
from monitoring.models.result import standing
from monitoring.rules.history import Count
from monitoring.rules.slips import Answers, DoubtError, Neighbour, Question, Typed, Want, loosened_from, questions
from monitoring.rules.units import plain, scale_of
from patients.access import colleagues_of
from patients.models import Actor, Staff

MANUAL = "manual"
ONE_SITTING = timedelta(minutes=15)
SHORTEST_ANSWER = 3


def accession_of(entry: str) -> str:
    """The key under which a typed entry is stored, so that a second submit is the same result."""
    return f"typed-{entry}"


def doubts(
    treatment: Treatment, before: Sequence[Result], result: Result, *, by: Actor, now: datetime
) -> list[Question]:
    """The questions that this typed result raises. `before`: the versions that stand, in draw order."""
    typed = Typed(
        count=result.count(),
        written=main_number(result),
        scale=scale_of(result.received.get("unit")),
        unit=result.received.get("unit", ""),
    )
    return questions(
        typed,
        _counts(before),
        table_at(treatment, now),
        now=now,
        zone=treatment.clinic.zone,
        neighbour=_typed_before(treatment, by, now),
    )


def main_number(result: Result) -> str:
    """The number that is typed again: the ANC, or the white cells where the ANC follows from them."""
    return str(result.received.get("anc") or result.received.get("wbc") or "")


def refuse_unanswered(asked: Sequence[Question], result: Result, answers: Answers, *, by: Actor) -> None:
    """Raises DoubtError with the questions that are still open: not shown yet, or without the answer that they want."""
    if still := still_open(asked, result, answers, by=by):
        raise DoubtError(still)


def still_open(asked: Sequence[Question], result: Result, answers: Answers, *, by: Actor) -> list[Question]:
    """The questions without their answers."""
    given = _given(result, answers, by)
    return [
        question
        for question in asked
        if question.code not in answers.confirmed or not all(given[want] for want in question.wants)
    ]


def _given(result: Result, answers: Answers, by: Actor) -> dict[Want, bool]:
    return {
        "again": _same_number(answers.again, main_number(result)),
        "proof": len(answers.document.strip()) >= SHORTEST_ANSWER or _second(result, answers, by) is not None,
        "reason": len(answers.reason.strip()) >= SHORTEST_ANSWER,
        "sure": answers.sure,
    }


def _same_number(again: str, first: str) -> bool:
    one, other = again.replace(" ", ""), first.replace(" ", "")
    if one[:1] in ("<", ">") or other[:1] in ("<", ">"):
        return one == other
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _second(result: Result, answers: Answers, by: Actor) -> Staff | None:
    """The colleague who has read the report too; never the typist."""
    if answers.second is None or not isinstance(by, Staff):
        return None
    return colleagues_of(by, result.clinic_id).filter(pk=answers.second).first()


def kept_answers(asked: Sequence[Question], result: Result, answers: Answers, *, by: Actor) -> dict[str, Any]:
    """For the audit trail: which checks asked, and what was answered."""
    if not asked:
        return {}
    second = _second(result, answers, by)
    told = {"document": answers.document.strip(), "second": second.pk if second else None, "reason": answers.reason}
    return {"asked": [question.code for question in asked], "answered": {name: it for name, it in told.items() if it}}


def proof_in_words(asked: Sequence[Question], result: Result, answers: Answers, *, by: Actor) -> str:
    """What is kept beside the result: why it came late, and what proves it."""
    wants = {want for question in asked for want in question.wants}
    said = [answers.reason.strip()] if "reason" in wants else []
    if "proof" in wants:
        if document := answers.document.strip():
            said.append(f"Laboratory report {document}.")
        if second := _second(result, answers, by):
            said.append(f"{second} has read the report too.")
    return " ".join(said)


def loosening(treatment: Treatment, before: Sequence[Result], result: Result, *, by: Actor) -> list[Raising]:
    """The prescriber hears of every typed count that is in a better band than the one before it."""
    count, table = result.count(), table_at(treatment, result.received_at)
    last = loosened_from(count, _counts(before), table)
    if last is None:
        return []
    was, is_now = (table.bands[table.rank(one)].name for one in (last, count))
    numbers = [plain(one.anc, one.anc_bound) if one.anc is not None else "no ANC" for one in (count, last)]
    text = (
        f"Typed by {by or 'the service'}: ANC {numbers[0]} /uL, {is_now}, after {numbers[1]} /uL, {was},"
        f" on {last.at.astimezone(treatment.clinic.zone):%Y-%m-%d}. {result.reason}"
    )
    return [Raising(Cause.LOOSENED, Severity.ROUTINE, text.strip())]


def _counts(before: Sequence[Result]) -> list[Count]:
    """In draw order; of two at the same instant the lower one last, as the rules read them."""
    return sorted((row.count() for row in before), key=lambda count: (count.at, -(count.anc or 0)))


def _typed_before(treatment: Treatment, by: Actor, now: datetime) -> Neighbour | None:
    """The result that this person typed just before, when it was another patient's."""
    if not isinstance(by, Staff):
        return None
    mine = Result.objects.filter(staff=by, source=MANUAL).select_related("treatment__patient")
    last = mine.order_by("-pk").first()
    if last is None or last.treatment_id == treatment.pk or now - last.received_at > ONE_SITTING:
        return None
    versions = Result.objects.filter(treatment=last.treatment_id, drawn_at__lte=last.drawn_at, pk__lt=last.pk)
    patient, earlier = last.treatment.patient, _counts(standing(list(versions)))
    return Neighbour(name=f"{patient} (MRN {patient.mrn})", count=last.count(), earlier=earlier)
