"""What time alone makes true: tests overdue, repeats owed, alerts whose owner is lost or that nobody answered.

Set-based, in one transaction under an advisory lock, so that two schedulers equal one. It only notifies: what is
overdue is computed when it is read, and no treatment is changed here. Many alerts for one address, none of
them severe, are one message.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from monitoring.alerts import BATCH_BODY, BODY, ESCALATE_AFTER, MANY, SUBJECT, URGENCY
from monitoring.models import Cause, Severity
from monitoring.rules.reminders import CALL_AFTER_DAYS
from notifications.actions import beat
from patients.access import MAY
from patients.models import DEFAULT_POLICIES

FURTHEST_EAST = timedelta(hours=15)
"""No zone of the world is further ahead of UTC: nowhere is it a later day."""
LOCK = 0x636C6F7A
"""The advisory lock's number."""

FEW = 3
"""So many alerts for one address are told one by one; more of them at once, none severe, are one message."""

REACHABLE = """s.is_active AND s.email <> '' AND EXISTS (
        SELECT 1 FROM patients_membership m
        WHERE m.staff_id = s.id AND m.clinic_id = {}.clinic_id AND m.active AND m.role = ANY(%(roles)s)
    )"""
"""Of a person `s`, as `monitoring.actions.alerting.reachable` says it."""

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
    ) AND NOT EXISTS (SELECT 1 FROM monitoring_merge g WHERE g.merged_id = t.id AND g.undone_at IS NULL)
    FOR KEY SHARE OF t SKIP LOCKED -- one that is being moved is read after its move, at the next look
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

TRANSFER_LATE = """
WITH raised AS (
    INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at,
        worsened_at, escalate_at, outcome)
    SELECT t.id, t.clinic_id, %(cause)s, %(severity)s,
        receiver.name || ' has not answered the transfer asked for on '
            || (move.requested_at AT TIME ZONE c.time_zone)::date || '.',
        t.clinician_id, %(now)s, %(now)s,
        %(now)s + make_interval(mins => coalesce((c.policies->>%(policy)s)::int, %(minutes)s)), ''
    FROM monitoring_transfer move
    JOIN monitoring_treatment t ON t.id = move.treatment_id AND t.clinic_id = move.from_clinic_id
    JOIN patients_clinic c ON c.id = move.from_clinic_id
    JOIN patients_clinic receiver ON receiver.id = move.to_clinic_id
    WHERE move.accepted_at IS NULL AND move.declined_at IS NULL AND move.withdrawn_at IS NULL
      AND move.requested_at <= %(now)s - make_interval(
          days => coalesce((c.policies->>'transfer_answer_days')::int, %(transfer_days)s))
      AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at > move.requested_at)
    )
    FOR KEY SHARE OF t SKIP LOCKED
    ON CONFLICT DO NOTHING
    RETURNING id, treatment_id, clinic_id, owner_id, severity, summary
)"""

CALL = """
WITH today AS (
    SELECT id, (%(now)s AT TIME ZONE time_zone)::date AS day,
           coalesce((policies->>%(policy)s)::int, %(minutes)s) AS minutes
    FROM patients_clinic
), raised AS (
    INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at,
        worsened_at, escalate_at, outcome)
    SELECT t.id, t.clinic_id, %(cause)s, %(severity)s,
        'Reminders brought no blood test, overdue since ' || t.overdue_after || ': call the patient, kindly.',
        t.clinician_id, %(now)s, %(now)s, %(now)s + make_interval(mins => today.minutes), ''
    FROM monitoring_treatment t
    JOIN today ON today.id = t.clinic_id AND t.overdue_after <= today.day - %(call_after)s
    WHERE t.overdue_after < %(latest_day)s AND t.merged_into_id IS NULL
      -- Whoever once agreed to reminders counts on them, also where none can be sent any more.
      AND EXISTS (SELECT 1 FROM patients_consent c WHERE c.patient_id = t.patient_id AND c.carer_id IS NULL AND c.given)
      AND NOT EXISTS (SELECT 1 FROM monitoring_draw d WHERE d.treatment_id = t.id AND d.ended_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at > t.assessed_at)
    )
    FOR KEY SHARE OF t SKIP LOCKED
    ON CONFLICT DO NOTHING
    RETURNING id, treatment_id, clinic_id, owner_id, severity, summary
)"""

UNANSWERED = """
WITH raised AS (
    UPDATE monitoring_alert SET escalated_at = %(now)s
    WHERE resolved_at IS NULL AND acknowledged_at IS NULL AND escalated_at IS NULL AND escalate_at <= %(now)s
    RETURNING id, treatment_id, clinic_id, NULL::bigint AS owner_id, severity,
        'Nobody answered in time: the clinic''s on-call address is told.' AS summary
)"""

