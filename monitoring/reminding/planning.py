"""Planning reminders: one statement finds everybody who is to be told something, and writes, mends and takes back rows.

Set-based and idempotent. A row's `once` is the person, the thing, the step and the channel, so nothing is told twice;
a row that became untrue before it was handed over is withdrawn, and revived when it is true again.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from monitoring.models.treatment import EVERY_DAY
from monitoring.reminding.dues import OBLIGATIONS, SPAN
from monitoring.reminding.outbox import WAITING, columns
from monitoring.reminding.words import own_wordings, texts
from monitoring.rules.reminders import STEPS, TESTS
from monitoring.unreached import CHANNELS
from monitoring.worklist import draw_by
from notifications.actions import beat
from notifications.bounces import bounced_twice
from patients.closed_days import closed_days_of
from patients.models import DEFAULT_POLICIES, Clinic
from patients.reaching import CONFIRMED_FOR, Language

LOCK = 0x72656D69
"""The advisory lock's number."""
LONGEST_CLOSED = timedelta(days=30)
"""A clinic that is closed for longer has other worries than reminders."""
AHEAD = timedelta(hours=24)
"""Rows are written so long before they are due: whoever delivers needs no planner for a day."""

AT = """(
            -- Within the hours that the person chose, on the same day of their own.
            {day} + least(greatest({at}, {awake_from}), {awake_until} - interval '15 minutes')
        ) AT TIME ZONE {zone}"""
SEND_AT = AT.format(
    day="coalesce(o.on_day, o.anchor_day - r.days_before)", at="o.at", awake_from="r.awake_from",
    awake_until="r.awake_until", zone="r.time_zone",
)  # fmt: skip

CANDIDATES = f"""
WITH steps AS (
    SELECT * FROM jsonb_to_recordset(%(steps)s) AS s (
        name text, kind text, anchor text, days int, at time, until_days int, until time, wish text, close boolean)
), asked AS (
    SELECT * FROM unnest(%(clinics)s::bigint[], %(dues)s::date[], %(asked)s::date[]) AS a (clinic_id, due_on, asked_on)
), clinic AS (
    SELECT c.id, coalesce(nullif(f.phone, ''), '') AS phone, (%(now)s AT TIME ZONE c.time_zone)::date AS day,
        c.time_zone, coalesce((c.policies->>'tablets_warning_days')::int, %(warning)s) AS warning_days
    FROM patients_clinic c LEFT JOIN patients_frontdesk f ON f.clinic_id = c.id
), obligations (
    treatment_id, clinic_id, patient_id, about, kind, wish, anchor_day, on_day, at, until_day, until, said_day
) AS ({{obligations}}
), timed AS (
    SELECT o.*, r.carer_id, r.channel, r.address, r.language, r.time_zone, r.awake_from, r.awake_until,
        {SEND_AT} AS send_at,
        (o.until_day + o.until) AT TIME ZONE r.time_zone AS until_at
    FROM obligations o
    JOIN patients_reachable r ON r.patient_id = o.patient_id AND r.confirmed_at > %(confirmed_after)s
    WHERE (r.carer_id IS NULL OR o.kind = ANY(%(for_carers)s)) AND r.address <> ALL(%(bounced)s)
        AND CASE o.wish WHEN 'before_test' THEN r.before_test WHEN 'evening_before' THEN r.evening_before
            WHEN 'on_the_day' THEN r.on_the_day WHEN 'when_missed' THEN r.when_missed WHEN 'tablets' THEN r.tablets
            ELSE true END
        {{only}}
), wanted AS (
    SELECT DISTINCT ON (about, channel, carer_id) about || ':' || channel || ':' || coalesce(carer_id, 0) AS once, *
    FROM timed WHERE send_at <= %(now)s + %(ahead)s AND until_at > %(now)s
    ORDER BY about, channel, carer_id
)
"""  # noqa: S608  # constants of our own
PLAN = f"""{CANDIDATES}, worded AS (
    SELECT w.once, w.channel, w.address, w.about, w.clinic_id, w.send_at, d.subject,
        replace(replace(coalesce(own.body, d.body), '[phone]', coalesce(nullif(clinic.phone, ''), d.called)),
            '[day]', d.weekdays->>(extract(isodow FROM w.said_day)::int - 1)) || ' ' || (d.feet->>w.channel) AS body
    FROM wanted w
    JOIN clinic ON clinic.id = w.clinic_id
    JOIN jsonb_to_recordset(%(texts)s) AS d (
        kind text, language text, body text, subject text, called text, weekdays jsonb, feet jsonb
    ) ON d.kind = w.kind AND d.language = w.language
    LEFT JOIN jsonb_to_recordset(%(own)s) AS own (clinic_id bigint, kind text, language text, body text)
        ON own.clinic_id = w.clinic_id AND own.kind = w.kind AND own.language = w.language
), changed AS (
    SELECT worded.* FROM worded LEFT JOIN notifications_delivery d ON d.once = worded.once
    WHERE d.id IS NULL OR ({{withdrawn}}) OR ({{untouched}} AND (d.address <> worded.address OR d.body <> worded.body
        OR (d.due_at <> worded.send_at AND worded.send_at > %(now)s)))
), owed AS (
    INSERT INTO notifications_delivery AS d (once, channel, address, subject, body, about, clinic_id, created_at,
        due_at, attempts, last_error, {{names}})
    SELECT once, channel, address, CASE channel WHEN 'sms' THEN '' ELSE subject END, body, about, clinic_id, %(now)s,
        send_at, 0, '', {{values}}
    FROM changed
    ON CONFLICT (once) DO UPDATE SET address = excluded.address, body = excluded.body, subject = excluded.subject,
        due_at = excluded.due_at, dead_at = NULL, last_error = ''
    WHERE ({{withdrawn}}) OR ({{untouched}})
    RETURNING d.id
), untrue AS (
    UPDATE notifications_delivery d SET dead_at = %(now)s, last_error = 'withdrawn', leased_until = NULL
    WHERE {{untouched}} AND d.about LIKE 'reminder:%%' AND NOT EXISTS (SELECT 1 FROM wanted WHERE wanted.once = d.once)
    RETURNING d.id
)
SELECT (SELECT count(*) FROM owed), (SELECT count(*) FROM untrue)
"""  # noqa: S608  # constants of our own
ONE = f"{CANDIDATES} SELECT w.patient_id, w.carer_id, w.address, w.send_at, w.until_at, w.time_zone, w.awake_from, w.awake_until FROM wanted w WHERE w.once = %(once)s"  # noqa: E501, S608  # constants of our own


