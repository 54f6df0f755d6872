"""What people are reminded of, each as a SELECT over the rows that make it true. Nothing here knows who is reached how.

Columns: treatment_id, clinic_id, patient_id, about, kind, wish, anchor_day, on_day (null: as many days before it as
the person wished), at, until_day, until, said_day.
"""

from collections.abc import Mapping
from datetime import timedelta

SPAN = timedelta(days=40)
"""Due days further away than this need no reminder within a day."""

ON = """FROM monitoring_treatment t JOIN clinic ON clinic.id = t.clinic_id"""
ALONE = "t.merged_into_id IS NULL"
HEARD = """NOT EXISTS (
        -- Nobody is told off for a laboratory's silence (H24).
        SELECT 1 FROM monitoring_feed f JOIN monitoring_result latest ON latest.source = f.source
        WHERE f.clinic_id = t.clinic_id AND f.silent_from <= %(now)s
          AND latest.treatment_id = t.id AND latest.drawn_at = t.latest_draw_at)"""
NOT_DRAWN = "NOT EXISTS (SELECT 1 FROM monitoring_draw w WHERE w.treatment_id = t.id AND w.ended_at IS NULL)"
PLAN = """
    LEFT JOIN asked ON asked.clinic_id = t.clinic_id AND asked.due_on = t.due_on AND t.frequency <> ALL(%(every_day)s)
    -- A test that is booked in time is the one to remind of; one that is past or too late is not.
    LEFT JOIN monitoring_booking booked ON booked.treatment_id = t.id AND booked.ended_at IS NULL
        AND booked.day BETWEEN clinic.day AND t.overdue_after"""
