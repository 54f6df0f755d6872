"""The questions that the sweep asks, and what becomes of the alerts that answer them.

Each question yields rows for `monitoring.telling`, which adds who is told of them at which step. Alerts and
treatments that somebody holds at the moment are left to the next look.
"""

from typing import NamedTuple

from monitoring.feed_health import SILENT
from monitoring.models import Cause, Severity
from monitoring.running_out import GAP_BEGAN, RUNS_OUT

RAISED = """, raised AS (
    INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at,
        worsened_at, step, escalate_at, deadline, outcome)
    SELECT treatment_id, clinic_id, cause, severity, summary, owner_now, %(now)s, %(now)s, step, next_at, deadline, ''
    FROM who
    ON CONFLICT DO NOTHING
    RETURNING id, treatment_id, cause
), new AS MATERIALIZED (
    SELECT raised.* FROM raised CROSS JOIN jsonb_array_elements('[0]') AS many -- as in WHO
), done AS (
    SELECT new.id, who.* FROM new JOIN who ON who.treatment_id = new.treatment_id AND who.cause = new.cause
)"""
"""Each of `who` becomes a new alert, unless one of its cause stands already."""

CHANGED = """, done AS (
    UPDATE monitoring_alert a SET step = who.step, [columns]
    FROM who WHERE a.id = who.alert_id
    RETURNING a.id, who.*
)"""
"""Each of `who` is an alert already, whose row `wanted` has locked."""

OVERDUE = (
    """
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause, %(severity)s AS severity, 0 AS from_step,
        %(now)s AS due_at, NULL::timestamptz AS deadline,
        CASE WHEN silent.name IS NULL THEN 'The blood test is overdue: it was in time until ' || t.overdue_after || '.'
            ELSE 'No result after ' || t.overdue_after || ', and no data from ' || silent.name || ' since '
                || (silent.last_at AT TIME ZONE today.time_zone)::date || ': ask whether blood was drawn.'
        END AS summary
    FROM monitoring_treatment t
    JOIN (SELECT id, time_zone, (%(now)s AT TIME ZONE time_zone)::date AS day FROM patients_clinic) today
        ON today.id = t.clinic_id AND t.overdue_after < today.day"""  # noqa: S608  # constants of our own
    + SILENT
    + """
    -- Says nothing that the clinic's own day does not say; but of a constant the planner knows how few they are.
    WHERE t.overdue_after < %(latest_day)s AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at > t.assessed_at)
    ) AND NOT EXISTS (SELECT 1 FROM monitoring_merge g WHERE g.merged_id = t.id AND g.undone_at IS NULL)
    -- Blood is drawn and the laboratory silent: the result is late, not the test. It stays on the worklist.
    AND (silent.name IS NULL OR NOT EXISTS (
        SELECT 1 FROM monitoring_draw d
        WHERE d.treatment_id = t.id AND d.ended_at IS NULL AND d.drawn_at > %(now)s - %(drawn_lately)s
    ))
    FOR KEY SHARE OF t SKIP LOCKED -- one that is being moved is read after its move, at the next look
"""
)

REPEAT_LATE = """
    SELECT a.id AS alert_id, a.treatment_id, a.clinic_id, a.owner_id, coalesce(a.owner_id, t.clinician_id) AS deputy_of,
        a.cause, %(severity)s AS severity, 0 AS from_step, %(now)s AS due_at,
        'The repeat count that was due within 24 hours has not come.' AS summary
    FROM monitoring_alert a JOIN monitoring_treatment t ON t.id = a.treatment_id
    WHERE a.cause = %(cause)s AND a.resolved_at IS NULL AND a.deadline < %(now)s AND a.worsened_at <= a.deadline
    FOR NO KEY UPDATE OF a SKIP LOCKED
"""

TRANSFER_LATE = """
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause, %(severity)s AS severity, 0 AS from_step,
        %(now)s AS due_at, NULL::timestamptz AS deadline,
        receiver.name || ' has not answered the transfer asked for on '
            || (move.requested_at AT TIME ZONE c.time_zone)::date || '.' AS summary
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
"""

