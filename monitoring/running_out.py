"""Whose tablets run out while nothing is on its way: asked when a page is read, and by the sweep for everybody at once.

On treatment, the tablets handed over end within the clinic's days of warning, and the next test falls due by the day
on which the gap begins. Blood drawn lately and a test that is booked by that day answer it; a test that is in time
needs no booking. Once the gap has begun only tablets answer it.
"""

from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q

from monitoring.models import Booking, Draw
from monitoring.rules.protocols import PROTOCOLS
from patients.models import DEFAULT_POLICIES, Clinic

WARNING = "tablets_warning_days"
BLOOD_DAYS = 3
"""Blood drawn longer ago whose result is not here is likely lost: it no longer answers anything."""
OVER = max(protocol.breaks.as_new_days for protocol in PROTOCOLS.values())
"""Gaps older than this are no longer listed: a restart is as new by then, and an open alert still stands."""
NEXT_DAY = timedelta(days=1)

NO_TABLETS = "((t.tablets_until + 1 + time '12:00') AT TIME ZONE today.time_zone)"
"""The gap has begun at noon of its first day: whoever collects in the morning raises nothing."""

TODAY = f"""
    SELECT id, time_zone, (%(now)s AT TIME ZONE time_zone)::date AS day,
           coalesce((policies->>'{WARNING}')::int, {DEFAULT_POLICIES[WARNING]}) AS ahead
    FROM patients_clinic
"""  # noqa: S608  # constants of this file, here and below

RUNS_OUT = f"""
    SELECT NULL::bigint AS alert_id, t.id AS treatment_id, t.clinic_id, t.clinician_id AS owner_id,
        t.clinician_id AS deputy_of, %(cause)s AS cause,
        CASE WHEN {NO_TABLETS} <= %(now)s THEN %(severity)s - 1 ELSE %(severity)s END AS severity, 0 AS from_step,
        %(now)s AS due_at, {NO_TABLETS} AS deadline,
        CASE WHEN {NO_TABLETS} <= %(now)s THEN 'No tablets since ' || t.tablets_until + 1 || '.'
            ELSE 'The tablets reach until ' || t.tablets_until || ' and no blood test is booked.' END AS summary
    FROM monitoring_treatment t JOIN ({TODAY}) today ON today.id = t.clinic_id
        AND t.tablets_until BETWEEN today.day - {OVER} AND today.day + today.ahead
    WHERE t.advice = 'continue' AND ({NO_TABLETS} <= %(now)s OR t.due_on <= t.tablets_until + 1)
    AND NOT EXISTS (
        SELECT 1 FROM monitoring_booking b
        WHERE b.treatment_id = t.id AND b.ended_at IS NULL AND b.day BETWEEN today.day AND t.tablets_until + 1
    ) AND NOT EXISTS (
        SELECT 1 FROM monitoring_draw d
        WHERE d.treatment_id = t.id AND d.ended_at IS NULL AND d.drawn_at >= ((today.day
            - CASE WHEN {NO_TABLETS} <= %(now)s THEN 0 ELSE {BLOOD_DAYS} END)::timestamp AT TIME ZONE today.time_zone)
    ) AND NOT EXISTS (
        -- Open; or answered by a person for this very gap, which is told once more when it begins.
        SELECT 1 FROM monitoring_alert a
        WHERE a.treatment_id = t.id AND a.cause = %(cause)s AND (a.resolved_at IS NULL OR (
            a.resolved_by_id IS NOT NULL AND a.deadline = {NO_TABLETS}
            AND (a.severity < %(severity)s OR {NO_TABLETS} > %(now)s)))
    )
    FOR KEY SHARE OF t SKIP LOCKED
"""  # noqa: S608  # constants of this file

GAP_BEGAN = """
    SELECT a.id AS alert_id, a.treatment_id, a.clinic_id, a.owner_id, coalesce(a.owner_id, t.clinician_id) AS deputy_of,
        a.cause, %(severity)s AS severity, 0 AS from_step, %(now)s AS due_at,
        'No tablets since ' || (a.deadline AT TIME ZONE c.time_zone)::date || '.' AS summary
    FROM monitoring_alert a
    JOIN monitoring_treatment t ON t.id = a.treatment_id
    JOIN patients_clinic c ON c.id = a.clinic_id
    WHERE a.cause = %(cause)s AND a.resolved_at IS NULL AND a.deadline <= %(now)s AND a.severity > %(severity)s
    FOR NO KEY UPDATE OF a SKIP LOCKED
"""


def running_out(day: date, clinic: Clinic) -> Q:
    """The same of treatments of one clinic, on a day of its calendar: what the worklist shows."""
    last = day + timedelta(days=clinic.policy(WARNING))
    begins = F("tablets_until") + NEXT_DAY
    lately = datetime.combine(day - timedelta(days=BLOOD_DAYS), time(), clinic.zone)
    booked = Booking.objects.filter(
        treatment=OuterRef("pk"), ended_at=None, day__gte=day, day__lte=OuterRef("tablets_until") + NEXT_DAY
    )
    drawn = Draw.objects.filter(treatment=OuterRef("pk"), ended_at=None, drawn_at__gte=lately)
    coming = Q(tablets_until__gte=day, due_on__lte=begins) & ~Exists(booked) & ~Exists(drawn)
    near = Q(advice="continue", tablets_until__gte=day - timedelta(days=OVER), tablets_until__lte=last)
    return near & (Q(tablets_until__lt=day) | coming)
