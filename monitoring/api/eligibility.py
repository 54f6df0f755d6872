"""May I dispense? The same answer as the pharmacist's page, for a program."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.dispensing import as_json, verdict_of
from monitoring.api import schema
from monitoring.api.views import opened


class Eligibility(APIView):
    """The verdict for this moment; asking is opening the patient, and writes nothing else."""

    verbs: ClassVar = {"POST": "eligibility:read"}

    @extend_schema(request=None, responses=schema.VERDICT, operation_id="eligibility")
    def post(self, request: Request, treatment_id: int) -> Response:
        """What may be supplied, for how many days, until when, and why."""
        treatment = opened(request, treatment_id)
        verdict = verdict_of(treatment, now=timezone.now())
        return Response({"basis_version": treatment.version, "protocol": treatment.protocol_key} | as_json(verdict))


class BareEligibility(Eligibility):
    """The same without its last slash, for programs that leave it off; described once."""

    schema = None
