"""A token opens one clinic, for the verbs that it was given."""

from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from patients.actions import token_hash
from patients.models import Clinic, Integration
from patients.rows import Rows

if TYPE_CHECKING:
    # REST framework imports this module while it loads its own views.
    from rest_framework.views import APIView

TOKEN, CLINIC = Rows(Integration), Rows(Clinic)
BY_HASH = f"""
    SELECT {TOKEN.columns("i")}, {CLINIC.columns("c")} FROM {TOKEN.table} i JOIN {CLINIC.table} c ON c.id = i.clinic_id
    WHERE i.token_hash = %s AND i.revoked_at IS NULL
"""  # noqa: S608  # names of our own tables and columns


def integration_of(token: str) -> Integration | None:
    """The program whose token this is, with its clinic; None for one that is unknown or revoked."""
    with connection.cursor() as cursor:
        cursor.execute(BY_HASH, [token_hash(token)])
        values = cursor.fetchone()
    if values is None:
        return None
    found, clinic = TOKEN.read(values[: len(TOKEN)]), CLINIC.read(values[len(TOKEN) :])
    if found and clinic:
        found.clinic = clinic
    return found


class IntegrationAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`."""

    def authenticate(self, request: HttpRequest | Request) -> tuple[Integration, str] | None:
        """The integration that the token belongs to. Raises for a token that is unknown or revoked."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = integration_of(token)
        if found is None:
            raise AuthenticationFailed("This token is unknown or revoked. Ask the clinic's admin for a new one.")
        return found, token

    def authenticate_header(self, request: HttpRequest | Request) -> str:
        """What a caller without a token should send."""
        return "Bearer"


class VerbAllowed(BasePermission):
    """Each view names the verb that it needs, by method."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the token was given that verb. Raises for a method that the view names no verb for."""
        if not isinstance(request.user, Integration):
            return False
        verbs: dict[str, str] = getattr(view, "verbs", {})
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in verbs:
            raise MethodNotAllowed(method, f"{method} is not possible here; possible: {', '.join(verbs)}.")
        self.message = f"This token lacks the verb {verbs[method]}. Ask the clinic's admin for one that has it."
        return verbs[method] in request.user.verbs
