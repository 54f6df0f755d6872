"""Who is told of an alert at which step: the one place that says it, for the sweep and for whoever raises an alert.

The owner first, then the deputy, then whoever is on call, then the clinic's alarm. Somebody who is away is answered
for by their cover. A step at which nobody can be reached passes on to the next at once; the clinic's on-call address
can always be reached. The SQL here yields one row an alert: the step, the person where it is one, and the address.
"""

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from monitoring.alerts import CHAIN, FAMILY_BY_CAUSE, FAMILY_BY_SEVERITY
from monitoring.models import Step
from patients.access import MAY
from patients.models import DEFAULT_POLICIES

PEOPLE = """
at_work AS MATERIALIZED (
    -- Who can be written to and may see the patients of a clinic; and who covers for them while they are away.
    SELECT s.id, m.clinic_id, s.email, away.cover_id, away.id IS NOT NULL AS away
    FROM (
        SELECT DISTINCT staff_id, clinic_id FROM patients_membership
        WHERE active AND role = ANY(%(roles)s) AND (%(clinic)s::bigint IS NULL OR clinic_id = %(clinic)s)
    ) m
    JOIN patients_staff s ON s.id = m.staff_id AND s.is_active AND s.email <> ''
    JOIN patients_clinic c ON c.id = m.clinic_id
    LEFT JOIN patients_absence away ON away.staff_id = s.id AND away.clinic_id = c.id AND away.cancelled_at IS NULL
        AND (%(now)s AT TIME ZONE c.time_zone)::date BETWEEN away.first_day AND away.last_day
), answers AS MATERIALIZED (
    SELECT p.clinic_id, p.id AS for_id, coalesce(k.id, p.id) AS staff_id, coalesce(k.email, p.email) AS address
    FROM at_work p
    LEFT JOIN at_work k ON k.clinic_id = p.clinic_id AND k.id = p.cover_id AND p.away AND NOT k.away
    WHERE NOT p.away OR k.id IS NOT NULL
), deputies AS MATERIALIZED (
    SELECT d.clinic_id, d.staff_id AS for_id, a.staff_id, a.address
    FROM patients_deputy d JOIN answers a ON a.clinic_id = d.clinic_id AND a.for_id = d.deputy_id
), on_call AS MATERIALIZED (
    SELECT s.clinic_id, a.staff_id, a.address
    FROM patients_shift s JOIN answers a ON a.clinic_id = s.clinic_id AND a.for_id = s.staff_id
    WHERE s.cancelled_at IS NULL AND s.starts_at <= %(now)s AND s.ends_at > %(now)s
)"""