def plan(*, now: datetime) -> tuple[int, int] | None:
    """Write what is to be sent within a day, take back what became untrue; how many. None while another plans."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        # The planner of PostgreSQL cannot know how many obligations there are: it must not try them one by one.
        # The joins stand in the order that is good; to weigh the others takes longer than the plan of a small clinic.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL jit = off; SET LOCAL join_collapse_limit = 1")
        names, values = columns()
        sql = PLAN.format(only="", obligations=OBLIGATIONS, names=names, values=values, **WAITING)
        cursor.execute(sql, facts(now=now) | _texts())
        found: tuple[int, int] = cursor.fetchone()
        beat("reminders", now=now)
        return found


def facts(*, now: datetime, clinics: list[int] | None = None, address: str = "") -> dict[str, Any]:
    """The parameters of `CANDIDATES`; for a look at one message, those of its clinic and its address."""
    rows = Clinic.objects.only("pk", "time_zone")
    closed = _closed(list(rows if clinics is None else rows.filter(pk__in=clinics)), now)
    return {
        "now": now,
        "ahead": AHEAD,
        "confirmed_after": now - CONFIRMED_FOR,
        "steps": Jsonb([_as_json(step) for step in STEPS]),
        "every_day": list(EVERY_DAY),
        "for_carers": [*TESTS, "confirm"],
        "bounced": [dead for channel in CHANNELS for dead in bounced_twice(channel, address=address)],
        "warning": DEFAULT_POLICIES["tablets_warning_days"],
        "confirm_from": now - CONFIRMED_FOR + timedelta(days=14),
        "first_due": now.date() - SPAN,
        "last_due": now.date() + SPAN,
        "collect_before": now - timedelta(hours=2),
        "clinics": [clinic for clinic, _, _ in closed],
        "dues": [due for _, due, _ in closed],
        "asked": [asked for _, _, asked in closed],
    }


def _closed(clinics: list[Clinic], now: datetime) -> list[tuple[int, date, date]]:
    """Days on which a clinic draws no blood, each with the earlier one that is proposed instead (H22)."""
    first = now.date() - SPAN
    days = [first + timedelta(days=ahead) for ahead in range(2 * SPAN.days + 1)]
    closed = closed_days_of(clinics, since=first - LONGEST_CLOSED, until=days[-1])
    return [
        (clinic.pk, day, asked)
        for clinic in clinics
        for day in days
        if (asked := draw_by(day, "weekly", closed[clinic.pk])) != day
    ]


def asked_on(clinic: Clinic, due_on: date, frequency: str = "weekly") -> date:
    """The open day on which the test is asked for: the due day or one before it, never later."""
    closed = closed_days_of([clinic], since=due_on - LONGEST_CLOSED, until=due_on)
    return draw_by(due_on, frequency, closed[clinic.pk])


def _as_json(step: Any) -> Mapping[str, Any]:
    return {
        "name": step.name, "kind": step.kind, "anchor": step.anchor, "days": step.days, "at": f"{step.at}",
        "until_days": step.until_days, "until": f"{step.until}", "wish": step.wish, "close": step.close,
    }  # fmt: skip


def _texts() -> dict[str, Jsonb]:
    known = [texts(language) for language in Language.values]
    words = [
        {"kind": kind, "language": one.language, "body": body, "subject": one.subject, "called": one.called,
         "weekdays": one.weekdays, "feet": one.feet}
        for one in known for kind, body in one.bodies.items()
    ]  # fmt: skip
    own = [
        {"clinic_id": clinic, "kind": kind, "language": language, "body": body}
        for (clinic, kind, language), body in own_wordings().items()
        if body
    ]
    return {"texts": Jsonb(words), "own": Jsonb(own)}
