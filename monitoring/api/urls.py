"""Addresses of the API."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from monitoring.api import views
from monitoring.api.booking import TestBooking
from monitoring.api.eligibility import BareEligibility, Eligibility
from monitoring.api.rems import Rems
from monitoring.api.statements import RevokeStatement, StatementPaper, Statements

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]), name="api_schema"),
    path("patients/", views.Patients.as_view(), name="api_patients"),
    path("patients/<int:patient_id>/", views.OnePatient.as_view(), name="api_patient"),
    path("treatments/", views.Treatments.as_view(), name="api_treatments"),
    path("treatments/<int:treatment_id>/", views.OneTreatment.as_view(), name="api_treatment"),
    path("treatments/<int:treatment_id>/results/", views.Results.as_view(), name="api_results"),
    path("treatments/<int:treatment_id>/judgements/", views.Judgements.as_view(), name="api_judgements"),
    path("treatments/<int:treatment_id>/booking/", TestBooking.as_view(), name="api_booking"),
    path("treatments/<int:treatment_id>/eligibility/", Eligibility.as_view(), name="api_eligibility"),
    path("treatments/<int:treatment_id>/eligibility", BareEligibility.as_view(), name="api_eligibility_bare"),
    path("treatments/<int:treatment_id>/rems/", Rems.as_view(), name="api_rems"),
    path("treatments/<int:treatment_id>/statements/", Statements.as_view(), name="api_statements"),
    path(
        "treatments/<int:treatment_id>/statements/<int:statement_id>/paper.pdf",
        StatementPaper.as_view(),
        name="api_statement_paper",
    ),
    path(
        "treatments/<int:treatment_id>/statements/<int:statement_id>/revoke/",
        RevokeStatement.as_view(),
        name="api_revoke_statement",
    ),
    path("alerts/", views.Alerts.as_view(), name="api_alerts"),
    path("alerts/<int:alert_id>/", views.OneAlert.as_view(), name="api_alert"),
    path("worklist/", views.Worklist.as_view(), name="api_worklist"),
    re_path("", views.Nothing.as_view()),
]