REVIEW_DUE = """
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause, %(severity)s AS severity, 0 AS from_step,
        %(now)s AS due_at, NULL::timestamptz AS deadline,
        'The entry in the non-rechallenge register was to be looked at again on ' || entry.review_on
            || ': keep it until another day, or lift it.' AS summary
    FROM monitoring_nonrechallenge entry
    JOIN monitoring_treatment t ON t.id = entry.treatment_id
    JOIN patients_clinic c ON c.id = t.clinic_id
    WHERE entry.ended_at IS NULL AND entry.review_on <= (%(now)s AT TIME ZONE c.time_zone)::date
      AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR (a.raised_at AT TIME ZONE c.time_zone)::date >= entry.review_on)
    )
    FOR KEY SHARE OF t SKIP LOCKED
"""

LIMITS_END = """
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause, %(severity)s AS severity, 0 AS from_step,
        %(now)s AS due_at, NULL::timestamptz AS deadline,
        'The limits agreed for this patient end with ' || agreed.until
            || ': agree them again, or plan for the protocol''s own.' AS summary
    FROM monitoring_agreedlimits agreed
    JOIN monitoring_treatment t ON t.id = agreed.treatment_id
    JOIN patients_clinic c ON c.id = t.clinic_id
    WHERE agreed.ended_at IS NULL AND (%(now)s AT TIME ZONE c.time_zone)::date
        BETWEEN agreed.until - %(limits_warning)s AND agreed.until
      AND t.merged_into_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at >= agreed.agreed_at)
    )
    FOR KEY SHARE OF t SKIP LOCKED
"""

CALL = (
    """
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause, %(severity)s AS severity, 0 AS from_step,
        %(now)s AS due_at, NULL::timestamptz AS deadline,
        'Reminders brought no blood test, in time until ' || t.overdue_after || ': call the patient, kindly.' AS summary
    FROM monitoring_treatment t
    JOIN (SELECT id, (%(now)s AT TIME ZONE time_zone)::date AS day FROM patients_clinic) today
        ON today.id = t.clinic_id AND t.overdue_after <= today.day - %(call_after)s"""  # noqa: S608  # constants of our own
    + SILENT
    + """
    WHERE t.overdue_after < %(latest_day)s AND t.merged_into_id IS NULL AND silent.name IS NULL
      -- Whoever once agreed to reminders counts on them, also where none can be sent any more.
      AND EXISTS (SELECT 1 FROM patients_consent c WHERE c.patient_id = t.patient_id AND c.carer_id IS NULL AND c.given)
      AND NOT EXISTS (SELECT 1 FROM monitoring_draw d WHERE d.treatment_id = t.id AND d.ended_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s
          AND (a.resolved_at IS NULL OR a.raised_at > t.assessed_at)
    )
    FOR KEY SHARE OF t SKIP LOCKED
"""
)

LOST = """
    -- The owner has left, cannot be written to, or is away: whoever covers owns it now, or the next step is taken.
    SELECT a.id AS alert_id, a.treatment_id, a.clinic_id, a.owner_id, a.owner_id AS deputy_of, a.cause, a.severity,
        0 AS from_step, %(now)s AS due_at,
        CASE WHEN here.id IS NULL THEN 'The owner can no longer be reached.' ELSE 'The owner is away.' END AS summary
    FROM monitoring_alert a LEFT JOIN at_work here ON here.id = a.owner_id AND here.clinic_id = a.clinic_id
    WHERE a.resolved_at IS NULL AND a.owner_id IS NOT NULL AND here.away IS NOT FALSE
    FOR NO KEY UPDATE OF a SKIP LOCKED
"""

