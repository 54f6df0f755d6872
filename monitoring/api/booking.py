"""The day of the next blood test, read and told by a program that keeps the appointments."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.booking import book_test, cancel_booking
from monitoring.api import schema
from monitoring.api.reading import read_booking
from monitoring.api.views import caller, opened
from monitoring.models import Treatment


class TestBooking(APIView):
    """The booked test of a treatment: at most one."""

    verbs: ClassVar = {"GET": "results:read", "POST": "bookings:write"}

    @extend_schema(responses=schema.BOOKING, operation_id="booking")
    def get(self, request: Request, treatment_id: int) -> Response:
        """The day that is booked; null where none is."""
        return Response(_said(opened(request, treatment_id)))

    @extend_schema(request=schema.BOOKING, responses=schema.BOOKING, operation_id="book_test")
    def post(self, request: Request, treatment_id: int) -> Response:
        """Book a day, or move what is booked; a null day with a reason cancels it."""
        day, reason = read_booking(request.data)
        treatment, by = opened(request, treatment_id), caller(request)
        now, ip = timezone.now(), request.META.get("REMOTE_ADDR")
        if day is not None:
            book_test(treatment=treatment, day=day, by=by, now=now, ip=ip)
        else:
            standing = get_object_or_404(treatment.bookings, ended_at=None)
            cancel_booking(booking=standing, reason=reason, by=by, now=now, ip=ip)
        return Response(_said(treatment))


def _said(treatment: Treatment) -> dict[str, Any]:
    standing = treatment.bookings.filter(ended_at=None).first()
    return {"day": standing.day if standing else None}
