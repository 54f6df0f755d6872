"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.acts.page import act, acts
from monitoring.views.alert import acknowledge, alert, resolve
from monitoring.views.dead_letters import dead_letters, retry_delivery
from monitoring.views.health import health
from monitoring.views.override import answer_override, ask_override
from monitoring.views.patient import judgements, patient
from monitoring.views.programmes import non_rechallenge, record_programme, rems, status_forms, void_programme
from monitoring.views.result import log_result
from monitoring.views.sheet import sheet, sheet_draft, sheet_found, sheet_row, sheet_rows
from monitoring.views.supply import authorise_supply, hand_over_supply, supply, void_supply
from monitoring.views.today import today

urlpatterns = [
    path("", today, name="today"),
    path("patients/<int:patient_id>/", patient, name="patient"),
    path("patients/<int:patient_id>/log/", log_result, name="log_result"),
    path("patients/<int:patient_id>/supply/", supply, name="supply"),
    path("patients/<int:patient_id>/supply/authorise/", authorise_supply, name="authorise_supply"),
    path("patients/<int:patient_id>/supply/<int:authorisation_id>/", hand_over_supply, name="hand_over_supply"),
    path("patients/<int:patient_id>/supplied/<int:dispense_id>/void/", void_supply, name="void_supply"),
    path("patients/<int:patient_id>/overrides/", ask_override, name="ask_override"),
    path("patients/<int:patient_id>/overrides/<int:override_id>/", answer_override, name="answer_override"),
    path("patients/<int:patient_id>/rems/", rems, name="rems"),
    path("patients/<int:patient_id>/rems/record/", record_programme, name="record_programme"),
    path("patients/<int:patient_id>/rems/<int:record_id>/void/", void_programme, name="void_programme"),
    path("patients/<int:patient_id>/register/", non_rechallenge, name="non_rechallenge"),
    path("status-forms/", status_forms, name="status_forms"),
    path("alerts/<int:alert_id>/", alert, name="alert"),
    path("alerts/<int:alert_id>/acknowledge/", acknowledge, name="acknowledge"),
    path("alerts/<int:alert_id>/resolve/", resolve, name="resolve"),
    path("mail/", dead_letters, name="dead_letters"),
    path("mail/<int:delivery_id>/retry/", retry_delivery, name="retry_delivery"),
    path("health/", health, name="health"),
    path("log/", sheet, name="sheet"),
    path("log/row/", sheet_row, name="sheet_row"),
    path("log/rows/", sheet_rows, name="sheet_rows"),
    path("log/draft/", sheet_draft, name="sheet_draft"),
    path("log/found/", sheet_found, name="sheet_found"),
    path("patients/<int:patient_id>/act/", acts, name="acts"),
    path("patients/<int:patient_id>/act/<slug:name>/", act, name="act"),
    path("patients/<int:patient_id>/judgements/", judgements, name="judgements"),
]