PLANNED = "coalesce(booked.day, asked.asked_on, t.due_on)"
TEST = f"""
    SELECT t.id AS treatment_id, t.clinic_id, t.patient_id,
        'reminder:' || t.id || ':' || t.due_on || ':' || s.name AS about, s.kind, s.wish, a.day AS anchor_day,
        a.day + s.days AS on_day, s.at, a.day + s.until_days AS until_day, s.until, a.day AS said_day
    {ON} {PLAN}
    CROSS JOIN steps s
    CROSS JOIN LATERAL (SELECT CASE s.anchor WHEN 'late' THEN t.overdue_after ELSE {PLANNED} END AS day) a
    WHERE t.due_on BETWEEN %(first_due)s AND %(last_due)s AND {ALONE} AND {NOT_DRAWN}
        AND (s.close OR s.anchor = 'late' OR t.frequency <> ALL(%(every_day)s))
        AND a.day BETWEEN clinic.day - 9 AND clinic.day + 9 AND (s.anchor <> 'late' OR {HEARD})
"""  # constants of our own, here and below
COLLECT = f"""
    SELECT t.id, t.clinic_id, t.patient_id, 'reminder:' || t.id || ':' || a.id || ':collect', 'collect', 'tablets',
        clinic.day, (a.given_at AT TIME ZONE clinic.time_zone)::date, (a.given_at AT TIME ZONE clinic.time_zone)::time,
        (a.expires_at AT TIME ZONE clinic.time_zone)::date, (a.expires_at AT TIME ZONE clinic.time_zone)::time,
        clinic.day
    {ON}
    JOIN monitoring_authorisation a ON a.treatment_id = t.id AND a.revoked_at IS NULL AND a.basis_version = t.version
    WHERE {ALONE} AND a.given_at < %(collect_before)s AND a.expires_at > %(now)s
        AND NOT EXISTS (SELECT 1 FROM monitoring_dispense d WHERE d.authorisation_id = a.id)
"""  # noqa: S608  # constants of our own
TABLETS = f"""
    SELECT t.id, t.clinic_id, t.patient_id, 'reminder:' || t.id || ':' || t.tablets_until || ':tablets', 'tablets',
        'tablets', t.tablets_until, t.tablets_until - clinic.warning_days, time '10:00', t.tablets_until, time '18:00',
        t.tablets_until
    {ON}
    WHERE {ALONE} AND t.tablets_until BETWEEN clinic.day AND clinic.day + clinic.warning_days + 2
        -- Also whose treatment was stopped for good is told nothing of tablets.
        AND t.advice = 'continue' AND t.paused_since IS NULL
"""
MOVED = f"""
    SELECT t.id, t.clinic_id, t.patient_id, 'reminder:' || t.id || ':' || t.due_on || ':moved', 'moved', '',
        clinic.day, clinic.day, time '08:00', t.due_on, time '16:00', t.due_on
    {ON}
    WHERE t.due_on BETWEEN clinic.day AND %(last_due)s AND {ALONE} AND {NOT_DRAWN}
        -- The last judgement came of something else than a new result: an event, a correction, another protocol.
        AND EXISTS (
            SELECT 1 FROM monitoring_assessment a LEFT JOIN monitoring_result r ON r.id = a.result_id
            WHERE a.treatment_id = t.id AND a.version = t.version AND (r.id IS NULL OR r.version > 1)
        )
        -- They were told of another day, that day is still ahead, and no blood was drawn since.
        AND EXISTS (
            SELECT 1 FROM generate_series(clinic.day, clinic.day + 9, interval '1 day') AS old (day)
            JOIN notifications_delivery d ON d.about = ANY(ARRAY[
                'reminder:' || t.id || ':' || old.day::date || ':early',
                'reminder:' || t.id || ':' || old.day::date || ':evening'])
            WHERE old.day::date <> t.due_on AND d.sent_at > coalesce(t.latest_draw_at, '-infinity')
        )
"""  # noqa: S608  # constants of our own
REPLANNED = f"""
    SELECT t.id, t.clinic_id, t.patient_id, 'reminder:' || t.id || ':' || n.day || ':moved', 'moved', '',
        clinic.day, clinic.day, time '08:00', n.day, time '16:00', n.day
    {ON} {PLAN}
    CROSS JOIN LATERAL (SELECT {PLANNED} AS day) n
    CROSS JOIN LATERAL (
        -- The day of which they were told last.
        SELECT told.day FROM (
            SELECT d.sent_at, coalesce(
                (SELECT o.day FROM monitoring_booking o WHERE o.treatment_id = t.id AND o.booked_at <= d.sent_at
                    AND (o.ended_at IS NULL OR o.ended_at > d.sent_at)
                    AND o.day BETWEEN (d.sent_at AT TIME ZONE clinic.time_zone)::date AND t.overdue_after
                 ORDER BY o.id DESC LIMIT 1),
                CASE WHEN NOT EXISTS (
                    SELECT 1 FROM patients_closedday c WHERE c.clinic_id = t.clinic_id AND c.ended_at IS NULL
                        AND c.recorded_at > d.sent_at AND c.day > asked.asked_on AND c.day <= t.due_on
                ) THEN asked.asked_on END,
                t.due_on) AS day
            FROM notifications_delivery d
            WHERE d.about = ANY(ARRAY[
                    'reminder:' || t.id || ':' || t.due_on || ':early',
                    'reminder:' || t.id || ':' || t.due_on || ':evening'])
                AND d.sent_at > coalesce(t.latest_draw_at, '-infinity')
            UNION ALL
            SELECT d.sent_at, other.day::date
            FROM generate_series(clinic.day, clinic.day + 9, interval '1 day') AS other (day)
            JOIN notifications_delivery d ON d.about = 'reminder:' || t.id || ':' || other.day::date || ':moved'
                AND d.sent_at > coalesce(t.latest_draw_at, '-infinity')
        ) told ORDER BY told.sent_at DESC LIMIT 1
    ) was
    WHERE t.due_on BETWEEN clinic.day - 9 AND %(last_due)s AND n.day >= clinic.day AND {ALONE} AND {NOT_DRAWN}
        AND was.day <> n.day
        -- Few days move: who has no booking and no closed day of late need not be looked at.
        AND (EXISTS (
            SELECT 1 FROM monitoring_booking o WHERE o.treatment_id = t.id
                AND (o.booked_at > %(now)s - interval '14 days' OR o.ended_at > %(now)s - interval '14 days')
        ) OR EXISTS (
            SELECT 1 FROM patients_closedday c WHERE c.clinic_id = t.clinic_id AND c.ended_at IS NULL
                AND c.recorded_at > %(now)s - interval '14 days' AND c.day BETWEEN n.day AND t.due_on
        ))
"""  # noqa: S608  # constants of our own
CONFIRM = """
    SELECT t.id, t.clinic_id, t.patient_id, 'reminder:' || t.id || ':' || k.confirmed_at::date || ':confirm', 'confirm',
        '', clinic.day, (k.confirmed_at AT TIME ZONE clinic.time_zone)::date + 168, time '10:00',
        (k.confirmed_at AT TIME ZONE clinic.time_zone)::date + 181, time '20:00', clinic.day
    FROM monitoring_treatment t JOIN clinic ON clinic.id = t.clinic_id
    JOIN patients_reachable k ON k.patient_id = t.patient_id AND k.carer_id IS NULL
    WHERE t.merged_into_id IS NULL AND k.confirmed_at < %(confirm_from)s
"""

BY_KIND: Mapping[str, str] = {
    "test": TEST,
    "collect": COLLECT,
    "tablets": TABLETS,
    "moved": f"{MOVED}    UNION ALL{REPLANNED}",
    "confirm": CONFIRM,
}
OBLIGATIONS = "\n    UNION ALL\n".join(BY_KIND.values())