ORPHANED = (
    """
WITH raised AS (
    UPDATE monitoring_alert a
    SET owner_id = NULL, escalated_at = NULL,
        escalate_at = greatest(a.escalate_at, %(now)s + make_interval(mins => %(minutes)s)),
        acknowledged_at = CASE WHEN a.acknowledged_by_id = a.owner_id THEN NULL ELSE a.acknowledged_at END,
        acknowledged_by_id = CASE WHEN a.acknowledged_by_id = a.owner_id THEN NULL ELSE a.acknowledged_by_id END
    WHERE a.resolved_at IS NULL AND a.owner_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM patients_staff s WHERE s.id = a.owner_id AND """  # noqa: S608  # constants of this file
    + REACHABLE.format("a")
    + """)
    RETURNING a.id, a.treatment_id, a.clinic_id, NULL::bigint AS owner_id, a.severity,
        'The owner can no longer be reached: the clinic''s on-call address is told.' AS summary
)"""
)

TELL = (
    """, addressed AS (
    SELECT r.id, r.clinic_id, r.severity, c.name, who.address,
        r.severity > 1 AND count(*) FILTER (WHERE r.severity > 1) OVER (PARTITION BY r.clinic_id, who.address) > %(few)s
            AS together
    FROM raised r
    JOIN patients_clinic c ON c.id = r.clinic_id
    LEFT JOIN patients_staff s ON s.id = r.owner_id AND """  # noqa: S608  # constants of this file
    + REACHABLE.format("r")
    + """
    CROSS JOIN LATERAL (SELECT coalesce(s.email, c.on_call_email) AS address) who
), messages AS (
    SELECT 'alert:' || id || ':' || %(step)s || ':' || %(now)s || ':' || address AS once, address, severity,
        replace(replace(%(body)s, '[clinic]', name), '[alert]', id::text) AS body, 'alert:' || id AS about, clinic_id
    FROM addressed WHERE NOT together
    UNION ALL
    SELECT 'sweep:' || %(step)s || ':' || %(now)s || ':' || clinic_id || ':' || md5(address), address, min(severity),
        replace(replace(%(batch)s, '[clinic]', name), '[number]', count(*)::text), 'sweep:' || %(step)s, clinic_id
    FROM addressed WHERE together GROUP BY clinic_id, name, address
), told AS (
    INSERT INTO notifications_delivery (once, channel, address, subject, body, about, clinic_id, priority,
        created_at, due_at, attempts, last_error)
    SELECT once, 'email', address,
        CASE severity WHEN 1 THEN %(subject1)s WHEN 2 THEN %(subject2)s WHEN 3 THEN %(subject3)s
            ELSE %(subject4)s END,
        body, about, clinic_id, severity, %(now)s, %(now)s, 0, ''
    FROM messages
    ON CONFLICT (once) DO NOTHING
), noted AS (
    INSERT INTO monitoring_alertnote (alert_id, at, verb, text, severity)
    SELECT id, %(now)s, %(verb)s, summary, severity FROM raised
), audited AS (
    INSERT INTO patients_auditevent (at, verb, clinic_id, patient_id, subject, detail)
    SELECT %(now)s, %(audit)s, r.clinic_id, t.patient_id, 'alert:' || r.id, '{}'
    FROM raised r JOIN monitoring_treatment t ON t.id = r.treatment_id
)
SELECT count(*) FROM raised"""
)


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
    Look(TRANSFER_LATE, Cause.TRANSFER, Severity.ROUTINE, "transfer_late", "raised", "alert_raised"),
    Look(CALL, Cause.CALL_PATIENT, Severity.MILD, "call", "raised", "alert_raised"),
    Look(ORPHANED, None, Severity.SEVERE, "orphaned", "owner lost", "alert_orphaned"),
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
    batch = BATCH_BODY.format(clinic="[clinic]", base_url=settings.BASE_URL).replace(MANY, f"[number] {MANY.lower()}")
    subjects = {f"subject{level}": SUBJECT.format(urgency=URGENCY[level]) for level in Severity.values}
    return subjects | {
        "now": now,
        "latest_day": (now + FURTHEST_EAST).date(),
        "cause": look.cause,
        "severity": look.severity,
        "policy": policy,
        "minutes": DEFAULT_POLICIES[policy],
        "transfer_days": DEFAULT_POLICIES["transfer_answer_days"],
        "call_after": CALL_AFTER_DAYS,
        "step": look.step,
        "verb": look.verb,
        "audit": look.audit,
        "body": body,
        "batch": batch,
        "few": FEW,
        "roles": list(MAY["see_patients"]),
    }
