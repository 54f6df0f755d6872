"""A result, its judgement, the treatment's derived columns and the audit line: one statement, one way to the database.

Four statements of Django's cost more of a result's time than the rules and the database together.
"""

from typing import Any

from django.db import connection

from monitoring.actions.judging import ASSESSMENT, RESULT, TREATMENT
from monitoring.models import Assessment, Result, Treatment
from patients.models import AuditEvent
from patients.rows import Rows

AUDIT = Rows(AuditEvent)
RESULT_ID = "(SELECT id FROM result)"
STORE = f"""
    WITH result AS ({RESULT.insert()} RETURNING id),
    assessment AS ({ASSESSMENT.insert(result_id=RESULT_ID)} RETURNING id),
    treatment AS (UPDATE {TREATMENT.table} SET [columns] WHERE id = %s),
    audited AS ({AUDIT.insert(subject=f"'result:' || {RESULT_ID}")})
    SELECT result.id, assessment.id FROM result, assessment
"""  # noqa: S608  # names of our own tables and columns


def store(
    treatment: Treatment, columns: dict[str, Any], result: Result, assessment: Assessment, audited: AuditEvent
) -> None:
    """Write all four. The treatment is locked; sets the keys on the result and its assessment."""
    derived = {field.attname: field for field in TREATMENT.fields}
    parameters = [
        *RESULT.values(result),
        *ASSESSMENT.values(assessment, without=("result_id",)),
        *(derived[name].get_db_prep_save(value, connection) for name, value in columns.items()),
        treatment.pk,
        *AUDIT.values(audited, without=("subject",)),
    ]
    with connection.cursor() as cursor:
        cursor.execute(STORE.replace("[columns]", ", ".join(f"{name} = %s" for name in columns)), parameters)
        result.pk, assessment.pk = cursor.fetchone()
    assessment.result = result
    for row in (result, assessment):
        row._state.adding, row._state.db = False, connection.alias
    result.just_stored = True
