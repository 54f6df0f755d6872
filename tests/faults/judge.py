"""Judges what is left after the faults, from the database, the mail sink's files and the clients' logs alone.

python -m tests.faults.judge MAIL_DIR LOG...     prints JSON; status 1 when anything was lost or doubled

The wait of a message is counted from the moment that its row bears, which is taken just before the transaction that
commits it, to the moment at which the mail server had it on disk: one clock, that of this machine.
"""

import email
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from email import policy
from pathlib import Path

import psycopg

RESULTS = """
    SELECT r.accession, array_agg(DISTINCT r.id), count(DISTINCT a.id),
           array_agg(DISTINCT d.once) FILTER (WHERE d.once IS NOT NULL)
    FROM monitoring_result r
    LEFT JOIN monitoring_alert a ON a.treatment_id = r.treatment_id AND a.cause = 'neutropenia'
    LEFT JOIN notifications_delivery d ON d.about = 'alert:' || a.id AND split_part(d.once, ':', 3) = 'told'
    WHERE r.source = 'load' GROUP BY r.accession
"""
# In this load no alert worsens but by the sweep, so each step of an alert is taken at most once.
STEPS = """
    SELECT a.id, known.step, owed, count(d.id), count(DISTINCT d.address)
    FROM monitoring_alert a
    CROSS JOIN LATERAL (
        SELECT min(at) FILTER (WHERE text LIKE '%The deputy is told.') AS deputy,
            min(at) FILTER (WHERE text LIKE '%On-call is told.') AS on_call,
            min(at) FILTER (WHERE text LIKE '%alarm stands until somebody answers.') AS alarm
        FROM monitoring_alertnote WHERE alert_id = a.id AND verb = 'escalated'
    ) noted
    CROSS JOIN LATERAL (VALUES
        ('told', a.cause = 'neutropenia', NULL),
        ('overdue', a.cause = 'test_overdue', a.raised_at),
        ('late', a.cause = 'repeat_owed' AND a.worsened_at > a.deadline, a.worsened_at),
        ('deputy', noted.deputy IS NOT NULL, noted.deputy),
        ('on_call', noted.on_call IS NOT NULL, noted.on_call),
        ('alarm', noted.alarm IS NOT NULL, noted.alarm)
    ) AS known (step, owed, taken_at)
    LEFT JOIN LATERAL (
        WITH alone AS (
            SELECT id, address FROM notifications_delivery
            WHERE about = 'alert:' || a.id AND split_part(once, ':', 3) = known.step
        )
        SELECT * FROM alone
        -- A sweep that takes many steps at once tells an address of them together.
        UNION ALL SELECT id, address FROM notifications_delivery
        WHERE about = 'sweep:' || known.step AND clinic_id = a.clinic_id AND created_at = taken_at
          AND owed AND NOT EXISTS (SELECT FROM alone)
    ) d ON true
    GROUP BY a.id, known.step, owed HAVING owed OR count(d.id) > 0
"""
UNKNOWN = """
    SELECT once FROM notifications_delivery
    WHERE split_part(once, ':', 3) NOT IN ('told', 'overdue', 'late', 'deputy', 'on_call', 'alarm')
      AND about NOT IN ('sweep:overdue', 'sweep:late', 'sweep:deputy', 'sweep:on_call', 'sweep:alarm')
"""
OWED = "SELECT once, address, subject, body, created_at, sent_at, leased_until FROM notifications_delivery"


@dataclass
class Copy:
    """One message as the mail server took it."""

    at: float
    to: str
    subject: str
    body: str


def handed_over(place):
    """Every message that the mail server took, by its key."""
    found = {}
    for path in Path(place).glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        copy = Copy(path.stat().st_mtime, message["X-Envelope-To"], message["Subject"], message.get_content())
        found.setdefault(message["X-Once"].strip(), []).append(copy)
    return found


def of_results(stored, acknowledged, mail):
    """Every committed result has its alert and its message; every acknowledged one is committed, once."""
    for name, (ids, alerts, keys) in stored.items():
        if (len(ids), alerts) != (1, 1):
            yield f"{name}: {len(ids)} results and {alerts} alerts"
        if len(keys or []) != 1:
            yield f"{name}: owed under the keys {keys}"
        elif keys[0] not in mail:
            yield f"{name}: its message was never handed over"
    for note in acknowledged:
        if [note["result"]] != stored.get(note["accession"], [[]])[0]:
            yield f"{note['accession']}: acknowledged as result {note['result']}, which is not there"


def of_steps(steps, unknown):
    """Never two keys for one step, whatever the step, and none that was taken without a message."""
    for alert, step, owed, keys, addresses in steps:
        if owed and not keys:
            yield f"alert {alert}: {step}, and no message is owed"
        if keys != addresses:
            yield f"alert {alert}: {step} under {keys} keys for {addresses} addresses"
    yield from (f"{once}: a step that this judge does not know" for (once,) in unknown)


def of_mail(rows, mail):
    """What was sent is what was owed, to whom it was owed; and nothing is marked as sent that was not."""
    for once, copies in mail.items():
        if once not in rows:
            yield f"{once}: sent, and not in the outbox"
            continue
        address, subject, body, _, sent_at, leased_until = rows[once]
        if sent_at is None and leased_until is None:
            yield f"{once}: sent, and neither marked so nor leased"
        for copy in copies:
            if (copy.to, copy.subject, copy.body.split()) != (address, subject, body.split()):
                yield f"{once}: handed over as something else: {copy}"
    yield from (
        f"{once}: marked as sent, never handed over" for once, row in rows.items() if row[4] and once not in mail
    )


def figures(names, stored, rows, mail):
    """How often and after how many seconds the messages of these results were handed over."""
    keys = {key for name in names for key in (stored.get(name, (0, 0, None))[2] or [])} & set(mail)
    waits = sorted(min(copy.at for copy in mail[key]) - rows[key][3].timestamp() for key in keys)

    def at(share):
        return round(waits[min(int(len(waits) * share), len(waits) - 1)], 3) if waits else None

    return {
        "results": len(names),
        "handed over": sum(len(mail[key]) for key in keys),
        "p50": at(0.5),
        "p99": at(0.99),
        "worst": at(1),
    }


def main(place, logs):
    # Read first: what the clients know and the mail server has must be in the database that is read after it.
    acknowledged = [json.loads(line) for log in logs for line in Path(log).read_text().splitlines() if line]
    mail = handed_over(place)
    reach = {name.lower(): os.environ[f"CLOZATRACK_DB_{name}"] for name in ("HOST", "PORT", "USER")}
    with psycopg.connect(dbname=os.environ["CLOZATRACK_DB_NAME"], **reach) as database:
        stored = {row[0]: row[1:] for row in database.execute(RESULTS)}
        steps, unknown = database.execute(STEPS).fetchall(), database.execute(UNKNOWN).fetchall()
        rows = {row[0]: row[1:] for row in database.execute(OWED)}
    problems = [*of_results(stored, acknowledged, mail), *of_steps(steps, unknown), *of_mail(rows, mail)]
    problems += [f"{once}: never handed over" for once in rows if once not in mail]
    verdict = {"acknowledged": len(acknowledged)}
    verdict |= figures({note["accession"] for note in acknowledged}, stored, rows, mail)
    verdict |= {
        "steps in all": Counter(step for _, step, _, keys, _ in steps for _ in range(keys)),
        "repeated in all": sum(len(copies) - 1 for copies in mail.values()),
        "problems": problems[:20],
    }
    print(json.dumps(verdict))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
