"""Removes each safety control in turn and shows that its test turns red.

    python -m tests.knockouts [HAZARD ...]

Works on a copy of the tree; the work tree is never touched. Status 1 if a control can be removed unseen.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache", ".hypothesis", "mutants")


class Knockout(NamedTuple):
    """A control, the text that it lives in, what is left when it is gone, and the test that must see it."""

    hazard: str
    control: str
    file: str
    text: str
    gone: str
    test: str


MONITORING = "tests/monitoring/"
KNOCKOUTS = (
    Knockout("H03", "severe judgement needs its alert", "monitoring/migrations/0002_initial.py",
             "RAISE EXCEPTION 'severe result", "RAISE NOTICE 'severe result", MONITORING + "test_record_result.py"),
    Knockout("H03", "alert in the result's transaction", "monitoring/actions/record_result.py",
             "    raise_alerts(treatment, found, result=result, now=now)\n", "", MONITORING + "test_record_result.py"),
    Knockout("H04", "marked after hand-over", "notifications/actions.py",
             "        CHANNELS[delivery.channel](delivery)\n",
             "        mine.update(sent_at=now)\n        CHANNELS[delivery.channel](delivery)\n",
             "tests/notifications/test_outbox.py"),
    Knockout("H04", "a dead worker's lease ends", "notifications/models.py",
             " | dead_holder\n", "\n", "tests/notifications/test_outbox.py"),
    Knockout("H05", "the loop looks without a broker", "notifications/management/commands/deliver.py",
             "                deliver_due(timezone.now)\n                self._wait()",
             "                self._wait()", "tests/faults/test_kills.py::test_h05_with_valkey_and_celery_gone_throughout_every_message_is_handed_over"),
    Knockout("H06", "two sweeps equal one", "monitoring/sweep.py",
             "        if not cursor.fetchone()[0]:\n            return None\n", "", MONITORING + "test_sweep.py"),
    Knockout("H06", "overdue is computed when read", "monitoring/models/treatment.py",
             "Q(overdue_after__lt=day)", "Q(alerts__cause='test_overdue', overdue_after__lt=day)", MONITORING + "test_pages.py"),
    Knockout("H08", "an unreachable owner is replaced", "monitoring/actions/alerting.py",
             "owner is not None and owner.is_active and owner.email", "owner is not None", MONITORING + "test_sweep.py"),
    Knockout("H10", "unit slips are refused", "monitoring/rules/units.py",
             "    if not confirmed:\n        _refuse_unit_slip(reported, derived, scale, unit)\n", "", "tests/rules/test_units.py"),
    Knockout("H12", "the ANC is part of the white cells", "monitoring/actions/record_result.py",
             "reading.anc > reading.wbc", "reading.anc < 0", MONITORING + "test_record_result.py"),
    Knockout("H13", "two identifiers have to agree", "monitoring/feeds/csv.py",
             '!= treatment.patient.date_of_birth', "== 0", MONITORING + "test_import.py"),
    Knockout("H14", "a correction re-reads what was said", "monitoring/actions/record_result.py",
             "    if earlier:\n", "    if False:\n", MONITORING + "test_import.py"),
    Knockout("H15", "a preliminary restricts, never permits", "monitoring/rules/judgement.py",
             "    return min(final, with_preliminary, key=_permissiveness)", "    return with_preliminary",
             MONITORING + "test_record_result.py"),
    Knockout("H16", "order by the draw", "monitoring/rules/history.py",
             "    entries.sort(key=_INSTANT)\n", "", "tests/rules/test_properties.py"),
    Knockout("H17", "the same message is one result", "monitoring/actions/record_result.py",
             "    if same := _seen(earlier, report):\n        return same\n", "", MONITORING + "test_record_result.py"),
    Knockout("H17", "one draw is no repeat of itself", "monitoring/rules/course.py",
             "episode.confirmed is None and not same_draw", "episode.confirmed is None", "tests/rules/test_edges.py"),
    Knockout("H18", "BEN needs two people", "monitoring/migrations/0002_initial.py",
             "('documented_by', models.F('confirmed_by')), _negated=True)", "('documented_by', models.F('confirmed_by')), ('documented_by__lt', 0), _negated=True)",
             MONITORING + "test_treating.py"),
    Knockout("H21", "days are the clinic's own", "monitoring/models/treatment.py",
             "now.astimezone(clinic.zone).date()].append", "now.date()].append", MONITORING + "test_sweep.py"),
    Knockout("H23", "no draw from the future", "monitoring/actions/record_result.py",
             "    if report.drawn_at > now + CLOCK_SKEW:", "    if False:", MONITORING + "test_record_result.py"),
    Knockout("H24", "the sweep changes no treatment", "monitoring/sweep.py",
             "        found = {}\n", "        cursor.execute('UPDATE monitoring_treatment SET advice = %s', ['stop'])\n        found = {}\n",
             MONITORING + "test_sweep.py"),
    Knockout("H25", "a correction lifts the hold", "monitoring/models/result.py",
             "latest[key].version < row.version", "latest[key].version > row.version", MONITORING + "test_import.py"),
    Knockout("H29", "re-titration after 48 hours", "monitoring/rules/advice.py",
             "        pause is not None and pause.lasted(course.protocol.breaks.retitrate_hours, now, today)", "        False", "tests/rules/test_edges.py"),
    Knockout("H30", "a hold has an alert", "monitoring/actions/treating.py",
             "        found.append(ALERTS_ON_HOLD)\n", "        pass\n", MONITORING + "test_treating.py"),
    Knockout("H36", "an acknowledged commit is on disk", "clozatrack/embedded.py",
             "        options += [] if self.durable else list(FAST)\n", "        options += ['synchronous_commit=off', 'wal_writer_delay=10s']\n",
             "tests/faults/test_kills.py::test_h36_a_commit_that_was_acknowledged_outlives_a_kill_of_the_database"),
)  # fmt: skip


def turns_red(one: Knockout) -> bool | None:
    """Whether the test fails without the control; None when the control's text is not there to remove."""
    with tempfile.TemporaryDirectory(prefix="clozatrack-knockout-") as place:
        copy = Path(place) / "tree"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        source = copy / one.file
        text = source.read_text()
        if one.text not in text:
            return None
        source.write_text(text.replace(one.text, one.gone))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", one.test]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLOZATRACK")}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        return done.returncode == 1 and "failed" in done.stdout


def main(wanted: list[str]) -> int:
    """Print a line for each control."""
    unseen = 0
    for one in KNOCKOUTS:
        if wanted and one.hazard not in wanted:
            continue
        seen = turns_red(one)
        unseen += seen is not True
        said = {True: "red, as it must", False: "STILL GREEN", None: "TEXT NOT FOUND"}[seen]
        print(f"{one.hazard}  {one.control:42} {one.test.rpartition('/')[2][:60]:60} {said}", flush=True)
    print(f"{unseen} controls can be removed unseen" if unseen else "every control is seen by its test")
    return int(bool(unseen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
