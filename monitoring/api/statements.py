"""Eligibility statements for a program: issued, listed, printed and taken back."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.dispensing import NotAuthorisedError
from monitoring.actions.statements import Standing, issue_statement, revoke_statement, standing_of, standings
from monitoring.api import schema
from monitoring.api.problems import Conflict
from monitoring.api.views import PAGE, caller, opened
from monitoring.models import Statement
from monitoring.papers.statement import printed
from monitoring.rules.errors import InputError

FIELDS = ("entry", "basis_version", "addressee")


class Statements(APIView):
    """The statements of a treatment."""

    verbs: ClassVar = {"GET": "eligibility:read", "POST": "statements:write"}

    @extend_schema(responses=schema.STATEMENTS, operation_id="statements")
    def get(self, request: Request, treatment_id: int) -> Response:
        """The last hundred, the newest first, each with whether it holds now."""
        treatment = opened(request, treatment_id)
        rows = list(treatment.statements.order_by("-issued_at", "-pk")[:PAGE])
        return Response({"items": [_told(*one) for one in standings(treatment, rows, now=timezone.now())]})

    @extend_schema(request=schema.NEW_STATEMENT, responses={201: schema.STATEMENT}, operation_id="issue_statement")
    def post(self, request: Request, treatment_id: int) -> Response:
        """Put the answer on paper. The same `entry` again is the same statement; 409 where nothing may be supplied."""
        treatment, sent = opened(request, treatment_id), _read(request.data)
        try:
            statement = issue_statement(
                treatment=treatment, by=caller(request), now=timezone.now(), ip=request.META.get("REMOTE_ADDR"), **sent
            )
        except NotAuthorisedError as error:
            raise Conflict(str(error)) from error
        return Response(_told(statement, standing_of(statement, now=timezone.now())), status=201)


class Pdf(BaseRenderer):
    """Bytes that are a PDF already."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        """As they are; a refusal as JSON."""
        return data if isinstance(data, bytes) else JSONRenderer().render(data)


class StatementPaper(APIView):
    """One statement as PDF."""

    verbs: ClassVar = {"GET": "eligibility:read"}
    renderer_classes = (Pdf, JSONRenderer)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, operation_id="statement_paper")
    def get(self, request: Request, treatment_id: int, statement_id: int) -> Response:
        """The paper of one that holds; 409 for one that has ended."""
        statement = _one(request, treatment_id, statement_id)
        if not standing_of(statement, now=timezone.now()).valid:
            raise Conflict("This statement is not valid any more, so it is not printed. Issue a new one.")
        return Response(printed(statement, base_url=settings.BASE_URL), content_type="application/pdf")


class RevokeStatement(APIView):
    """The end of one statement."""

    verbs: ClassVar = {"POST": "statements:write"}

    @extend_schema(request=schema.REASON, responses=schema.STATEMENT, operation_id="revoke_statement")
    def post(self, request: Request, treatment_id: int, statement_id: int) -> Response:
        """Take it back, with the reason; twice is once."""
        statement, sent = _one(request, treatment_id, statement_id), request.data
        reason = sent.get("reason") if isinstance(sent, dict) else None
        if not isinstance(reason, str) or not reason.strip() or len(reason) > 500:
            raise InputError("reason", "say in 1 to 500 characters why the statement is taken back")
        now = timezone.now()
        revoke_statement(
            statement=statement, reason=reason, by=caller(request), now=now, ip=request.META.get("REMOTE_ADDR")
        )
        return Response(_told(statement, standing_of(statement, now=now)))


def _one(request: Request, treatment_id: int, statement_id: int) -> Statement:
    return get_object_or_404(opened(request, treatment_id).statements, pk=statement_id)


def _read(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InputError("body", "send a JSON object; {} is enough")
    if unknown := sorted(set(body) - set(FIELDS)):
        raise InputError(ascii(unknown[0])[1:-1], f"no such field; known: {', '.join(FIELDS)}")
    basis, addressee = body.get("basis_version"), body.get("addressee", "")
    if basis is not None and (not isinstance(basis, int) or isinstance(basis, bool)):
        raise InputError("basis_version", "send the basis_version of the eligibility answer, or leave it out")
    if not isinstance(addressee, str) or len(addressee) > 120 or not addressee.isprintable():
        raise InputError("addressee", "send a text of at most 120 characters on one line, or leave it out")
    return {"entry": _entry(body.get("entry")), "basis": basis, "addressee": addressee}


def _entry(sent: object) -> uuid.UUID:
    if sent is None:
        return uuid.uuid4()
    try:
        return uuid.UUID(str(sent))
    except ValueError as error:
        raise InputError("entry", "send a UUID of your own, so that asking again makes no second one") from error


def _told(row: Statement, standing: Standing) -> dict[str, Any]:
    return {
        "id": row.pk,
        "treatment": row.treatment_id,
        "code": row.code,
        "check": f"{settings.BASE_URL}/check/{row.code}/",
        "addressee": row.addressee,
        "issued_at": row.issued_at,
        "valid_until": row.valid_until,
        "days": row.verdict["days"],
        "until": row.until,
        "basis_version": row.basis_version,
        "valid": standing.valid,
        "since": standing.since,
    }