RETURNED = """
    SELECT a.id AS alert_id, a.treatment_id, a.clinic_id, a.owner_id, coalesce(a.owner_id, t.clinician_id) AS deputy_of,
        a.cause, a.severity, 0 AS from_step, %(now)s AS due_at,
        'Acknowledged, and not resolved: it waits for an answer again.' AS summary
    FROM monitoring_alert a JOIN monitoring_treatment t ON t.id = a.treatment_id
    WHERE a.resolved_at IS NULL AND a.acknowledged_at IS NOT NULL AND a.escalate_at <= %(now)s
    FOR NO KEY UPDATE OF a SKIP LOCKED
"""

UNANSWERED = """
    SELECT a.id AS alert_id, a.treatment_id, a.clinic_id, a.owner_id, coalesce(a.owner_id, t.clinician_id) AS deputy_of,
        a.cause, a.severity, a.step + 1 AS from_step, a.escalate_at AS due_at, 'Nobody answered in time.' AS summary
    FROM monitoring_alert a JOIN monitoring_treatment t ON t.id = a.treatment_id
    WHERE a.resolved_at IS NULL AND a.acknowledged_at IS NULL AND a.step < 3 AND a.escalate_at <= %(now)s
    FOR NO KEY UPDATE OF a SKIP LOCKED
"""

NEXT = "escalate_at = who.next_at"
ANSWER_AGAIN = f"{NEXT}, acknowledged_at = NULL, acknowledged_by_id = NULL, escalated_at = NULL"
KEPT = "a.acknowledged_by_id IS DISTINCT FROM who.owner_id AND a.acknowledged_at IS NOT NULL"
"""Somebody else than the lost owner is on it and stays so."""
NEW_OWNER = f"""owner_id = who.owner_now, escalated_at = NULL,
        escalate_at = CASE WHEN {KEPT} THEN a.escalate_at ELSE who.next_at END,
        acknowledged_at = CASE WHEN {KEPT} THEN a.acknowledged_at END,
        acknowledged_by_id = CASE WHEN {KEPT} THEN a.acknowledged_by_id END"""


class Look(NamedTuple):
    """One question that the sweep asks, what becomes of its answers, and how they are told."""

    wanted: str
    write: str
    cause: Cause | None
    severity: Severity | None
    step: str
    verb: str
    audit: str


def _changing(columns: str) -> str:
    return CHANGED.replace("[columns]", columns)


WORSE = f"severity = who.severity, worsened_at = %(now)s, summary = who.summary, {ANSWER_AGAIN}"
LOOKS = (
    Look(OVERDUE, RAISED, Cause.TEST_OVERDUE, Severity.ROUTINE, "overdue", "raised", "alert_raised"),
    Look(REPEAT_LATE, _changing(WORSE), Cause.REPEAT_OWED, Severity.MODERATE, "late", "worsened", "alert_worsened"),
    Look(GAP_BEGAN, _changing(WORSE), Cause.SUPPLY_ENDS, Severity.MILD, "gap", "worsened", "alert_worsened"),
    Look(RUNS_OUT, RAISED, Cause.SUPPLY_ENDS, Severity.ROUTINE, "supply_ends", "raised", "alert_raised"),
    Look(TRANSFER_LATE, RAISED, Cause.TRANSFER, Severity.ROUTINE, "transfer_late", "raised", "alert_raised"),
    Look(REVIEW_DUE, RAISED, Cause.REGISTER_REVIEW, Severity.ROUTINE, "review_due", "raised", "alert_raised"),
    Look(LIMITS_END, RAISED, Cause.LIMITS_END, Severity.ROUTINE, "limits_end", "raised", "alert_raised"),
    Look(CALL, RAISED, Cause.CALL_PATIENT, Severity.MILD, "call", "raised", "alert_raised"),
    Look(LOST, _changing(NEW_OWNER), None, None, "orphaned", "owner lost", "alert_orphaned"),
    Look(RETURNED, _changing(ANSWER_AGAIN), None, None, "returned", "came back", "alert_returned"),
    Look(
        UNANSWERED,
        _changing(f"{NEXT}, escalated_at = %(now)s"),
        None,
        None,
        "escalated",
        "escalated",
        "alert_escalated",
    ),
)