WHO = """
, ladder AS MATERIALIZED (
    SELECT c.id AS clinic_id, v.family, v.step, max(coalesce((c.policies->>v.policy)::int, v.minutes))
        OVER (PARTITION BY c.id, v.family ORDER BY v.step) AS minutes
    FROM patients_clinic c, jsonb_to_recordset(%(ladder)s) AS v(family text, step int, policy text, minutes int)
    WHERE %(clinic)s::bigint IS NULL OR c.id = %(clinic)s
), candidates AS (
    SELECT w.*, c.name, c.on_call_email, owner.staff_id AS owner_staff, owner.address AS owner_address,
        coalesce(own.staff_id, usual.staff_id) AS deputy_staff, coalesce(own.address, usual.address) AS deputy_address,
        duty.staff_id AS duty_staff, duty.address AS duty_address,
        coalesce(%(by_cause)s::jsonb->>w.cause, %(by_severity)s::jsonb->>w.severity::text) AS family
    FROM wanted w
    -- One row, which the planner takes for a hundred: of few it would compare each with each, and they may be many.
    CROSS JOIN jsonb_array_elements('[0]') AS many
    JOIN patients_clinic c ON c.id = w.clinic_id
    LEFT JOIN answers owner ON owner.clinic_id = w.clinic_id AND owner.for_id = w.owner_id
    -- Whoever has not answered as one of them is not asked again as the next.
    LEFT JOIN deputies own ON own.clinic_id = w.clinic_id AND own.for_id = w.deputy_of
        AND own.staff_id <> coalesce(owner.staff_id, w.owner_id, 0)
    LEFT JOIN deputies usual ON usual.clinic_id = w.clinic_id AND usual.for_id IS NULL
        AND usual.staff_id <> coalesce(owner.staff_id, w.owner_id, 0)
    LEFT JOIN on_call duty ON duty.clinic_id = w.clinic_id
        AND duty.staff_id NOT IN (coalesce(owner.staff_id, w.owner_id, 0), coalesce(own.staff_id, usual.staff_id, 0))
), chosen AS (
    SELECT *, CASE WHEN from_step = 0 AND owner_staff IS NOT NULL THEN 0
        WHEN from_step <= 1 AND deputy_staff IS NOT NULL THEN 1
        WHEN from_step <= 2 THEN 2 ELSE 3 END AS step
    FROM candidates
), who AS (
    SELECT k.*, person.staff_id, coalesce(person.address, on_call_email) AS address,
        -- Without an owner it is owned by whoever is told instead, where that is a person.
        coalesce(k.owner_staff, person.staff_id) AS owner_now,
        -- Counted from when the step was due: no drift, and quickly after a time in which nobody looked.
        k.due_at + make_interval(mins => later.minutes - coalesce(now.minutes, 0)) AS next_at
    FROM chosen k
    LEFT JOIN ladder now ON now.clinic_id = k.clinic_id AND now.family = k.family AND now.step = k.from_step
    JOIN ladder later ON later.clinic_id = k.clinic_id AND later.family = k.family AND later.step = least(k.step + 1, 3)
    CROSS JOIN jsonb_array_elements('[0]') AS many -- as above
    CROSS JOIN LATERAL (SELECT
        CASE k.step WHEN 0 THEN owner_staff WHEN 1 THEN deputy_staff WHEN 2 THEN duty_staff END AS staff_id,
        CASE k.step WHEN 0 THEN owner_address WHEN 1 THEN deputy_address WHEN 2 THEN duty_address END AS address
    ) person
)"""
"""`wanted` says of each alert: clinic_id, owner_id, deputy_of (whose deputy), cause, severity, from_step and due_at."""

ONE = f"""
WITH {PEOPLE}, wanted AS (
    SELECT %(clinic)s::bigint AS clinic_id, %(owner)s::bigint AS owner_id, %(deputy_of)s::bigint AS deputy_of,
        %(cause)s AS cause, %(severity)s AS severity, %(from_step)s AS from_step, %(now)s AS due_at
){WHO}
SELECT step, staff_id, address, owner_now, next_at FROM who
"""  # noqa: S608  # constants of this file


class Told(NamedTuple):
    """Who is told of an alert now, as which step, and when the next step is due."""

    step: int
    staff_id: int | None
    address: str
    owner_id: int | None
    """Who owns it now: the owner, their cover, whoever is told instead, or nobody."""
    next_at: datetime


def who_is_told(
    *, clinic_id: int, owner_id: int | None, deputy_of: int | None, cause: str, severity: int, now: datetime,
    from_step: int = Step.OWNER,
) -> Told:  # fmt: skip
    """The same question for one alert, of whoever raises it or hands it on."""
    asked = parameters(now, clinic_id=clinic_id)
    asked |= {
        "owner": owner_id, "deputy_of": deputy_of, "cause": cause, "severity": severity, "from_step": from_step
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ONE, asked)
        return Told(*cursor.fetchone())


def parameters(now: datetime, *, clinic_id: int | None = None) -> dict[str, Any]:
    """What the SQL of this module asks for; of every clinic without one."""
    ladder = [
        {"family": kind, "step": step, "policy": policy, "minutes": DEFAULT_POLICIES[policy]}
        for kind in sorted({*FAMILY_BY_SEVERITY.values(), *FAMILY_BY_CAUSE.values()})
        for step, policy in ((step, f"{name}_{kind}_minutes") for step, name in CHAIN.items())
    ]
    return {
        "now": now,
        "clinic": clinic_id,
        "roles": list(MAY["see_patients"]),
        "ladder": json.dumps(ladder),
        "by_cause": json.dumps(FAMILY_BY_CAUSE),
        "by_severity": json.dumps(FAMILY_BY_SEVERITY),
    }
