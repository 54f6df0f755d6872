"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.acts.page import act, acts
from monitoring.views.alarm import alarm
from monitoring.views.alert import acknowledge, alert, hand_over, note, resolve
from monitoring.views.alerts import alerts, answer_alerts
from monitoring.views.audit_trail import audit_export, audit_trail
from monitoring.views.checking import check_statement
from monitoring.views.closed_days import closed_days, open_day
from monitoring.views.counter import counter
from monitoring.views.draw import drawn, end_drawn
from monitoring.views.duty import answer_offer, ask_colleague, away, back, daily_mail, duty
from monitoring.views.health import health
from monitoring.views.importing import (
    cancel,
    confirm,
    go_on_importing,
    import_columns,
    import_page,
    import_results,
    refused_rows,
)
from monitoring.views.manual import manual, try_it
from monitoring.views.override import answer_override, ask_override, review_override
from monitoring.views.own.calendar import calendar_feed, own_calendar
from monitoring.views.own.choices import own_choices
from monitoring.views.own.code import own_code
from monitoring.views.own.page import own, own_drawn
from monitoring.views.own.unwell import own_unwell
from monitoring.views.passwords import Welcome, own_password
from monitoring.views.patient import judgements, patient
from monitoring.views.people import add_known_person, invite_person, people, person_password, person_roles
from monitoring.views.programmes import non_rechallenge, record_programme, rems, void_programme
from monitoring.views.protocol_change import (
    cancel_protocol,
    confirm_protocol,
    go_on_protocol,
    protocol_change,
    protocol_change_csv,
    protocol_changes,
)
from monitoring.views.quarantine import hand_over_row, match_row, quarantine, refuse_row, waiting_row
from monitoring.views.reaching import confirm_address, reaching
from monitoring.views.register import register, register_from_file
from monitoring.views.registry import registry
from monitoring.views.reports import report_csv, reports, reports_pdf
from monitoring.views.result import log_result
from monitoring.views.reviewing import results_to_review
from monitoring.views.rota import add_shift, cancel_shift, end_away, rota, set_away, set_deputy
from monitoring.views.setting_up import clinic_policies, clinic_settings, feed, laboratory, settings_home
from monitoring.views.sheet import sheet, sheet_draft, sheet_found, sheet_row, sheet_rows
from monitoring.views.statements import issue_statement, revoke_statement, statement_paper, statements
from monitoring.views.status_forms import status_forms
from monitoring.views.supply import authorise_supply, hand_over_supply, supply, void_supply
from monitoring.views.taking_over import take_over
from monitoring.views.today import today, today_print
from monitoring.views.tokens import revoke, tokens
from monitoring.views.transfer import accept, decline, transfer, withdraw
from monitoring.views.transfers import ask_transfer, transfers
from monitoring.views.what_if import what_if
from monitoring.views.wording import front_desk, wording

