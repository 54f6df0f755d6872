"""How long a session runs: from the sign-in, and on from a request of a person when half of it is over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

View = Callable[[HttpRequest], HttpResponse]
RUNS_SINCE = "runs_since"


@receiver(user_logged_in)
def _begin(request: HttpRequest, **_: Any) -> None:
    request.session[RUNS_SINCE] = timezone.now().isoformat()


def stay_signed_in(get_response: View) -> View:
    """Who works here stays signed in. Not with each request, which would be a write each time.

    What a page asks for by itself lengthens nothing, or a screen that nobody attends would never sign out.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        session, now = request.session, timezone.now()
        if session.accessed and SESSION_KEY in session and "HX-Request" not in request.headers:
            since, half = session.get(RUNS_SINCE), timedelta(seconds=settings.SESSION_COOKIE_AGE / 2)
            if since is None or now - datetime.fromisoformat(since) > half:
                session[RUNS_SINCE] = now.isoformat()
        return response

    return answer
