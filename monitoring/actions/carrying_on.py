"""A clinic's change of protocol from its question to its end. Whoever has a moment takes the next part of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from monitoring.actions.foreseeing import counts_of, foresee_chunk
from monitoring.actions.gathering import Digest
from monitoring.actions.nudge import ask
from monitoring.actions.switching import switch_next
from monitoring.models import ProtocolChange, RowState
from monitoring.rules.errors import InputError
from patients import audit
from patients.models import Clinic, Staff

TASK = "monitoring.tasks.take_protocol_change"
SECONDS_A_TURN = 2.0
Clock = Callable[[], datetime]


def ask_worker(change: ProtocolChange) -> None:
    """A hint that there is something to do; without any worker the page does it itself."""
    ask(TASK, change.pk, expires=60)


def works(change: ProtocolChange) -> bool:
    """Whether there is something to do; a change that is foreseen waits for a person."""
    return change.open and (change.foreseen_at is None or change.confirmed_at is not None)


def unfinished_changes() -> list[int]:
    """Those that somebody should go on with."""
    still = ProtocolChange.objects.filter(finished_at=None, cancelled_at=None)
    return [change.pk for change in still.order_by("pk")[:20] if works(change)]


def go_on(change_id: int, *, clock: Clock, seconds: float = SECONDS_A_TURN) -> ProtocolChange:
    """Foresee, or carry out, for so long. Two at once do no harm, and what was done is never done twice."""
    change = ProtocolChange.objects.select_related("clinic", "asked_by", "confirmed_by").get(pk=change_id)
    until = clock() + timedelta(seconds=seconds)
    if not works(change):
        return change
    step = _Switching(change) if change.confirmed_at else _Foreseeing(change)
    while step.next(clock()):
        if clock() >= until or _cancelled(change):
            return change
    step.end(clock())
    change.refresh_from_db()
    return change


def _cancelled(change: ProtocolChange) -> bool:
    return ProtocolChange.objects.filter(pk=change.pk).exclude(cancelled_at=None).exists()


class _Foreseeing:
    """Chunk by chunk."""

    def __init__(self, change: ProtocolChange) -> None:
        self.change = change

    def next(self, now: datetime) -> int:
        """One chunk; how many treatments it had."""
        return foresee_chunk(self.change, now=now)

    def end(self, now: datetime) -> None:
        """Every chunk was taken; whoever ends the last one says so."""
        if not self.change.chunks.filter(foreseen_at=None).exists():
            end_foresight(self.change, now=now)


class _Switching:
    """Patient by patient, their owners told together."""

    def __init__(self, change: ProtocolChange) -> None:
        self.change, self.after = change, 0
        self.digest = Digest(run=f"protocol:{change.pk}", started=change.confirmed_at or change.asked_at)

    def next(self, now: datetime) -> int:
        """One patient."""
        row = switch_next(self.change, after=self.after, now=now, digest=self.digest)
        self.after = row.pk if row else self.after
        return int(row is not None)

    def end(self, now: datetime) -> None:
        """Nobody is left: the messages go out, and the change is over."""
        if not self.change.rows.filter(state=RowState.FORESEEN).exists():
            self.digest.release(now=now)
            end_change(self.change, now=now)


@transaction.atomic
def end_foresight(change: ProtocolChange, *, now: datetime) -> None:
    """Everything is foreseen: from now on a prescriber may confirm it."""
    still = ProtocolChange.objects.filter(pk=change.pk, foreseen_at=None, cancelled_at=None)
    if still.update(foreseen_at=now):
        _audit("protocol_change_foreseen", change, change.asked_by, now, None, **_kinds(change))


@transaction.atomic
def confirm_change(*, change: ProtocolChange, by: Staff, now: datetime, ip: str | None = None) -> None:
    """A prescriber has signed: patients are switched from now on, and new ones begin with it.

    Raises InputError where there is nothing to confirm.
    """
    current = ProtocolChange.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=change.pk)
    if current.confirmed_at is not None:
        return
    if not current.open or current.foreseen_at is None:
        raise InputError("confirm", "this change cannot be confirmed: it is cancelled, or not foreseen yet")
    ProtocolChange.objects.filter(pk=current.pk).update(confirmed_at=now, confirmed_by=by)
    former = current.clinic.default_protocol
    Clinic.objects.filter(pk=current.clinic_id).update(default_protocol=current.protocol_key)
    _audit(
        "protocol_change_confirmed", current, by, now, ip,
        protocol=current.protocol_key, new_patients_were=former, **_kinds(current),
    )  # fmt: skip


@transaction.atomic
def cancel_change(*, change: ProtocolChange, by: Staff, now: datetime, ip: str | None = None) -> bool:
    """Go no further; who was switched stays switched. False when it had ended already."""
    still = ProtocolChange.objects.filter(pk=change.pk, finished_at=None, cancelled_at=None)
    if not still.update(cancelled_at=now, cancelled_by=by):
        return False
    _audit("protocol_change_cancelled", change, by, now, ip)
    return True


@transaction.atomic
def end_change(change: ProtocolChange, *, now: datetime) -> None:
    """Every patient was switched or refused."""
    if ProtocolChange.objects.filter(pk=change.pk, finished_at=None, cancelled_at=None).update(finished_at=now):
        ended = {state: change.rows.filter(state=state).count() for state in (RowState.SWITCHED, RowState.REFUSED)}
        by = change.confirmed_by or change.asked_by
        _audit("protocol_change_finished", change, by, now, None, **{str(name): n for name, n in ended.items()})


def _kinds(change: ProtocolChange) -> dict[str, int]:
    counts = counts_of(change)
    return {name.partition(":")[2]: number for name, number in counts.items() if name.startswith("kind:")}


def _audit(verb: str, change: ProtocolChange, by: Staff, now: datetime, ip: str | None, **detail: object) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=change.clinic_id, subject=f"protocol_change:{change.pk}", ip=ip, **detail
    )