urlpatterns = [
    path("", today, name="today"),
    path("patients/<int:patient_id>/", patient, name="patient"),
    path("patients/<int:patient_id>/log/", log_result, name="log_result"),
    path("patients/<int:patient_id>/supply/", supply, name="supply"),
    path("patients/<int:patient_id>/supply/authorise/", authorise_supply, name="authorise_supply"),
    path("patients/<int:patient_id>/supply/<int:authorisation_id>/", hand_over_supply, name="hand_over_supply"),
    path("patients/<int:patient_id>/supplied/<int:dispense_id>/void/", void_supply, name="void_supply"),
    path("supply/", counter, name="counter"),
    path("check/", check_statement, name="check_by_hand"),
    path("check/<str:code>/", check_statement, name="check_statement"),
    path("patients/<int:patient_id>/statements/", statements, name="statements"),
    path("patients/<int:patient_id>/statements/issue/", issue_statement, name="issue_statement"),
    path("patients/<int:patient_id>/statements/<int:statement_id>/paper.pdf", statement_paper, name="statement_paper"),
    path("patients/<int:patient_id>/statements/<int:statement_id>/revoke/", revoke_statement, name="revoke_statement"),
    path("patients/<int:patient_id>/overrides/", ask_override, name="ask_override"),
    path("patients/<int:patient_id>/overrides/<int:override_id>/", answer_override, name="answer_override"),
    path("patients/<int:patient_id>/overrides/<int:override_id>/review/", review_override, name="review_override"),
    path("patients/<int:patient_id>/reminders/", reaching, name="reaching"),
    path("patients/<int:patient_id>/reminders/confirm/", confirm_address, name="confirm_address"),
    path("patients/<int:patient_id>/rems/", rems, name="rems"),
    path("patients/<int:patient_id>/rems/record/", record_programme, name="record_programme"),
    path("patients/<int:patient_id>/rems/<int:record_id>/void/", void_programme, name="void_programme"),
    path("patients/<int:patient_id>/register/", non_rechallenge, name="non_rechallenge"),
    path("status-forms/", status_forms, name="status_forms"),
    path("alerts/<int:alert_id>/", alert, name="alert"),
    path("alerts/<int:alert_id>/acknowledge/", acknowledge, name="acknowledge"),
    path("alerts/<int:alert_id>/resolve/", resolve, name="resolve"),
    path("health/", health, name="health"),
    path("alarm/", alarm, name="alarm"),
    path("log/", sheet, name="sheet"),
    path("log/row/", sheet_row, name="sheet_row"),
    path("log/rows/", sheet_rows, name="sheet_rows"),
    path("log/draft/", sheet_draft, name="sheet_draft"),
    path("log/found/", sheet_found, name="sheet_found"),
    path("patients/<int:patient_id>/act/", acts, name="acts"),
    path("patients/<int:patient_id>/act/<slug:name>/", act, name="act"),
    path("patients/<int:patient_id>/judgements/", judgements, name="judgements"),
    path("patients/<int:patient_id>/what-if/", what_if, name="what_if"),
    path("patients/<int:patient_id>/transfer/", ask_transfer, name="ask_transfer"),
    path("results/", results_to_review, name="results_to_review"),
    path("transfers/", transfers, name="transfers"),
    path("transfers/<int:transfer_id>/", transfer, name="transfer"),
    path("transfers/<int:transfer_id>/accept/", accept, name="accept_transfer"),
    path("transfers/<int:transfer_id>/decline/", decline, name="decline_transfer"),
    path("transfers/<int:transfer_id>/withdraw/", withdraw, name="withdraw_transfer"),
    path("settings/", settings_home, name="settings"),
    path("settings/<slug:slug>/clinic/", clinic_settings, name="clinic_settings"),
    path("settings/<slug:slug>/policies/", clinic_policies, name="clinic_policies"),
    path("settings/<slug:slug>/registry/", registry, name="registry"),
    path("settings/<slug:slug>/wording/", wording, name="wording"),
    path("settings/<slug:slug>/front-desk/", front_desk, name="front_desk"),
    path("settings/<slug:slug>/laboratories/<int:laboratory_id>/", laboratory, name="laboratory"),
    path("settings/<slug:slug>/closed/", closed_days, name="closed_days"),
    path("settings/<slug:slug>/closed/<int:closed_id>/open/", open_day, name="open_day"),
    path("settings/<slug:slug>/feeds/<int:feed_id>/", feed, name="feed"),
    path("settings/<slug:slug>/people/", people, name="people"),
    path("settings/<slug:slug>/people/invite/", invite_person, name="invite_person"),
    path("settings/<slug:slug>/people/known/", add_known_person, name="add_known_person"),
    path("settings/<slug:slug>/people/<int:staff_id>/", person_roles, name="person_roles"),
    path("settings/<slug:slug>/people/<int:staff_id>/password/", person_password, name="person_password"),
    path("settings/<slug:slug>/rota/", rota, name="rota"),
    path("settings/<slug:slug>/rota/shifts/", add_shift, name="add_shift"),
    path("settings/<slug:slug>/rota/shifts/<int:shift_id>/", cancel_shift, name="cancel_shift"),
    path("settings/<slug:slug>/rota/deputy/", set_deputy, name="set_deputy"),
    path("settings/<slug:slug>/rota/away/", set_away, name="set_away"),
    path("settings/<slug:slug>/rota/away/<int:absence_id>/", end_away, name="end_away"),
    path("duty/", duty, name="duty"),
    path("duty/<slug:slug>/away/", away, name="away"),
    path("duty/<slug:slug>/mail/", daily_mail, name="daily_mail"),
    path("duty/away/<int:absence_id>/", back, name="back"),
    path("duty/shifts/<int:shift_id>/", ask_colleague, name="ask_colleague"),
    path("duty/offers/<int:offer_id>/", answer_offer, name="answer_offer"),
    path("settings/<slug:slug>/tokens/", tokens, name="tokens"),
    path("settings/<slug:slug>/tokens/<int:integration_id>/revoke/", revoke, name="revoke"),
    path("audit/", audit_trail, name="audit_trail"),
    path("audit/export/", audit_export, name="audit_export"),
    path("my/<str:token>/", own, name="own"),
    path("my/<str:token>/code/", own_code, name="own_code"),
    path("my/<str:token>/unwell/", own_unwell, name="own_unwell"),
    path("my/<str:token>/drawn/", own_drawn, name="own_drawn"),
    path("my/<str:token>/choices/", own_choices, name="own_choices"),
    path("my/<str:token>/calendar/", own_calendar, name="own_calendar"),
    path("my/<str:token>.ics", calendar_feed, name="calendar_feed"),
    path("password/", own_password, name="own_password"),
    path("welcome/<uidb64>/<token>/", Welcome.as_view(), name="welcome"),
    path("print/", today_print, name="today_print"),
    path("patients/<int:patient_id>/drawn/", drawn, name="drawn"),
    path("patients/<int:patient_id>/drawn/end/", end_drawn, name="end_drawn"),
    path("alerts/", alerts, name="alerts"),
    path("alerts/answer/", answer_alerts, name="answer_alerts"),
    path("alerts/<int:alert_id>/hand-over/", hand_over, name="hand_over"),
    path("alerts/<int:alert_id>/note/", note, name="alert_note"),
    path("reports/", reports, name="reports"),
    path("reports/reports.pdf", reports_pdf, name="reports_pdf"),
    path("reports/<slug:key>.csv", report_csv, name="report_csv"),
    path("manual/", manual, name="manual"),
    path("manual/try/", try_it, name="try_it"),
    path("manual/<slug:protocol_key>/", manual, name="manual_of"),
    path("import/", import_results, name="import_results"),
    path("import/<int:import_id>/", import_page, name="import"),
    path("import/<int:import_id>/columns/", import_columns, name="import_columns"),
    path("import/<int:import_id>/confirm/", confirm, name="confirm_import"),
    path("import/<int:import_id>/go-on/", go_on_importing, name="go_on_importing"),
    path("import/<int:import_id>/cancel/", cancel, name="cancel_import"),
    path("import/<int:import_id>/refused.csv", refused_rows, name="refused_rows"),
    path("quarantine/", quarantine, name="quarantine"),
    path("quarantine/<int:row_id>/", waiting_row, name="waiting_row"),
    path("quarantine/<int:row_id>/match/<int:patient_id>/", match_row, name="match_row"),
    path("quarantine/<int:row_id>/refuse/", refuse_row, name="refuse_row"),
    path("quarantine/<int:row_id>/hand-over/", hand_over_row, name="hand_over_row"),
    path("protocol-changes/", protocol_changes, name="protocol_changes"),
    path("protocol-changes/<int:change_id>/", protocol_change, name="protocol_change"),
    path("protocol-changes/<int:change_id>/go-on/", go_on_protocol, name="go_on_protocol"),
    path("protocol-changes/<int:change_id>/confirm/", confirm_protocol, name="confirm_protocol"),
    path("protocol-changes/<int:change_id>/cancel/", cancel_protocol, name="cancel_protocol"),
    path("protocol-changes/<int:change_id>/rows.csv", protocol_change_csv, name="protocol_change_csv"),
    path("register/", register, name="register"),
    path("register/file/", register_from_file, name="register_from_file"),
    path("patients/<int:patient_id>/take-over/", take_over, name="take_over"),
]
