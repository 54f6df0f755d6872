"""What would the US REMS have said on a day? The same answer as the page's, for a program."""

from datetime import date
from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.programmes import rems_said
from monitoring.actions.requirements import LAST_DAY, of_clinic, of_rems
from monitoring.api import schema
from monitoring.api.views import opened
from monitoring.rules.errors import InputError


class Rems(APIView):
    """The answer of the programme, and how each of its requirements stood."""

    verbs: ClassVar = {"GET": "eligibility:read"}

    @extend_schema(responses=schema.REMS, parameters=[schema.ON], operation_id="rems")
    def get(self, request: Request, treatment_id: int) -> Response:
        """`?on=2023-05-04`; without it today, when nothing is asked any more. Asking is opening the patient."""
        treatment = opened(request, treatment_id)
        today = timezone.now().astimezone(treatment.clinic.zone).date()
        on = _day(request.query_params.get("on"), today)
        try:
            said = rems_said(treatment, on)
        except ValueError as error:
            raise InputError("on", str(error)) from error
        return Response(
            {
                "on": on,
                "era": said.era,
                "outcome": said.outcome,
                "because": said.because,
                "warnings": said.warnings,
                "tolerated": said.tolerated,
                "discharge_days": said.discharge_days,
                "requirements_on": min(on, LAST_DAY),
                "requirements": [one.as_dict() for one in of_rems(treatment, on)],
                "clinic_registry": [one.as_dict() for one in of_clinic(treatment, on)],
            }
        )


def _day(written: str | None, today: date) -> date:
    if written is None:
        return today
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise InputError("on", f"{ascii(written)[1:-1]} is not a day; write it as 2023-05-04") from error
