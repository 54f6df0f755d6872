"""Addresses of clinic work."""

from django.urls import path

from monitoring.views.alert import acknowledge, alert, resolve
from monitoring.views.dead_letters import dead_letters, retry_delivery
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
from monitoring.views.patient import patient
from monitoring.views.quarantine import hand_over_row, match_row, quarantine, refuse_row, waiting_row
from monitoring.views.register import register, register_from_file
from monitoring.views.result import log_result
from monitoring.views.taking_over import take_over
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
    path("register/", register, name="register"),
    path("register/file/", register_from_file, name="register_from_file"),
    path("patients/<int:patient_id>/take-over/", take_over, name="take_over"),
]
