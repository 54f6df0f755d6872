"""A change in two steps: what was typed is shown with its consequences, and done when that is confirmed."""

from collections.abc import Sequence

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def typed(request: HttpRequest, form: Form) -> bool:
    """Whether something valid was posted that the person does not want to change once more."""
    return request.method == "POST" and form.is_valid() and "change" not in request.POST


def confirmed(request: HttpRequest) -> bool:
    """Whether the person has seen the consequences and said yes."""
    return "confirm" in request.POST


def confirm_page(
    request: HttpRequest, *, title: str, form: Form, consequences: Sequence[str], go_on: str, back: str, **more: object
) -> HttpResponse:
    """The second step: the consequences, and what was typed in hidden fields."""
    page = {"title": title, "form": form, "consequences": consequences, "go_on": go_on, "back": back}
    return render(request, "monitoring/confirm.html", page | more)
