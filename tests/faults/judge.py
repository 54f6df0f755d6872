"""Judges what is left after the faults, from the database, the mail sink's files and the clients' logs alone.

python -m tests.faults.judge MAIL_DIR LOG...     prints JSON; status 1 when anything was lost
"""

import email
import json
import os
import sys
from email import policy
from email.utils import parsedate_to_datetime
from pathlib import Path

import psycopg

ALERTED = """
    SELECT r.accession, count(DISTINCT r.id), count(DISTINCT a.id), array_agg(DISTINCT d.once), min(d.created_at)
    FROM monitoring_result r
    LEFT JOIN monitoring_alert a ON a.treatment_id = r.treatment_id AND a.cause = 'neutropenia'
    LEFT JOIN notifications_delivery d ON d.about = 'alert:' || a.id AND d.once LIKE '%%:told:%%'
    WHERE r.source = 'load' GROUP BY r.accession
"""


def handed_over(place):
    """Every message that the mail server took: its key, and when."""
    found = {}
    for path in Path(place).glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        found.setdefault(message["X-Clozatrack-Once"].strip(), []).append((path.stat().st_mtime, message["Message-ID"]))
        assert parsedate_to_datetime(message["Date"])
    return found


def main(place, logs):
    acknowledged = [json.loads(line) for log in logs for line in Path(log).read_text().splitlines() if line]
    reach = {name.lower(): os.environ[f"CLOZATRACK_DB_{name}"] for name in ("HOST", "PORT", "USER")}
    with psycopg.connect(dbname=os.environ["CLOZATRACK_DB_NAME"], **reach) as database:
        stored = {row[0]: row[1:] for row in database.execute(ALERTED)}
    mail, problems, waits = handed_over(place), [], []
    for note in acknowledged:
        name = note["accession"]
        results, alerts, keys, _ = stored.get(name, (0, 0, [None], None))
        if (results, alerts) != (1, 1):
            problems.append(f"{name}: {results} results and {alerts} alerts, acknowledged once")
        if keys == [None] or len(keys) != 1:
            problems.append(f"{name}: owed under the keys {keys}")
        elif keys[0] not in mail:
            problems.append(f"{name}: its message was never handed over")
        else:
            waits.append(min(when for when, _ in mail[keys[0]]) - note["at"])
    for key, copies in mail.items():
        if len({message_id for _, message_id in copies}) != 1:
            problems.append(f"{key}: sent under more than one Message-ID")
    waits.sort()
    at = lambda share: round(waits[min(int(len(waits) * share), len(waits) - 1)], 3) if waits else None  # noqa: E731
    print(
        json.dumps(
            {
                "acknowledged": len(acknowledged),
                "messages": len(mail),
                "repeated": sum(len(copies) - 1 for copies in mail.values()),
                "p50": at(0.5),
                "p99": at(0.99),
                "worst": at(1),
                "problems": problems[:20],
            }
        )
    )
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
