"""A form that is refused because it was not made for this session."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Mostly a page from before a sign-in in another tab; a patient's page says so in their words."""
    own = request.path.startswith("/my/")
    return render(request, "monitoring/own/not_done.html" if own else "403_csrf.html", status=403)
