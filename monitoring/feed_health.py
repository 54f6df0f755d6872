"""Missing test or missing result? Which sources speak, which are silent, and whose results are late because of it.

A source's rhythm is what the clinic has said or, after two weeks, half as long again as the longest gap that was heard.
While a source is silent its patients are "result late" and not "overdue"; nothing about a treatment changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from monitoring.models import Feed, Result, Treatment
from notifications.actions import owe
from notifications.letters import letter
from patients.models import Clinic, Role, Staff

LATEST = 20_000
"""So many of the newest results are looked at: far more than can come between two looks."""
LEARNT_AFTER = timedelta(days=14)
LEARNT_FROM = 10
LEAST = timedelta(hours=24)
"""Nothing is silent within a day unless the clinic has said so."""
DRAWN_LATELY = timedelta(days=14)
"""Blood drawn longer ago explains nothing any more: then the test is overdue, whatever the laboratory does."""

HEARD = """
WITH spoke AS (
    SELECT r.clinic_id, r.source, r.received_at AS at FROM monitoring_result r
    WHERE r.id > (SELECT max(id) FROM monitoring_result) - %(latest)s
      AND (r.integration_id IS NOT NULL OR EXISTS (
          SELECT FROM monitoring_laboratory l WHERE l.clinic_id = r.clinic_id AND l.source = r.source))
    UNION ALL
    SELECT l.clinic_id, l.source, i.confirmed_at FROM monitoring_import i
    JOIN monitoring_laboratory l ON l.id = i.laboratory_id
    WHERE i.confirmed_at > %(now)s - interval '1 day'
), heard AS (SELECT clinic_id, source, max(at) AS at FROM spoke GROUP BY clinic_id, source)
INSERT INTO monitoring_feed AS f (clinic_id, source, name, first_at, last_at, heard, longest_gap)
SELECT h.clinic_id, h.source, coalesce(l.name, h.source), %(now)s, h.at, 1, interval '0'
FROM heard h LEFT JOIN monitoring_laboratory l ON l.clinic_id = h.clinic_id AND l.source = h.source
ON CONFLICT (clinic_id, source) DO UPDATE SET
    name = excluded.name, last_at = excluded.last_at, heard = f.heard + 1, told_at = NULL,
    -- A silence that was one is no rhythm to learn, or every outage would make the next one longer.
    longest_gap = CASE WHEN f.silent_from IS NULL OR excluded.last_at <= f.silent_from
        THEN greatest(f.longest_gap, excluded.last_at - f.last_at) ELSE f.longest_gap END
WHERE excluded.last_at > f.last_at
"""
EXPECTED = """
UPDATE monitoring_feed f SET silent_from = x.silent_from
FROM (
    SELECT id, last_at + CASE
        WHEN expected_hours IS NOT NULL THEN make_interval(hours => expected_hours)
        WHEN heard >= %(learnt_from)s AND first_at <= %(now)s - %(learnt_after)s
            THEN greatest(longest_gap * 1.5, %(least)s) END AS silent_from
    FROM monitoring_feed
) x WHERE x.id = f.id AND f.silent_from IS DISTINCT FROM x.silent_from
"""
SILENT = """
    -- The silent source from which a treatment's latest count came.
    LEFT JOIN LATERAL (
        SELECT f.name, f.last_at FROM monitoring_feed f JOIN monitoring_result latest ON latest.source = f.source
        WHERE f.clinic_id = t.clinic_id AND f.silent_from <= %(now)s
          AND latest.treatment_id = t.id AND latest.drawn_at = t.latest_draw_at
        LIMIT 1
    ) silent ON true"""
"""Joined to treatments `t`; `silent.name` is null where the source speaks."""

SAID = "no data from {name} at {clinic} since {since}: its patients' results are late, not their tests"


def listen(*, now: datetime) -> int:
    """Note who has spoken and who has gone silent, and tell of each silence once. How many silences were told."""
    with connection.cursor() as cursor:
        cursor.execute(HEARD, {"now": now, "latest": LATEST})
    expect_anew(now=now)
    untold = Feed.objects.silent(now).filter(told_at=None).select_related("clinic")
    silent = list(untold.select_for_update(of=("self",), skip_locked=True))
    if silent:
        _tell(silent, now)
        Feed.objects.filter(pk__in=[feed.pk for feed in silent]).update(told_at=now)
    return len(silent)


def expect_anew(*, now: datetime) -> None:
    """From when on the silence of each source means something, by what was said or learnt."""
    learnt: dict[str, Any] = {
        "now": now, "learnt_from": LEARNT_FROM, "learnt_after": LEARNT_AFTER, "least": LEAST
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(EXPECTED, learnt)


def _tell(silent: list[Feed], now: datetime) -> None:
    """The clinic's admins and its on-call address; nobody who is treated."""
    admins = Staff.objects.filter(
        is_active=True, memberships__role=Role.CLINIC_ADMIN, memberships__active=True,
        memberships__clinic__in=[feed.clinic_id for feed in silent],
    ).exclude(email="").values_list("memberships__clinic", "email").distinct()  # fmt: skip
    addresses: dict[int, set[str]] = {feed.clinic_id: {feed.clinic.on_call_email} for feed in silent}
    for clinic, address in admins:
        addresses.setdefault(clinic, set()).add(address)
    owe(
        letter(
            address, SAID.format(name=feed.name, clinic=feed.clinic, since=since(feed)), "/settings/",
            about=f"feed:{feed.pk}", now=feed.last_at, clinic_id=feed.clinic_id,
        )
        for feed in silent for address in sorted(addresses[feed.clinic_id])
    )  # fmt: skip


def since(feed: Feed) -> str:
    """When it last spoke, on its clinic's clock."""
    at = feed.last_at.astimezone(feed.clinic.zone)
    return f"{at:%a} {at.day} {at:%b, %H:%M}"


def feeds_of(clinics: Iterable[Clinic]) -> list[Feed]:
    """Everything that sends results to these clinics, by name."""
    return list(Feed.objects.filter(clinic__in=clinics).select_related("clinic").order_by("name", "pk"))


def silent_sources(feeds: Iterable[Feed], now: datetime) -> Mapping[int, list[str]]:
    """The sources among them that are silent, by clinic."""
    found: dict[int, list[str]] = {}
    for feed in feeds:
        if feed.silent_at(now):
            found.setdefault(feed.clinic_id, []).append(feed.source)
    return found


def unheard(treatment: Treatment, now: datetime) -> Feed | None:
    """The silent source from which this treatment's latest count came."""
    if treatment.latest_draw_at is None:
        return None
    latest = Result.objects.filter(treatment=treatment, drawn_at=treatment.latest_draw_at).values("source")
    silent = Feed.objects.silent(now).filter(clinic=treatment.clinic_id, source__in=latest)
    return silent.select_related("clinic").first()


def result_late(sources: list[str]) -> Q:
    """Of treatments: the latest count came from one of these silent sources. Nobody is told off for a late test."""
    latest = Result.objects.filter(treatment=OuterRef("pk"), drawn_at=OuterRef("latest_draw_at"), source__in=sources)
    return Q(Exists(latest)) if sources else Q(pk__in=[])
