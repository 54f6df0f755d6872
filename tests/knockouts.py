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
WRITERS = "tests/eligibility/test_concurrent_writers.py"
SUPPLY = "tests/monitoring/test_supply_hazards.py"
UNLOCKED = "Treatment.objects.select_related('patient', 'clinic').get(pk="
KNOCKOUTS = (
    Knockout("H01", "a stale answer authorises nothing", "monitoring/actions/dispensing.py",
             "    if basis is not None and basis != treatment.version:", "    if False:", MONITORING + "test_dispensing.py"),
    Knockout("H01", "authorising waits for the lock", "monitoring/actions/dispensing.py",
             "    treatment = locked(treatment.pk)\n    if known", f"    treatment = {UNLOCKED}treatment.pk)\n    if known", WRITERS),
    Knockout("H01", "a result waits for the lock", "monitoring/actions/record_result.py",
             "        current = locked(treatment.pk)", f"        current = {UNLOCKED}treatment.pk)", WRITERS),
    Knockout("H01", "an event waits for the lock", "monitoring/actions/treating.py",
             "    asked, treatment = treatment, locked(treatment.pk)", f"    asked, treatment = treatment, {UNLOCKED}treatment.pk)", WRITERS),
    Knockout("H01", "taking back an enrolment waits for the lock", "monitoring/actions/programmes.py",
             "        locked(row.treatment_id)\n", "        pass\n", WRITERS),
    Knockout("H01", "a count ahead of the clock counts", "monitoring/actions/judging.py",
             "events=events, all_known=True", "events=events, all_known=False", WRITERS),
    Knockout("H02", "handing over waits for the lock", "monitoring/actions/dispensing.py",
             "    treatment = locked(authorisation.treatment_id)", f"    treatment = {UNLOCKED}authorisation.treatment_id)", WRITERS),
    Knockout("H02", "handing over checks again", "monitoring/actions/dispensing.py",
             "    _check_again(leave, treatment, days, now)\n", "", WRITERS),
    Knockout("H27", "an override lifts what was seen", "monitoring/actions/dispensing.py",
             "    news = current.basis_version != treatment.version\n", "    news = False\n", WRITERS),
    Knockout("H02", "a hold revokes what is open", "monitoring/actions/revoking.py",
             "    if treatment.advice not in REVOKES:", "    if True:", MONITORING + "test_dispensing.py"),
    Knockout("H27", "whoever asks cannot confirm", "monitoring/actions/overriding.py",
             "    if current.asked_by_id == by.pk:", "    if False:", MONITORING + "test_dispensing.py"),
    Knockout("H27", "those with a part in it do not review it", "monitoring/actions/overriding.py",
             "    if by.pk in (current.asked_by_id, current.confirmed_by_id):", "    if False:",
             MONITORING + "test_overrides_reported.py::test_h27_an_override_is_reviewed_by_somebody_who_neither_asked_nor_confirmed"),
    Knockout("H39", "an old reading is not signed", "monitoring/actions/status_forms.py",
             "        if treatment.version != draft.treatment.version:", "        if False:",
             MONITORING + "test_programmes.py::test_a_count_that_comes_between_the_draft_and_its_signature_is_seen_under_the_lock"),
    Knockout("H39", "a stale page issues no statement", "monitoring/actions/statements.py",
             "    if basis is not None and basis != treatment.version:", "    if False:",
             MONITORING + "test_statements.py::test_h39_it_is_issued_only_on_the_state_that_was_seen_and_where_tablets_may_be_supplied"),
    Knockout("H22", "a supply covers to the window's end", "monitoring/rules/supplying.py",
             "ends = max(basis.due_on, basis.overdue_after or basis.due_on)", "ends = basis.due_on", "tests/rules/test_supply_table.py"),
    Knockout("H29", "tablets that run out are told", "monitoring/sweep.py",
             '    Look(RUNS_OUT,', '    Look(RUNS_OUT.replace("continue", "never"),', MONITORING + "test_running_out.py"),
    Knockout("H29", "a gap that has begun is told again", "monitoring/running_out.py",
             "AND a.deadline <= %(now)s AND a.severity", "AND a.deadline IS NULL AND a.severity", MONITORING + "test_running_out.py"),
    Knockout("H29", "tablets that are over are asked about", "monitoring/rules/eligibility.py",
             "(day - until).days * 24 < hours", "True", "tests/rules/test_supply_table.py"),
    Knockout("H03", "severe judgement needs its alert", "monitoring/migrations/0012_overrides_in_one_order.py",
             "RAISE EXCEPTION 'severe result", "RAISE NOTICE 'severe result", MONITORING + "test_record_result.py"),
    Knockout("H03", "alert in the result's transaction", "monitoring/actions/record_result.py",
             "    raise_alerts(treatment, found, result=result, now=now, digest=digest)\n", "", MONITORING + "test_record_result.py"),
    Knockout("H04", "marked after hand-over", "notifications/actions.py",
             "        provider_id = CHANNELS[delivery.channel](delivery)\n",
             "        _leased(delivery).update(sent_at=now)\n        provider_id = CHANNELS[delivery.channel](delivery)\n",
             "tests/notifications/test_outbox.py"),
    Knockout("H04", "a dead worker's lease ends", "notifications/models.py",
             " | dead_holder\n", "\n", "tests/notifications/test_outbox.py"),
    Knockout("H09", "an unknown outcome is never sent again to a patient", "notifications/models.py",
             "UNTOUCHED = Q(sent_at=None, dead_at=None, handing_at=None)", "UNTOUCHED = Q(sent_at=None, dead_at=None)", "tests/notifications/test_channels.py"),
    Knockout("H09", "a patient's message is marked before the call", "notifications/actions.py",
             "    if not delivery.repeatable and not _marked(delivery, now):", "    if False:", "tests/notifications/test_channels.py"),
    Knockout("H31", "nothing is sent into our own network", "notifications/channels/wire.py",
             "    if not outside(wire.getpeername()[0]):", "    if False:", "tests/notifications/test_channels.py"),
    Knockout("H32", "receipts and replies are believed only signed", "monitoring/views/receipts.py",
             "    return bool(token and given and RequestValidator(token).validate(address, request.POST, given))", "    return True",
             "tests/notifications/test_receipts.py"),
    Knockout("H32", "a number that bounced twice is told", "notifications/bounces.py",
             "TWICE = 2", "TWICE = 3", "tests/notifications/test_receipts.py"),
    Knockout("H05", "the loop looks without a broker", "notifications/management/commands/deliver.py",
             "                deliver_due(timezone.now)\n                self._wait()",
             "                self._wait()", "tests/faults/test_kills.py::test_h05_with_valkey_and_celery_gone_throughout_every_message_is_handed_over"),
    Knockout("H06", "two sweeps equal one", "monitoring/sweep.py",
             "        if not cursor.fetchone()[0]:\n            return None\n", "", MONITORING + "test_sweep.py"),
    Knockout("H06", "overdue is computed when read", "monitoring/worklist.py",
             "return [Q(overdue_after__lt=day)]", "return [Q(alerts__cause='test_overdue', overdue_after__lt=day)]", MONITORING + "test_pages.py"),
    Knockout("H08", "an unreachable owner is replaced", "monitoring/actions/alerting.py",
             "owner is not None and owner.is_active and bool(owner.email)", "owner is not None", MONITORING + "test_sweep.py"),
    Knockout("H06", "overdue is computed when read", "monitoring/models/treatment.py",
             "Q(overdue_after__lt=day)", "Q(alerts__cause='test_overdue', overdue_after__lt=day)", MONITORING + "test_pages.py"),
    Knockout("H07", "the next step is taken", "monitoring/looks.py",
             "a.step < 3 AND a.escalate_at <= %(now)s", "false", MONITORING + "test_escalation.py"),
    Knockout("H07", "an answer stops the steps", "monitoring/actions/answering.py",
             "    current.escalate_at = returns_at(current.clinic, current.cause, current.severity, now)\n", "", MONITORING + "test_escalation.py"),
    Knockout("H07", "the chain ends in the alarm", "monitoring/models/alert.py",
             "return self.filter(resolved_at=None, acknowledged_at=None, step=Step.ALARM)", "return self.none()", MONITORING + "test_rota.py::test_h07_the_clinics_alarm_stands_on_every_page_of_its_staff_until_somebody_answers"),
    Knockout("H07", "acknowledged is not resolved", "monitoring/looks.py",
             "a.acknowledged_at IS NOT NULL AND a.escalate_at <= %(now)s", "false", MONITORING + "test_escalation.py"),
    Knockout("H08", "an unreachable owner is replaced", "monitoring/telling.py",
             " AND s.is_active AND s.email <> ''", "", MONITORING + "test_sweep.py"),
    Knockout("H08", "a cover answers for who is away", "monitoring/telling.py",
             "BETWEEN away.first_day AND away.last_day", "BETWEEN away.last_day + 1 AND away.first_day - 1", MONITORING + "test_escalation.py"),
    Knockout("H08", "patients without an owner are an alarm", "monitoring/alarms.py",
             "    if not number:\n", "    if True:\n", MONITORING + "test_rota.py::test_h08_patients_whose_alerts_nobody_owns_are_an_alarm_on_every_page_of_the_admin"),
    Knockout("H08", "a step without anybody passes on", "monitoring/telling.py",
             "WHEN from_step <= 1 AND deputy_staff IS NOT NULL THEN 1", "WHEN from_step <= 1 THEN 1", MONITORING + "test_escalation.py"),
    Knockout("H08", "only harmless alerts are answered in bulk", "monitoring/actions/answering.py",
             "        if not harmless(current, move):", "        if False:", MONITORING + "test_alerts.py::test_h08_a_low_count_is_never_answered_in_bulk_and_takes_the_others_down_with_it"),
    Knockout("H08", "a hand-over reaches somebody", "monitoring/actions/answering.py",
             "    if not reachable(to, alert.clinic_id):", "    if False:", MONITORING + "test_alerts.py::test_h08_an_alert_is_handed_over_only_to_somebody_who_can_be_reached_and_may_see_the_patient"),
    Knockout("H08", "worse news goes to the alert's own owner", "monitoring/actions/alerting.py",
             "owner_id=alert.owner_id, deputy_of", "owner_id=treatment.clinician_id, deputy_of", MONITORING + "test_alerts.py::test_h08_after_a_hand_over_worse_news_goes_to_the_new_owner"),
    Knockout("H08", "an owner who is lost is replaced", "monitoring/looks.py",
             "a.owner_id IS NOT NULL AND here.away IS NOT FALSE", "false",
             MONITORING + "test_alerts.py::test_h08_an_alert_whose_owner_is_lost_is_on_calls_within_a_sweep"),
    Knockout("H08", "e-mail stands in for lost ways", "monitoring/migrations/0006_reaching.py",
             "cardinality(channels) > 0 AND NOT EXISTS", "false AND NOT EXISTS", MONITORING + "test_reaching.py"),
    Knockout("H08", "severe alerts are never switched off", "monitoring/actions/reaching.py",
             "        if severity == Severity.SEVERE and not channels:", "        if False:", MONITORING + "test_reaching.py"),
    Knockout("H32", "a way counts when its code was typed", "monitoring/migrations/0006_reaching.py",
             "WHERE w.confirmed_at IS NOT NULL AND w.ended_at", "WHERE w.ended_at", MONITORING + "test_reaching.py"),
    Knockout("H10", "unit slips are refused", "monitoring/rules/units.py",
             "    if not confirmed:\n        _refuse_unit_slip(reported, derived, scale, unit)\n", "", "tests/rules/test_units.py"),
    Knockout("H11", "a loosening count needs a proof", "monitoring/rules/slips.py",
             "        _loosens(typed, before, table, zone),\n", "", "tests/rules/test_slips.py"),
    Knockout("H11", "questions are held by the action", "monitoring/actions/record_result.py",
             "    refuse_unanswered(asked, result, answers, by=by)\n", "", MONITORING + "test_slips_at_the_door.py"),
    Knockout("H11", "nobody is their own second person", "patients/access.py",
             "there.exclude(pk=actor.pk)", "there", MONITORING + "test_slips_at_the_door.py"),
    Knockout("H11", "a row is saved as it was shown", "monitoring/views/sheet_rows.py",
             '    if row.form.cleaned_data["shown"] != fingerprint(typed, desk.clinic.count_unit):', "    if False:", MONITORING + "test_sheet.py"),
    Knockout("H12", "the ANC is part of the white cells", "monitoring/actions/record_result.py",
             "reading.anc > reading.wbc", "reading.anc < 0", MONITORING + "test_record_result.py"),
    Knockout("H12", "no count from another count's column", "monitoring/import_forms.py",
             "if other and other != ours and not", "if not ours and not", MONITORING + "test_import_page.py"),
    Knockout("H13", "two identifiers have to agree", "monitoring/feeds/matching.py",
             "!= patient.date_of_birth", "== 0", MONITORING + "test_import.py"),
    Knockout("H13", "an unsure row is never filed", "monitoring/feeds/matching.py",
             "    if disagreement:\n", "    if False:\n", MONITORING + "test_quarantine.py"),
    Knockout("H13", "a disagreement has to be answered", "monitoring/import_forms.py",
             '            self.fields["sure"].required = True\n', "", MONITORING + "test_quarantine.py"),
    Knockout("H13", "a result stays with its MRN when records are merged", "monitoring/actions/record_result.py",
             "    result.treatment_id = earlier[0].treatment_id if earlier else home\n", "", MONITORING + "test_merging.py"),
    Knockout("H13", "an undone merge is read no more", "monitoring/models/treatment.py",
             "self.merged_here.order_by", "self.__class__.objects.filter(merged_in__kept=self).order_by", MONITORING + "test_merging.py"),
    Knockout("H14", "a correction re-reads what was said", "monitoring/actions/record_result.py",
             "    if earlier:\n", "    if False:\n", MONITORING + "test_import.py"),
    Knockout("H15", "a preliminary restricts, never permits", "monitoring/rules/judgement.py",
             "    return min(final, with_preliminary, key=_permissiveness)", "    return with_preliminary",
             MONITORING + "test_record_result.py"),
    Knockout("H14", "a laboratory's version outlives a person's number", "monitoring/actions/versioning.py",
             "    rows = earlier if report.by_hand else _theirs(earlier)", "    rows = earlier", MONITORING + "test_versions.py"),
    Knockout("H14", "a person and the laboratory at odds are told", "monitoring/actions/versioning.py",
             "    return None if same else last", "    return None", MONITORING + "test_versions.py"),
    Knockout("H16", "a late old version stands below", "monitoring/actions/versioning.py",
             "    if later:", "    if False:", MONITORING + "test_versions.py"),
    Knockout("H16", "order by the draw", "monitoring/rules/history.py",
             "    entries.sort(key=_INSTANT)\n", "", "tests/rules/test_properties.py"),
    Knockout("H17", "the same message is one result", "monitoring/actions/record_result.py",
             "    if same := seen(report, earlier):\n        return same\n", "", MONITORING + "test_record_result.py"),
    Knockout("H17", "one draw is no repeat of itself", "monitoring/rules/counting.py",
             "    if not same_draw:\n", "    if True:\n", "tests/rules/test_edges.py"),
    Knockout("H18", "BEN needs two people", "monitoring/migrations/0002_initial.py",
             "('documented_by', models.F('confirmed_by')), _negated=True)", "('documented_by', models.F('confirmed_by')), ('documented_by__lt', 0), _negated=True)",
             MONITORING + "test_treating.py"),
    Knockout("H18", "who documents BEN cannot confirm it", "monitoring/actions/ben.py",
             "current.documented_by_id == by.pk", "False", MONITORING + "test_ben.py"),
    Knockout("H18", "baselines of different dates", "monitoring/actions/ben.py",
             "for row in baselines}) < 2:", "for row in baselines}) < 1:", MONITORING + "test_ben.py"),
    Knockout("H20", "who changes is who was foreseen to change", "monitoring/actions/switching.py",
             "    if said(judgement) != (row.band, row.advice, row.frequency, row.due_on):\n        return changed_in_words(row, judgement, treatment)\n", "",
             MONITORING + "test_protocol_change.py::test_h20_nobody_is_switched_whose_prediction_holds_no_longer_and_the_row_says_what_changed"),
    Knockout("H20", "a preview reads merged records too", "monitoring/actions/reading_many.py",
             "        return {pk: pk for pk in ids} | dict(cursor.fetchall())", "        return {pk: pk for pk in ids}",
             MONITORING + "test_protocol_change.py::test_h20_what_was_foreseen_is_what_the_rules_say_alone_and_what_the_switch_brings"),
    Knockout("H20", "past judgements keep the rules of their time", "monitoring/actions/correcting.py",
             "protocol=protocol_at(treatment, old.as_of, key=old.protocol_key)", "protocol=None",
             MONITORING + "test_protocol_change.py::test_h20_a_later_correction_reads_each_judgement_by_the_rules_of_its_time"),
    Knockout("H20", "agreed limits end by themselves", "monitoring/models/limits.py",
             "and day <= self.until and", "and", MONITORING + "test_limits.py::test_h20_from_its_agreement_to_its_last_day_and_not_before_or_after"),
    Knockout("H20", "no agreement below severe", "monitoring/migrations/0004_agreed_limits.py",
             "500 <= ALL (", "1 <= ALL (", MONITORING + "test_limits.py::test_h20_the_database_refuses_what_may_not_be_agreed"),
    Knockout("H21", "days are the clinic's own", "monitoring/models/treatment.py",
             "now.astimezone(clinic.zone).date()].append", "now.date()].append", MONITORING + "test_sweep.py"),
    Knockout("H22", "a weekend moves a draw earlier", "monitoring/rules/calendar.py",
             "    return day - timedelta(days=max(day.weekday()", "    return day + timedelta(days=max(day.weekday()", MONITORING + "test_today.py::test_h22_a_test_due_on_a_weekend_is_drawn_earlier_and_never_later"),
    Knockout("H22", "a weekend moves a draw earlier", "patients/closed_days.py",
             "        day -= ONE", "        day += ONE", MONITORING + "test_today.py::test_h22_a_test_due_on_a_weekend_is_drawn_earlier_and_never_later"),
    Knockout("H22", "a closed day takes no blood", "patients/closed_days.py",
             " and day not in closed", "", "tests/patients/test_closed_days.py"),
    Knockout("H22", "Friday's list has the weekend's draws", "monitoring/worklist.py",
             "(Q(due_on__lte=day) | ~Q(frequency__in=EVERY_DAY))", "Q(due_on__lte=day)", MONITORING + "test_today.py::test_h22_what_is_due_on_saturday_is_on_fridays_list_and_still_on_saturdays"),
    Knockout("H23", "no draw from the future", "monitoring/actions/record_result.py",
             "    if report.drawn_at > now + CLOCK_SKEW:", "    if False:", MONITORING + "test_record_result.py"),
    Knockout("H23", "late and backdated draws need a reason", "monitoring/rules/slips.py",
             "        _out_of_time(typed, earlier, now),\n", "", MONITORING + "test_slips_at_the_door.py"),
    Knockout("H24", "the sweep changes no treatment", "monitoring/sweep.py",
             "        common = _common(now)\n", "        common = _common(now)\n        cursor.execute('UPDATE monitoring_treatment SET advice = %s', ['stop'])\n",
             MONITORING + "test_sweep.py"),
    Knockout("H24", "drawn and the source silent is not overdue", "monitoring/looks.py",
             "    AND (silent.name IS NULL OR NOT EXISTS (", "    AND (true OR NOT EXISTS (",
             MONITORING + "test_feed_health.py"),
    Knockout("H24", "the worklist says late and hides nobody", "monitoring/worklist.py",
             "        return [one & result_late(silent) for one in wanted] if silent else []", "        return []",
             MONITORING + "test_feed_health.py"),
    Knockout("H24", "a silence is told", "monitoring/feed_health.py",
             "        _tell(silent, now)\n", "", MONITORING + "test_feed_health.py"),
    Knockout("H25", "a correction lifts the hold", "monitoring/models/result.py",
             "latest[key].version < row.version", "latest[key].version > row.version", MONITORING + "test_import.py"),
    Knockout("H29", "re-titration after 48 hours", "monitoring/rules/advice.py",
             "pause is not None and pause.lasted(course.protocol.breaks.retitrate_hours, now, today)", "False", "tests/rules/test_edges.py"),
    Knockout("H29", "a restart says 12.5 mg before it is recorded", "monitoring/views/acts/dosing.py",
             "        if found.rebuild:\n", "        if False:\n", MONITORING + "test_acts.py"),
    Knockout("H29", "a dose against the advice is told", "monitoring/actions/treating.py",
             "    if against:\n        _tell_of", "    if False:\n        _tell_of", MONITORING + "test_acts.py"),
    Knockout("H29", "a break's dates are on the page", "monitoring/rules/open_break.py",
             "        retitrate=pause.lasted(breaks.retitrate_hours, as_of, today),\n", "        retitrate=False,\n",
             MONITORING + "test_patient_page.py"),
    Knockout("H19", "BEN is asked about at the first low count", "monitoring/views/banners.py",
             "    if latest is not None and worth_assessing(", "    if False and worth_assessing(", SUPPLY),
    Knockout("H25", "a corrected count decides at the counter", "monitoring/models/result.py",
             "latest[key].version < row.version", "latest[key].version > row.version", SUPPLY + "::test_h25_a_correction_lifts_the_hold_for_the_counter_in_its_own_transaction"),
    Knockout("H26", "a dead broker costs a log line", "monitoring/actions/nudge.py",
             "    except (OperationalError, RedisError, OSError) as error:", "    except KeyError as error:", SUPPLY),
    Knockout("H27", "one wait has one bridge", "monitoring/actions/overriding.py",
             "    if bridged.exists():", "    if False:", SUPPLY),
    Knockout("H27", "bridges are counted", "monitoring/actions/overriding.py",
             "    if not bridges_left(treatment, now):", "    if False:", SUPPLY),
    Knockout("H27", "the prescriber hears of the second key", "monitoring/actions/alerting.py",
             "Cause.LOOSENED, Cause.OVERRIDE)", "Cause.LOOSENED)", SUPPLY),
    Knockout("H28", "administrative lifts nothing clinical", "monitoring/rules/overrides.py",
             '"administrative": Level.ADMINISTRATIVE', '"administrative": Level.HOLD', "tests/rules/test_override_order.py"),
    Knockout("H28", "a bridge lifts no decision", "monitoring/rules/overrides.py",
             '"bridge": Level.WAITING', '"bridge": Level.DECISION', "tests/rules/test_override_order.py"),
    Knockout("H28", "an administrative reason hides nothing", "monitoring/rules/eligibility.py",
             "*_clinical(judgement, protocol), *_informational(judgement)]", "*_clinical(judgement, protocol), *_administrative(policy, enrolled)]",
             "tests/rules/test_override_order.py"),
    Knockout("H28", "no higher than what was seen", "monitoring/rules/overrides.py",
             "min(REACH[scope], max(seen, Level.WAITING))", "REACH[scope]", SUPPLY),
    Knockout("H29", "days since the last dose on every verdict", "monitoring/rules/eligibility.py",
             "    if (days := judgement.days_since_last_dose) is not None:", "    if (days := None) is not None:", SUPPLY),
    Knockout("H39", "the second key rests on what was shown", "monitoring/actions/overriding.py",
             "    refuse_stale(basis, treatment, verdict)\n", "", SUPPLY),
    Knockout("H39", "a stale counter authorises nothing", "monitoring/views/supply.py",
             '            basis=form.cleaned_data["basis"],\n', "", "tests/monitoring/test_supply_page.py"),
    Knockout("H30", "a hold has an alert", "monitoring/actions/treating.py",
             "        found.append(ALERTS_ON_HOLD)\n", "        pass\n", MONITORING + "test_treating.py"),
    Knockout("H34", "whoever is named and not signed stops the saving", "monitoring/views/second.py",
             "    return form.second_signed\n", "    return True\n", MONITORING + "test_second_person.py"),
    Knockout("H34", "a wrong second password saves nothing", "monitoring/views/second.py",
             "    form.second_signed = signed is not None and signed.pk == person.pk", "    form.second_signed = True", MONITORING + "test_second_person.py"),
    Knockout("H34", "the prescriber hears of what loosened", "monitoring/actions/record_result.py",
             "        raise_alerts(treatment, loosening(treatment, before, result, by=by), result=result, now=now)\n", "        pass\n",
             MONITORING + "test_slips_at_the_door.py"),
    Knockout("H33", "a clinic's patients are its own", "patients/access.py",
             "    return Patient.objects.filter(clinic__in=clinics_of(actor, verb))", "    return Patient.objects.all()",
             "tests/house/test_doors.py"),
    Knockout("H33", "an address needs its verb", "monitoring/views/transfers.py",
             'treatment_or_404(request, patient_id, "transfer")', "treatment_or_404(request, patient_id)",
             "tests/house/test_doors.py"),
    Knockout("H37", "no row of people is deleted", "patients/migrations/0001_initial.py",
             "RAISE EXCEPTION 'pgtrigger: Cannot delete rows", "RETURN OLD; RAISE EXCEPTION 'pgtrigger: Cannot delete rows",
             "tests/house/test_no_delete.py"),
    Knockout("H39", "a stale page decides nothing", "monitoring/views/stale.py",
             '        if posted.get("basis") != _basis(current, judgement):', "        if False:",
             MONITORING + "test_transfer_pages.py"),
    Knockout("H36", "an acknowledged commit is on disk", "clozatrack/embedded.py",
             "        options += [] if self.durable else list(FAST)\n", "        options += ['synchronous_commit=off', 'wal_writer_delay=10s']\n",
             "tests/faults/test_kills.py::test_h36_a_commit_that_was_acknowledged_outlives_a_kill_of_the_database"),
    Knockout("H36", "a commit waits for its second copy", "docker-compose.second-copy.yml",
             "synchronous_standby_names=second_copy", "synchronous_commit=on", "tests/faults/test_second_copy.py"),
    Knockout("H40", "a batch is one message an owner", "monitoring/actions/alerting.py",
             "    if digest is not None and digest.takes(alert):", "    if False:", MONITORING + "test_alerts.py::test_h40_a_backfill_tells_each_owner_once_of_all_that_is_not_severe"),
    Knockout("H40", "a bulk switch gathers", "monitoring/actions/switching.py",
             "    raise_alerts(treatment, found, result=None, now=now, digest=digest)", "    raise_alerts(treatment, found, result=None, now=now)",
             MONITORING + "test_protocol_change.py::test_h40_a_bulk_switch_tells_each_owner_once_of_all_that_is_not_severe"),
    Knockout("H40", "severe is never gathered", "monitoring/actions/gathering.py",
             "return alert.severity > Severity.SEVERE", "return True", MONITORING + "test_alerts.py::test_h40_severe_counts_of_a_backfill_are_told_one_by_one"),
    Knockout("H40", "a batch that dies has told", "monitoring/actions/gathering.py",
             "        owe([_message(self.run, once, channel, address, alert, clinic_name, now, due_at)])\n", "", MONITORING + "test_alerts.py::test_h40_a_backfill_that_dies_has_told_everybody"),
    Knockout("H40", "a sweep that finds many sends one", "monitoring/sweep.py",
             "severity > 1 AND count(*) FILTER", "false AND count(*) FILTER", MONITORING + "test_alerts.py::test_h40_many_tests_found_overdue_at_once_are_one_message_an_owner"),
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
