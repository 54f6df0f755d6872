"""/health/: for machines that watch. Names what ails and no patient."""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from clozatrack.refusals import NO_DATABASE
from monitoring.health import ailments


def health(request: HttpRequest) -> JsonResponse:
    """200 while sweep and delivery run and the database answers; 503 and the reasons when not."""
    try:
        found = ailments(now=timezone.now())
    except DatabaseError:
        found = [NO_DATABASE]
    return JsonResponse({"ok": not found, "ailments": found}, status=503 if found else 200)
