"""Does a statement still hold? For whoever has the paper: no sign-in, no patient, nothing but the answer."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from monitoring.actions.statements import code_in, standing_of, statement_by_code
from monitoring.throttle import PER_MINUTE, too_often
from monitoring.views.finding import address_of

ANSWERS = {
    "valid": ("calm", "✓", "Valid"),
    "not_valid": ("stop", "✕", "Not valid"),
    "not_known": ("warn", "?", "Not known"),
}


@require_safe
def check_statement(request: HttpRequest, code: str = "") -> HttpResponse:
    """Valid, not valid or not known, in one shape; as JSON for a program that asks for it."""
    now, typed = timezone.now(), (code or request.GET.get("code", "")).strip()
    if typed and too_often("check", address_of(request) or "", now=now):
        text = f"More than {PER_MINUTE} questions in a minute came from your address. Ask again in a minute."
        return _sealed(HttpResponse(text, status=429, content_type="text/plain", headers={"Retry-After": "60"}))
    statement = statement_by_code(code_in(f"check/{typed}"))
    standing = standing_of(statement, now=now) if statement else None
    answer = "not_known" if standing is None else "valid" if standing.valid else "not_valid"
    since = standing.since.astimezone(timezone.get_default_timezone()) if standing else None
    if "application/json" in request.headers.get("Accept", ""):
        told = {"answer": answer, "since": since and since.isoformat(timespec="seconds"), "asked_at": now}
        return _sealed(JsonResponse(told))
    page = {"typed": typed, "since": since, "now": now, "shown": ANSWERS[answer] if typed else None}
    return _sealed(render(request, "monitoring/check.html", page))


def _sealed(answer: HttpResponse) -> HttpResponse:
    """The address is the secret of the paper: it is kept nowhere and told to nobody."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Vary"] = "Accept"
    return answer
