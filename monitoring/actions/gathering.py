"""A batch of results raises one message an owner instead of hundreds. Severe alerts are never gathered."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from monitoring.actions.nudge import nudge
from monitoring.alerts import BATCH_BODY, BATCH_SHORT, MANY, ONE, SUBJECT, URGENCY
from monitoring.models import Alert, Channel, Severity
from notifications.actions import owe
from notifications.models import Delivery

LONGEST_WAIT = timedelta(minutes=5)
"""A gathered message goes out after this time even if the batch still runs, or died."""


@dataclass
class Digest:
    """Collects what one run of an import or a backfill has to tell, into one message an owner.

    The message is written with the first alert that it tells of, in that alert's own transaction: a run that dies
    has told everybody. `finish` sends it at once and says how many alerts there were.
    """

    run: str
    """A short name of this run, unique for ever, such as import:17."""
    started: datetime
    told: dict[str, set[int]] = field(default_factory=dict)
    urgency: dict[str, int] = field(default_factory=dict)

    def takes(self, alert: Alert) -> bool:
        """Whether this alert may be told together with others."""
        return alert.severity > Severity.SEVERE

    def add(self, alert: Alert, address: str, *, clinic_name: str, now: datetime, channel: str = Channel.EMAIL) -> None:
        """Tell of this alert in the address's message, which is written now unless it is there."""
        turn = max((now - self.started) // LONGEST_WAIT, 0)
        once = f"digest:{self.run}:{turn}:{hashlib.sha256(address.encode()).hexdigest()[:24]}"
        if channel != Channel.EMAIL:
            once += f":{channel}"
        due_at = max(self.started + (turn + 1) * LONGEST_WAIT, now)
        owe([_message(self.run, once, channel, address, alert, clinic_name, now, due_at)])
        pk, severity = alert.pk, alert.severity
        transaction.on_commit(lambda: self._count(once, pk, severity))

    def _count(self, once: str, alert_id: int, severity: int) -> None:
        self.told.setdefault(once, set()).add(alert_id)
        self.urgency[once] = min(self.urgency.get(once, severity), severity)

    def finish(self, *, now: datetime) -> int:
        """The run is over: its messages go out now, with their number of alerts. How many messages there are."""
        for once, alerts in self.told.items():
            waiting = Delivery.objects.filter(once=once, due_at__gt=now).waiting()
            for delivery in waiting:
                waiting.update(
                    body=delivery.body.replace(MANY, ONE if len(alerts) == 1 else f"{len(alerts)} {MANY.lower()}", 1),
                    subject=SUBJECT.format(urgency=URGENCY[self.urgency[once]]),
                    priority=self.urgency[once],
                    due_at=now,
                )
        if self.told:
            nudge()
        return len(self.told)

    def release(self, *, now: datetime) -> None:
        """Its messages go out now, without a number: other processes, or earlier turns, wrote into them too."""
        Delivery.objects.filter(about=_about(self.run), due_at__gt=now).waiting().update(due_at=now)
        nudge()


def _about(run: str) -> str:
    return f"digest:{run}"[:64]


def _message(
    run: str, once: str, channel: str, address: str, alert: Alert, clinic_name: str, now: datetime, due_at: datetime
) -> Delivery:
    return Delivery(
        once=once,
        channel=channel,
        address=address,
        subject=SUBJECT.format(urgency=URGENCY[alert.severity]),
        body=(BATCH_BODY if channel == Channel.EMAIL else BATCH_SHORT).format(
            clinic=clinic_name, base_url=settings.BASE_URL
        ),
        path="/alerts/",
        about=_about(run),
        clinic_id=alert.clinic_id,
        priority=alert.severity,
        created_at=now,
        due_at=due_at,
    )
