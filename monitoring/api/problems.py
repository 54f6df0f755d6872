"""Problem details (RFC 9457): every refusal says what was wrong, and where it can, what would be right."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from monitoring.rules.errors import InputError

CONTENT_TYPE = "application/problem+json"


class Conflict(exceptions.APIException):
    """The same key with another body, or a version that is stored with other content."""

    status_code = 409
    default_code = "conflict"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework calls this for whatever a view raised."""
    if isinstance(error, InputError):
        return problem(400, "The request could not be understood.", [(error.field, error.message)])
    if isinstance(error, Http404):
        return problem(404, "There is no such thing here, or it is not this token's to see.")
    if isinstance(error, PermissionDenied):
        return problem(403, "This token may not do that.")
    if isinstance(error, exceptions.APIException):
        detail = error.detail if isinstance(error.detail, str) else str(error.default_detail)
        answer = problem(error.status_code, detail)
        if (header := getattr(error, "auth_header", None)) is not None:
            answer.headers["WWW-Authenticate"] = header
        return answer
    return None


def problem(status: int, detail: str, errors: list[tuple[str, str]] | None = None) -> Response:
    """One problem as JSON."""
    set_rollback()
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Refused"), "status": status}
    body["detail"] = detail
    if errors:
        body["errors"] = [{"field": field, "message": message} for field, message in errors]
    return Response(body, status=status, content_type=CONTENT_TYPE)


TITLES = {
    400: "Bad request",
    401: "Sign-in needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    415: "Unsupported media type",
}
