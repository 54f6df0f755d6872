"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.alert import acknowledge, alert, resolve
from monitoring.views.dead_letters import dead_letters, retry_delivery
from monitoring.views.health import health
from monitoring.views.manual import manual, try_it
from monitoring.views.patient import patient
from monitoring.views.reports import report_csv, reports, reports_pdf
from monitoring.views.result import log_result
from monitoring.views.today import today

urlpatterns = [
    path("", today, name="today"),
    path("patients/<int:patient_id>/", patient, name="patient"),
    path("patients/<int:patient_id>/log/", log_result, name="log_result"),
    path("alerts/<int:alert_id>/", alert, name="alert"),
    path("alerts/<int:alert_id>/acknowledge/", acknowledge, name="acknowledge"),
    path("alerts/<int:alert_id>/resolve/", resolve, name="resolve"),
    path("mail/", dead_letters, name="dead_letters"),
    path("mail/<int:delivery_id>/retry/", retry_delivery, name="retry_delivery"),
    path("health/", health, name="health"),
    path("reports/", reports, name="reports"),
    path("reports/reports.pdf", reports_pdf, name="reports_pdf"),
    path("reports/<slug:key>.csv", report_csv, name="report_csv"),
    path("manual/", manual, name="manual"),
    path("manual/try/", try_it, name="try_it"),
    path("manual/<slug:key>/", manual, name="manual_of"),
]
