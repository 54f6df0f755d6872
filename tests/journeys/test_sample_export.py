"""The README's first steps: the sample export goes into the demo clinic, and what must be refused is."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from clozatrack.demo_clinic import load
from monitoring.models import Alert, Result, Treatment

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.slow
@pytest.mark.django_db
def test_the_sample_export_is_taken_but_for_the_rows_that_must_be_refused(tmp_path, capsys):
    load(now=timezone.now())
    refused = tmp_path / "refused.csv"
    with pytest.raises(SystemExit):
        call_command("import_results", str(SAMPLES / "lab-export.csv"), clinic="north", refused=refused)
    said = capsys.readouterr().out
    assert "12 rows: 8 recorded, 0 known already, 4 refused" in said
    assert Alert.objects.filter(treatment__patient__mrn="DEMO-1", cause="neutropenia", severity=1).exists()
    assert Treatment.objects.count() >= 42
    assert Result.objects.filter(source="lab-csv", treatment__patient__mrn="DEMO-2").count() == 4


def test_the_sample_histories_are_judged(capsys):
    with pytest.raises(SystemExit):
        call_command("assess", str(SAMPLES / "histories.jsonl"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 34
    assert sum('"error"' in line for line in lines) == 1
