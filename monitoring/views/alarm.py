"""The alarms that stand, asked for every minute by every page that is open."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.alarms import alarms
from patients.access import verbs_of
from patients.models import Staff


def alarm(request: HttpRequest) -> HttpResponse:
    """The alarms alone; 204 when the page shows them already, so that nobody is told of them twice.

    Not signed in is 401 and no page to sign in on: that would stand where the alarm stood.
    """
    if not isinstance(request.user, Staff):
        return HttpResponse(status=401)
    standing = alarms(request.user, verbs_of(request.user), now=timezone.now())
    if request.GET.get("seen") == standing.token:
        return HttpResponse(status=204)
    return render(request, "monitoring/alarm.html", {"alarms": standing})
