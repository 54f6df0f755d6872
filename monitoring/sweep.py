"""What time alone makes true: tests overdue, repeats owed, alerts whose owner is lost or that nobody answered.

Set-based, in one transaction under an advisory lock, so that two schedulers equal one. It only notifies: what is
overdue is computed when it is read, and no treatment is changed here. Many alerts for one address, none of
them severe, are one message.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from monitoring.alerts import BATCH_BODY, BATCH_SHORT, BODY, MANY, SHORT, SUBJECT, URGENCY
from monitoring.digest import owe_digests
from monitoring.feed_health import DRAWN_LATELY, listen
from monitoring.looks import LOOKS, Look
from monitoring.rules.limits import LIMITS_WARNING_DAYS
from monitoring.rules.reminders import CALL_AFTER_DAYS
from monitoring.telling import PEOPLE, WHO, parameters
from notifications.actions import beat
from patients.models import DEFAULT_POLICIES

FURTHEST_EAST = timedelta(hours=15)
"""No zone of the world is further ahead of UTC: nowhere is it a later day."""
LOCK = 0x636C6F7A
"""The advisory lock's number."""

FEW = 3
"""So many alerts for one address are told one by one; more of them at once, none severe, are one message."""

TELL = """, addressed AS (
    SELECT d.id, d.clinic_id, d.severity, d.name, d.due_at, d.step, way.channel, way.address,
        CASE WHEN %(verb)s = 'escalated' THEN (%(steps)s::text[])[d.step + 1] ELSE %(step)s END AS word,
        CASE way.channel WHEN 'email' THEN way.address -- as monitoring.alerts.key_of says it
            ELSE way.channel || ':' || left(encode(sha256(convert_to(way.address, 'UTF8')), 'hex'), 24) END AS key,
        d.severity > 1 AND count(*) FILTER (WHERE d.severity > 1)
            OVER (PARTITION BY d.clinic_id, d.step, way.channel, way.address) > %(few)s AS together
    FROM done d
    CROSS JOIN LATERAL (
        SELECT w.channel, w.address FROM monitoring_reach w WHERE w.staff_id = d.staff_id AND w.severity = d.severity
        UNION ALL
        -- As `monitoring.actions.alerting` says it: whoever is asked in the owner's place is told in any case.
        SELECT 'email', d.address WHERE d.staff_id IS NULL OR (d.step > 0 AND NOT EXISTS (
            SELECT 1 FROM monitoring_reach w WHERE w.staff_id = d.staff_id AND w.severity = d.severity))
    ) way
), messages AS (
    SELECT 'alert:' || id || ':' || word || ':' || due_at || ':' || key AS once, channel, address, severity,
        replace(replace(CASE channel WHEN 'email' THEN %(body)s ELSE %(short)s END, '[clinic]', name),
            '[alert]', id::text) AS body,
        '/alerts/' || id || '/' AS path, 'alert:' || id AS about, clinic_id
    FROM addressed WHERE NOT together
    UNION ALL
    SELECT 'sweep:' || word || ':' || %(now)s || ':' || clinic_id || ':' || md5(key), channel, address,
        min(severity), replace(replace(CASE channel WHEN 'email' THEN %(batch)s ELSE %(batch_short)s END,
            '[clinic]', name), '[number]', count(*)::text),
        '/alerts/', 'sweep:' || word, clinic_id
    FROM addressed WHERE together GROUP BY clinic_id, name, channel, address, key, word
), told AS (
    INSERT INTO notifications_delivery (once, channel, address, subject, body, path, about, clinic_id, priority,
        created_at, due_at, attempts, last_error)
    SELECT once, channel, address, u.subject, replace(body, '[urgency]', u.urgency), path, about, clinic_id, severity,
        %(now)s, %(now)s, 0, ''
    FROM messages
    JOIN unnest(%(severities)s::int[], %(subjects)s::text[], %(urgencies)s::text[]) AS u (level, subject, urgency)
        ON u.level = messages.severity
    ON CONFLICT (once) DO NOTHING
), noted AS (
    INSERT INTO monitoring_alertnote (alert_id, at, verb, text, severity)
    SELECT id, %(now)s, %(verb)s,
        summary || CASE WHEN from_step > 0 OR step > 0 THEN ' ' || (%(told)s::text[])[step + 1] ELSE '' END, severity
    FROM done
), audited AS (
    INSERT INTO patients_auditevent (at, verb, clinic_id, patient_id, subject, detail)
    SELECT %(now)s, %(audit)s, d.clinic_id, t.patient_id, 'alert:' || d.id,
        CASE WHEN d.step > 0 THEN jsonb_build_object('step', d.step) ELSE '{}' END
    FROM done d JOIN monitoring_treatment t ON t.id = d.treatment_id
)
SELECT count(*) FROM done"""
STEPS = ("owner", "deputy", "on_call", "alarm")
"""How the steps are called in the keys of messages."""
TOLD = (
    "The owner is told.",
    "The deputy is told.",
    "On-call is told.",
    "The clinic's alarm stands until somebody answers.",
)


def sweep(*, now: datetime) -> dict[str, int] | None:
    """Ask every question once; how many alerts each one touched. None when another sweep is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        found = {"silent": listen(now=now)}
        common = _common(now)
        for look in LOOKS:
            sql = f"WITH {PEOPLE}, wanted AS ({look.wanted}){WHO}{look.write}{TELL}"
            cursor.execute(sql, common | _of(look))
            found[look.step] = cursor.fetchone()[0]
        found["morning"] = owe_digests(now=now)
        beat("sweep", now=now)
        return found


def _of(look: Look) -> dict[str, Any]:
    return {"cause": look.cause, "severity": look.severity, "step": look.step, "verb": look.verb, "audit": look.audit}


def _common(now: datetime) -> dict[str, Any]:
    body = BODY.format(clinic="[clinic]", base_url=settings.BASE_URL, alert_id="[alert]")
    short = SHORT.format(urgency="[urgency]", base_url=settings.BASE_URL, alert_id="[alert]")
    batch, batch_short = (
        words.format(clinic="[clinic]", base_url=settings.BASE_URL).replace(MANY, f"[number] {MANY.lower()}")
        for words in (BATCH_BODY, BATCH_SHORT)
    )
    return parameters(now) | {
        "severities": list(URGENCY),
        "subjects": [SUBJECT.format(urgency=urgency) for urgency in URGENCY.values()],
        "urgencies": list(URGENCY.values()),
        "latest_day": (now + FURTHEST_EAST).date(),
        "transfer_days": DEFAULT_POLICIES["transfer_answer_days"],
        "body": body,
        "short": short,
        "batch": batch,
        "batch_short": batch_short,
        "drawn_lately": DRAWN_LATELY,
        "few": FEW,
        "call_after": CALL_AFTER_DAYS,
        "limits_warning": LIMITS_WARNING_DAYS,
        "steps": list(STEPS),
        "told": list(TOLD),
    }
