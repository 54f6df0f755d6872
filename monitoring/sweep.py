"""What time alone makes true: tests overdue, repeats owed, alerts that nobody answered.

Set-based, in one transaction under an advisory lock, so that two schedulers equal one. It only notifies: what is
overdue is computed when it is read, and no treatment is changed here.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from monitoring.alerts import BODY, ESCALATE_AFTER, SUBJECT, URGENCY
from monitoring.models import Cause, Severity
from notifications.actions import beat
from patients.models import DEFAULT_POLICIES

FURTHEST_EAST = timedelta(hours=15)
"""No zone of the world is further ahead of UTC: nowhere is it a later day."""
LOCK = 0x636C6F7A
"""The advisory lock's number."""

OVERDUE = """
WITH today AS (
    SELECT id, name, on_call_email, (%(now)s AT TIME ZONE time_zone)::date AS day,
           coalesce((policies->>%(policy)s)::int, %(minutes)s) AS minutes
    FROM patients_clinic
), raised AS (
    INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at,
        worsened_at, escalate_at, outcome)
    SELECT t.id, t.clinic_id, %(cause)s, %(severity)s, 'The blood test is overdue since ' || t.overdue_after || '.',
        t.clinician_id, %(now)s, %(now)s, %(now)s + make_interval(mins => today.minutes), ''
    FROM monitoring_treatment t JOIN today ON today.id = t.clinic_id AND t.overdue_after < today.day
    -- Says nothing that the clinic's own day does not say; but of a constant the planner knows how few they are.
    WHERE t.overdue_after < %(latest_day)s AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at > t.assessed_at)
    )
    ON CONFLICT DO NOTHING
    RETURNING id, treatment_id, clinic_id, owner_id, severity, summary
)"""

REPEAT_LATE = """
WITH raised AS (
    UPDATE monitoring_alert a
    SET severity = %(severity)s, worsened_at = %(now)s, acknowledged_at = NULL, acknowledged_by_id = NULL,
        escalated_at = NULL, summary = 'The repeat count that was due within 24 hours has not come.',
        escalate_at = %(now)s + make_interval(mins => coalesce((c.policies->>%(policy)s)::int, %(minutes)s))
    FROM patients_clinic c
    WHERE c.id = a.clinic_id AND a.cause = %(cause)s AND a.resolved_at IS NULL
      AND a.deadline < %(now)s AND a.worsened_at <= a.deadline
    RETURNING a.id, a.treatment_id, a.clinic_id, a.owner_id, a.severity, a.summary
)"""

UNANSWERED = """
WITH raised AS (
    UPDATE monitoring_alert SET escalated_at = %(now)s
    WHERE resolved_at IS NULL AND acknowledged_at IS NULL AND escalated_at IS NULL AND escalate_at <= %(now)s
    RETURNING id, treatment_id, clinic_id, NULL::bigint AS owner_id, severity,
        'Nobody answered in time: the clinic''s on-call address is told.' AS summary
)"""

TELL = """, told AS (
    INSERT INTO notifications_delivery (once, channel, address, subject, body, about, clinic_id, priority,
        created_at, due_at, attempts, last_error)
    SELECT 'alert:' || r.id || ':' || %(step)s || ':' || %(now)s || ':' || who.address, 'email', who.address,
        CASE r.severity WHEN 1 THEN %(subject1)s WHEN 2 THEN %(subject2)s WHEN 3 THEN %(subject3)s
            ELSE %(subject4)s END,
        replace(replace(%(body)s, '[clinic]', c.name), '[alert]', r.id::text),
        'alert:' || r.id, r.clinic_id, r.severity, %(now)s, %(now)s, 0, ''
    FROM raised r
    JOIN patients_clinic c ON c.id = r.clinic_id
    LEFT JOIN patients_staff s ON s.id = r.owner_id AND s.is_active AND s.email <> ''
    CROSS JOIN LATERAL (SELECT coalesce(s.email, c.on_call_email) AS address) who
    ON CONFLICT (once) DO NOTHING
), noted AS (
    INSERT INTO monitoring_alertnote (alert_id, at, verb, text)
    SELECT id, %(now)s, %(verb)s, summary FROM raised
), audited AS (
    INSERT INTO patients_auditevent (at, verb, clinic_id, patient_id, subject, detail)
    SELECT %(now)s, %(audit)s, r.clinic_id, t.patient_id, 'alert:' || r.id, '{}'
    FROM raised r JOIN monitoring_treatment t ON t.id = r.treatment_id
)
SELECT count(*) FROM raised"""


class Look(NamedTuple):
    """One question that the sweep asks, and how its answers are told."""

    sql: str
    cause: Cause | None
    severity: Severity
    step: str
    verb: str
    audit: str


LOOKS = (
    Look(OVERDUE, Cause.TEST_OVERDUE, Severity.ROUTINE, "overdue", "raised", "alert_raised"),
    Look(REPEAT_LATE, Cause.REPEAT_OWED, Severity.MODERATE, "late", "worsened", "alert_worsened"),
    Look(UNANSWERED, None, Severity.ROUTINE, "escalated", "escalated", "alert_escalated"),
)


def sweep(*, now: datetime) -> dict[str, int] | None:
    """Ask every question once; how many alerts each one touched. None when another sweep is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        found = {}
        for look in LOOKS:
            cursor.execute(look.sql + TELL, _parameters(look, now))
            found[look.step] = cursor.fetchone()[0]
        beat("sweep", now=now)
        return found


def _parameters(look: Look, now: datetime) -> dict[str, Any]:
    policy = ESCALATE_AFTER[look.severity]
    body = BODY.format(clinic="[clinic]", base_url=settings.BASE_URL, alert_id="[alert]")
    subjects = {f"subject{level}": SUBJECT.format(urgency=URGENCY[level]) for level in Severity.values}
    return subjects | {
        "now": now,
        "latest_day": (now + FURTHEST_EAST).date(),
        "cause": look.cause,
        "severity": look.severity,
        "policy": policy,
        "minutes": DEFAULT_POLICIES[policy],
        "step": look.step,
        "verb": look.verb,
        "audit": look.audit,
        "body": body,
    }
