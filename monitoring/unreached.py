"""Whose number or e-mail no longer takes our messages: two came back and none has arrived since.

Nothing more is sent there, so somebody has to ask for another one: the worklist says so.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.bounces import bounced_twice

CHANNELS = ("sms", "email")

MARK = """
WITH dead AS MATERIALIZED (
    SELECT * FROM unnest(%(channels)s::text[], %(addresses)s::text[]) AS d (channel, address)
), lost AS MATERIALIZED (
    SELECT DISTINCT c.patient_id
    FROM dead
    JOIN patients_consent c ON c.address = dead.address AND c.channel = dead.channel AND c.given
    LEFT JOIN patients_contactpoint n ON n.id = c.contact_id
    LEFT JOIN patients_carer h ON h.id = c.carer_id
    WHERE n.ended_at IS NULL AND h.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM patients_consent later WHERE later.patient_id = c.patient_id AND later.channel = c.channel
            AND coalesce(later.carer_id, 0) = coalesce(c.carer_id, 0) AND later.id > c.id)
), changed AS (
    -- Whoever is being written to at this moment is looked at again five minutes later.
    SELECT t.id, t.unreached_since IS NULL AS begins
    FROM monitoring_treatment t
    WHERE (t.unreached_since IS NULL AND t.patient_id IN (SELECT patient_id FROM lost))
        OR (t.unreached_since IS NOT NULL AND t.patient_id NOT IN (SELECT patient_id FROM lost))
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE monitoring_treatment t SET unreached_since = CASE WHEN changed.begins THEN %(now)s END
FROM changed WHERE changed.id = t.id
"""


def mark_unreached(*, now: datetime) -> int:
    """Note since when a patient or carer is not reached at an address that they agreed to; how many changed."""
    dead = [(channel, address) for channel in CHANNELS for address in bounced_twice(channel)]
    given: Mapping[str, Any] = {
        "channels": [channel for channel, _ in dead],
        "addresses": [address for _, address in dead],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(MARK, given)
        return int(cursor.rowcount)
