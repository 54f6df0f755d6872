"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.alert import acknowledge, alert, resolve
from monitoring.views.dead_letters import dead_letters, retry_delivery
from monitoring.views.health import health
from monitoring.views.patient import patient
from monitoring.views.result import log_result
from monitoring.views.today import today
from monitoring.views.transfer import accept, decline, transfer, withdraw
from monitoring.views.transfers import ask_transfer, transfers

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
    path("patients/<int:patient_id>/transfer/", ask_transfer, name="ask_transfer"),
    path("transfers/", transfers, name="transfers"),
    path("transfers/<int:transfer_id>/", transfer, name="transfer"),
    path("transfers/<int:transfer_id>/accept/", accept, name="accept_transfer"),
    path("transfers/<int:transfer_id>/decline/", decline, name="decline_transfer"),
    path("transfers/<int:transfer_id>/withdraw/", withdraw, name="withdraw_transfer"),
]
