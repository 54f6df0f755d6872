"""The shapes of the API, for its OpenAPI description."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers as kind


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped in drf-spectacular
    """How a program says who it is."""

    target_class = "patients.api.IntegrationAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """`Authorization: Bearer TOKEN`."""
        return {"type": "http", "scheme": "bearer"}


AFTER = OpenApiParameter("after", int, description="The `next` of the page before.")
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body has the same answer; with another body it is refused (409).",
)
KINDS = {"whole": kind.IntegerField, "text": kind.CharField, "day": kind.DateField, "moment": kind.DateTimeField}


def described(name: str, **fields: str) -> kind.Serializer:
    """What an answer holds: each field with its kind, and "?" where it may be null."""
    made = {field: KINDS[said.rstrip("?")](allow_null=said.endswith("?")) for field, said in fields.items()}
    return inline_serializer(name, made)


PATIENT = described(
    "Patient",
    id="whole",
    mrn="text",
    given_name="text",
    family_name="text",
    date_of_birth="day",
)
TREATMENT = described(
    "Treatment",
    id="whole",
    patient="whole",
    protocol="text",
    version="whole",
    band="text?",
    treatment="text?",
    frequency="text?",
    due_on="day?",
    overdue_after="day?",
    tablets_until="day?",
    assessed_at="moment?",
)
RESULT = inline_serializer(
    "Result",
    {
        "id": kind.IntegerField(),
        "treatment": kind.IntegerField(),
        "source": kind.CharField(),
        "accession": kind.CharField(),
        "version": kind.IntegerField(help_text="Its place: of one accession the highest stands."),
        "sent_version": kind.IntegerField(allow_null=True, help_text="The number its source gave; null: typed here."),
        "status": kind.CharField(),
        "drawn_at": kind.DateTimeField(),
        "received_at": kind.DateTimeField(),
        "anc": kind.CharField(allow_null=True, help_text="Per microlitre, exact, with the sign it came with."),
        "wbc": kind.CharField(allow_null=True),
        "supported": kind.BooleanField(),
        "flags": kind.ListField(child=kind.CharField()),
    },
)
REPORT = inline_serializer(
    "Report",
    {
        "source": kind.CharField(),
        "accession": kind.CharField(),
        "version": kind.IntegerField(required=False),
        "status": kind.CharField(help_text="preliminary, final, corrected or entered_in_error"),
        "drawn_at": kind.DateTimeField(),
        "anc": kind.CharField(required=False),
        "wbc": kind.CharField(required=False),
        "unit": kind.CharField(required=False),
        "neutrophils_percent": kind.CharField(required=False),
        "segs_percent": kind.CharField(required=False),
        "bands_percent": kind.CharField(required=False),
        "supported": kind.BooleanField(required=False),
        "confirmed": kind.BooleanField(required=False),
    },
)
ALERT = described(
    "Alert",
    id="whole",
    treatment="whole",
    cause="text",
    severity="text",
    state="text",
    summary="text",
    raised_at="moment",
    deadline="moment?",
    escalated_at="moment?",
    outcome="text?",
)
VERDICT = inline_serializer(
    "Verdict",
    {
        "basis_version": kind.IntegerField(),
        "protocol": kind.CharField(),
        "day": kind.DateField(),
        "answer": kind.CharField(help_text="may_supply, prescriber_decides or do_not_supply"),
        "days": kind.IntegerField(),
        "until": kind.DateField(allow_null=True),
        "why": kind.ListField(child=kind.JSONField()),
        "holds_until": kind.DateField(allow_null=True),
        "sample_by": kind.DateField(allow_null=True),
        "days_since_last_dose": kind.IntegerField(allow_null=True),
        "tablets_until": kind.DateField(allow_null=True),
        "supply_clock": kind.JSONField(help_text="Days left, the day the gap begins, what it means, the test booked."),
        "planned": kind.JSONField(allow_null=True, help_text="For the day ahead that was asked about."),
    },
)
AHEAD = inline_serializer(
    "Ahead",
    {
        "collect_on": kind.DateField(required=False, help_text="The day of discharge, or of leaving."),
        "back_on": kind.DateField(required=False, allow_null=True, help_text="The day back; null for a discharge."),
    },
)
BOOKING = inline_serializer(
    "Booking",
    {
        "day": kind.DateField(allow_null=True, help_text="The day of the draw; null cancels what is booked."),
        "reason": kind.CharField(required=False, write_only=True, help_text="Why it is cancelled."),
    },
)
ON = OpenApiParameter("on", OpenApiTypes.DATE, description="The day asked about; today where it is left out")
REMS = inline_serializer(
    "Rems",
    {
        "on": kind.DateField(),
        "era": kind.CharField(help_text="2015, 2019, 2021 or ended"),
        "outcome": kind.CharField(help_text="authorised, refused, not_asked, not_begun or not_on_record"),
        "because": kind.ListField(child=kind.CharField()),
        "warnings": kind.ListField(child=kind.CharField()),
        "tolerated": kind.BooleanField(),
        "discharge_days": kind.IntegerField(allow_null=True),
        "requirements_on": kind.DateField(),
        "requirements": kind.ListField(child=kind.JSONField()),
        "clinic_registry": kind.ListField(child=kind.JSONField()),
    },
)
STATEMENT = inline_serializer(
    "Statement",
    {
        "id": kind.IntegerField(),
        "treatment": kind.IntegerField(),
        "code": kind.CharField(),
        "check": kind.CharField(help_text="The public address that says valid or not valid, and since when"),
        "addressee": kind.CharField(),
        "issued_at": kind.DateTimeField(),
        "valid_until": kind.DateTimeField(),
        "days": kind.IntegerField(),
        "until": kind.DateField(),
        "basis_version": kind.IntegerField(),
        "valid": kind.BooleanField(),
        "since": kind.DateTimeField(),
    },
)
STATEMENTS = inline_serializer("Statements", {"items": kind.ListField(child=kind.JSONField())})
NEW_STATEMENT = inline_serializer(
    "NewStatement",
    {
        "entry": kind.UUIDField(required=False, help_text="Your own key: the same one again is the same statement"),
        "basis_version": kind.IntegerField(required=False, help_text="Of the eligibility answer that you saw"),
        "addressee": kind.CharField(required=False, max_length=120),
    },
)
REASON = inline_serializer("Reason", {"reason": kind.CharField(max_length=500)})
RECORDED = inline_serializer("Recorded", {"result": RESULT, "judgement": kind.JSONField()})
JUDGEMENTS = inline_serializer("Judgements", {"now": kind.JSONField(), "given": kind.ListField(child=kind.JSONField())})
WORKLIST = inline_serializer(
    "Worklist",
    {
        "alerts": kind.ListField(child=kind.JSONField()),
        "overdue": kind.ListField(child=kind.JSONField()),
        "due": kind.ListField(child=kind.JSONField()),
        "tablets_run_out": kind.ListField(child=kind.JSONField()),
    },
)


def page(item: kind.Serializer) -> kind.Serializer:
    """A page of such items."""
    return inline_serializer(
        f"PageOf{item.__class__.__name__}",
        {"items": kind.ListField(child=kind.JSONField()), "next": kind.IntegerField(allow_null=True)},
    )
