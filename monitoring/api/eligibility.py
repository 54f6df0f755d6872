"""May I dispense? The same answer as the pharmacist's page, for a program."""

from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.dispensing import as_json, plan_of, verdict_of
from monitoring.api import schema
from monitoring.api.reading import read_ahead
from monitoring.api.views import opened
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.supply import supply_clock


class Eligibility(APIView):
    """The verdict for this moment; asking is opening the patient, and writes nothing else."""

    verbs: ClassVar = {"POST": "eligibility:read"}

    @extend_schema(request=schema.AHEAD, responses=schema.VERDICT, operation_id="eligibility")
    def post(self, request: Request, treatment_id: int) -> Response:
        """What may be supplied, for how many days, until when, and why; with `collect_on` also for a day ahead."""
        treatment, now = opened(request, treatment_id), timezone.now()
        # The question needs no body: what is no JSON asks about now.
        ahead = read_ahead(request.data) if request.content_type.startswith("application/json") else None
        said = {"basis_version": treatment.version, "protocol": treatment.protocol_key}
        said |= as_json(verdict_of(treatment, now=now)) | {"supply_clock": _clock(treatment, now), "planned": None}
        if ahead is not None:
            try:
                said["planned"] = as_json(plan_of(treatment, collect_on=ahead[0], back_on=ahead[1], now=now))
            except ValueError as error:
                raise InputError("collect_on", str(error)) from error
        return Response(said)


def _clock(treatment: Treatment, now: datetime) -> dict[str, Any]:
    clock, booked = supply_clock(treatment, now=now), treatment.bookings.filter(ended_at=None).first()
    return {
        "tablets_until": clock.covered_until,
        "days_left": clock.days_left,
        "gap_on": clock.gap_on,
        "test_booked": booked.day if booked else None,
        "gap_means": [{"on": stone.on, "rule": stone.rule, "text": stone.text} for stone in clock.milestones],
    }


class BareEligibility(Eligibility):
    """The same without its last slash, for programs that leave it off; described once."""

    schema = None
