"""Asking the rules about a treatment, and keeping what they said."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q

from monitoring.models import Assessment, Merge, Result, Treatment
from monitoring.models.result import standing
from monitoring.rules.assess import assess
from monitoring.rules.judgement import Judgement, cautious


def locked(treatment_id: int) -> Treatment:
    """The treatment, locked until the transaction ends: results, events and decisions of one patient queue here.

    For a record that was merged into another: that other one, which is judged with the rows of both.
    """
    found = lock_alone(treatment_id)
    touching = Merge.objects.filter(Q(kept=treatment_id) | Q(merged=treatment_id), undone_at=None)
    pairs = list(touching.order_by("merged").values_list("kept_id", "merged_id"))
    kept = next((kept for kept, merged in pairs if merged == treatment_id), None)
    if kept is not None:
        return lock_alone(kept)
    found.records = [treatment_id, *(merged for _, merged in pairs)]
    return found


def kept_id(treatment_id: int) -> int | None:
    """The treatment into which this one was merged, if it was."""
    return Merge.objects.filter(merged=treatment_id, undone_at=None).values_list("kept_id", flat=True).first()


def lock_alone(treatment_id: int) -> Treatment:
    """This very record, locked, whatever it was merged into. The merged one is always locked before the kept one."""
    return (
        Treatment.objects.select_for_update(of=("self",))
        .select_related("clinic", "patient", "clinician")
        .get(pk=treatment_id)
    )


def judge(treatment: Treatment, versions: Sequence[Result], *, as_of: datetime) -> Judgement:
    """What the rules make of the treatment. A preliminary result may restrict the answer, never permit more."""
    current = standing(list(versions))
    final = assess(treatment.history_of(current), treatment.protocol, as_of)
    if all(result.status != "preliminary" for result in current):
        return final
    with_preliminary = assess(treatment.history_of(current, preliminary=True), treatment.protocol, as_of)
    return cautious(final, with_preliminary)


def keep(
    treatment: Treatment, judgement: Judgement, *, result: Result | None, latest_draw_at: datetime | None, now: datetime
) -> Assessment:
    """Store the judgement and bring the treatment's derived columns up to it."""
    treatment.version += 1
    columns = {
        "band": judgement.band or "",
        "advice": judgement.treatment,
        "frequency": judgement.frequency,
        "due_on": judgement.due_on,
        "overdue_after": judgement.overdue_after,
        "repeat_by": judgement.deadline,
        "changes_on": judgement.changes_on,
        "latest_draw_at": latest_draw_at,
        "assessed_at": now,
    }
    Treatment.objects.filter(pk=treatment.pk).update(version=F("version") + 1, **columns)
    for name, value in columns.items():
        setattr(treatment, name, value)
    return Assessment.objects.create(
        treatment=treatment,
        result=result,
        version=treatment.version,
        as_of=now,
        created_at=now,
        protocol_key=judgement.protocol,
        severe=judgement.severe,
        judgement=judgement.as_dict(),
    )


def latest_draw(versions: Sequence[Result]) -> datetime | None:
    """When the latest standing result was drawn."""
    return max((result.drawn_at for result in standing(list(versions))), default=None)
