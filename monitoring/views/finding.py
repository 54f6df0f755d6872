"""Finding what a page is about; what a person may not see does not exist."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme

from monitoring.doors import treatments_of
from monitoring.models import Treatment
from patients.access import clinics_of, patients_of
from patients.models import Clinic, Staff


def signed_in_part(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """login_required for what a page asks for itself: 401 and a fresh page, which asks to sign in and comes back here.

    The page to sign in on would else be put where the part stood.
    """

    @wraps(view)
    def part(request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        if "HX-Request" in request.headers and not request.user.is_authenticated:
            return HttpResponse("You are signed out.", status=401, headers={"HX-Refresh": "true"})
        return login_required(view)(request, *args, **more)

    return part


def staff_of(request: HttpRequest) -> Staff:
    """The person who is signed in; views are behind login_required."""
    if not isinstance(request.user, Staff):
        raise TypeError("this view needs login_required")
    return request.user


def treatment_or_404(request: HttpRequest, patient_id: int, verb: str = "see_patients") -> Treatment:
    """A patient's treatment, if this person may know of it."""
    staff = staff_of(request)
    patient = get_object_or_404(patients_of(staff, verb), pk=patient_id)
    return get_object_or_404(treatments_of(staff, verb), patient=patient)


def clinic_or_404(request: HttpRequest, slug: str, verb: str = "set_up_clinic") -> Clinic:
    """A clinic at which this person may do this."""
    return get_object_or_404(clinics_of(staff_of(request), verb), slug=slug)


def address_of(request: HttpRequest) -> str | None:
    """From where the request came."""
    return request.META.get("REMOTE_ADDR") or None


def page_before(request: HttpRequest) -> str:
    """The page of this service on which the form or the link stood; nothing where the browser does not say."""
    said = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(said)
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return address if url_has_allowed_host_and_scheme(address, None) else ""
