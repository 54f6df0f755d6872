"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.alert import acknowledge, alert, hand_over, note, resolve
from monitoring.views.alerts import alerts, answer_alerts
from monitoring.views.dead_letters import dead_letters, retry_delivery
from monitoring.views.draw import drawn, end_drawn
from monitoring.views.health import health
from monitoring.views.patient import patient
from monitoring.views.result import log_result
from monitoring.views.today import today, today_print

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
    path("print/", today_print, name="today_print"),
    path("patients/<int:patient_id>/drawn/", drawn, name="drawn"),
    path("patients/<int:patient_id>/drawn/end/", end_drawn, name="end_drawn"),
    path("alerts/", alerts, name="alerts"),
    path("alerts/answer/", answer_alerts, name="answer_alerts"),
    path("alerts/<int:alert_id>/hand-over/", hand_over, name="hand_over"),
    path("alerts/<int:alert_id>/note/", note, name="alert_note"),
]
