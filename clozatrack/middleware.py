"""What every request says truly, and what every answer carries."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render, resolve_url

from monitoring.views.finding import page_before

View = Callable[[HttpRequest], HttpResponse]
MOST_KEPT = 10


def own_address(get_response: View) -> View:
    """From where a request came, where `settings.PROXIES` proxies stand before the service: each adds whom it saw.

    What stands further left was written by the sender, who may write what they like.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        seen = request.headers.get("X-Forwarded-For", "").split(",")
        if 0 < settings.PROXIES <= len(seen) and (address := _address(seen[-settings.PROXIES])):
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return answer


def no_store(get_response: View) -> View:
    """A page behind sign-in is never kept by a browser or a proxy: the next person at this screen must not see it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def no_silent_loss(get_response: View) -> View:
    """What a form sends after its session has ended is answered with "Not done", and no address shows a blank page."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and response.status_code == 302:
            sign_in = f"{resolve_url(settings.LOGIN_URL)}?next="
            return _signed_out(request) if response.headers["Location"].startswith(sign_in) else response
        if request.method == "GET" and response.status_code == 405 and not response.content:
            response.content = render(request, "405.html").content
        return response

    return answer


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def _signed_out(request: HttpRequest) -> HttpResponse:
    page = {"form": AuthenticationForm(request), "next": page_before(request) or "/", "typed": _words(request.POST)}
    return render(request, "signed_out.html", page, status=401)


def _words(posted: QueryDict) -> list[str]:
    """What a person wrote, to be copied: neither choices and marks of the form, nor any password."""
    said = [value.strip() for name, values in posted.lists() if "password" not in name for value in values]
    return [value for value in said if " " in value][:MOST_KEPT]
