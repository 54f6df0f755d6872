"""What a program may ask and report. Each view names the verb that its token needs."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import models, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.actions.judging import judge_now, locked
from monitoring.actions.record_result import record_locked, refusing_taken_accession
from monitoring.api import schema, writing
from monitoring.api.problems import Conflict
from monitoring.api.reading import read_report
from monitoring.doors import alerts_of, treatments_of
from monitoring.models import IdempotencyKey, Result, Treatment
from monitoring.rules.errors import InputError
from monitoring.running_out import running_out
from patients import audit
from patients.access import patients_of
from patients.models import Integration

PAGE = 100


def caller(request: Request) -> Integration:
    """The program that asks; permissions let nobody else through."""
    if not isinstance(request.user, Integration):
        raise TypeError("this view needs a token")
    return request.user


def page_of(request: Request, rows: "models.QuerySet[Any]", write: Callable[[Any], dict[str, Any]]) -> Response:
    """A hundred rows after `?after=ID`, and where the next hundred begins."""
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise InputError("after", f"{after!r} is not an id; send the `next` of the page before")
    found = list(rows.filter(pk__gt=int(after)).order_by("pk")[: PAGE + 1])
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return Response({"items": [write(row) for row in found[:PAGE]], "next": more})


class Nothing(APIView):
    """Whatever else is asked under /api/v1/: a program is told so as a problem, not as a page."""

    schema = None
    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises Http404, whatever the method."""
        raise Http404


class Patients(APIView):
    """The clinic's patients."""

    verbs: ClassVar = {"GET": "patients:read"}

    @extend_schema(responses=schema.page(schema.PATIENT), parameters=[schema.AFTER], operation_id="patients")
    def get(self, request: Request) -> Response:
        """A page of patients, in the order of their ids."""
        return page_of(request, patients_of(caller(request)), writing.patient)


class OnePatient(APIView):
    """One patient."""

    verbs: ClassVar = {"GET": "patients:read"}

    @extend_schema(responses=schema.PATIENT, operation_id="patient")
    def get(self, request: Request, patient_id: int) -> Response:
        """Who this is; opening a patient is audited."""
        found = get_object_or_404(patients_of(caller(request)), pk=patient_id)
        audit.opened(found, by=caller(request), now=timezone.now(), ip=request.META.get("REMOTE_ADDR"))
        return Response(writing.patient(found))


class Treatments(APIView):
    """The clinic's treatments."""

    verbs: ClassVar = {"GET": "results:read"}

    @extend_schema(responses=schema.page(schema.TREATMENT), parameters=[schema.AFTER], operation_id="treatments")
    def get(self, request: Request) -> Response:
        """A page of treatments, in the order of their ids."""
        return page_of(request, treatments_of(caller(request)), writing.treatment)


class OneTreatment(APIView):
    """One treatment."""

    verbs: ClassVar = {"GET": "results:read"}

    @extend_schema(responses=schema.TREATMENT, operation_id="treatment")
    def get(self, request: Request, treatment_id: int) -> Response:
        """Where it stands; opening it is opening the patient."""
        return Response(writing.treatment(opened(request, treatment_id)))


class Judgements(APIView):
    """What the rules say of a treatment."""

    verbs: ClassVar = {"GET": "results:read"}

    @extend_schema(responses=schema.JUDGEMENTS, operation_id="judgements")
    def get(self, request: Request, treatment_id: int) -> Response:
        """The judgement for now, and the last hundred that were given."""
        treatment, now = opened(request, treatment_id), timezone.now()
        current = judge_now(treatment, list(treatment.every_result()), now=now)
        given = treatment.assessments.order_by("-as_of", "-pk")[:PAGE]
        return Response({"now": current.as_dict(), "given": [row.judgement for row in given]})


class Results(APIView):
    """A treatment's results."""

    verbs: ClassVar = {"GET": "results:read", "POST": "results:write"}

    @extend_schema(responses=schema.page(schema.RESULT), parameters=[schema.AFTER], operation_id="results")
    def get(self, request: Request, treatment_id: int) -> Response:
        """Every version of every result, in the order in which they came."""
        return page_of(request, opened(request, treatment_id).results.all(), writing.result)

    @extend_schema(
        request=schema.REPORT, responses={200: schema.RECORDED, 201: schema.RECORDED}, parameters=[schema.KEY],
        operation_id="record_result",
    )  # fmt: skip
    def post(self, request: Request, treatment_id: int) -> Response:
        """Record a result: 201 when it is new, 200 when the same one is known already."""
        report, key = read_report(request.data), request.headers.get("Idempotency-Key", "")
        if len(key) > 120:
            raise InputError("Idempotency-Key", "send at most 120 characters")
        token, now, ip = caller(request), timezone.now(), request.META.get("REMOTE_ADDR")
        with refusing_taken_accession(report), transaction.atomic():
            try:
                treatment = locked(treatment_id, clinic_id=token.clinic_id)
            except Treatment.DoesNotExist as error:
                raise Http404 from error
            body_hash = _body_hash(request) if key else ""
            if key and (known := _known(token, key, body_hash, treatment)):
                return _recorded(known, 200)
            try:
                result = record_locked(treatment=treatment, home=treatment_id, report=report, by=token, now=now, ip=ip)
            except InputError as error:
                if error.field in ("version", "accession") and "stored with other" in error.message:
                    raise Conflict(error.message) from error
                raise
            if key:
                row = IdempotencyKey(integration=token, key=key, body_hash=body_hash, result=result, created_at=now)
                IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
                # A request for another treatment may have taken the key since: then nothing of this one may stay.
                _known(token, key, body_hash, treatment)
        return _recorded(result, 201 if result.just_stored else 200)


def _body_hash(request: Request) -> str:
    return hashlib.sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()


def _known(integration: Integration, key: str, body_hash: str, treatment: Treatment) -> Result | None:
    found = IdempotencyKey.objects.filter(integration=integration, key=key).select_related("result").first()
    if found is None:
        return None
    if found.body_hash != body_hash or found.result.treatment_id != treatment.pk:
        raise Conflict("This Idempotency-Key was used for another request. Send a new key with a new request.")
    return found.result


def _recorded(result: Result, status: int) -> Response:
    given = result.judgement_given or result.assessments.order_by("pk").first()
    judgement = given.judgement if given else None
    return Response({"result": writing.result(result), "judgement": judgement}, status=status)


def opened(request: Request, treatment_id: int) -> Treatment:
    """A treatment of the token's clinic; that it was opened is audited."""
    found = get_object_or_404(treatments_of(caller(request)), pk=treatment_id)
    audit.opened(found.patient, by=caller(request), now=timezone.now(), ip=request.META.get("REMOTE_ADDR"))
    return found


class Alerts(APIView):
    """The clinic's alerts."""

    verbs: ClassVar = {"GET": "alerts:read"}

    @extend_schema(responses=schema.page(schema.ALERT), parameters=[schema.AFTER], operation_id="alerts")
    def get(self, request: Request) -> Response:
        """A page of alerts, resolved ones too, in the order of their ids."""
        return page_of(request, alerts_of(caller(request)), writing.alert)


class OneAlert(APIView):
    """One alert."""

    verbs: ClassVar = {"GET": "alerts:read"}

    @extend_schema(responses=schema.ALERT, operation_id="alert")
    def get(self, request: Request, alert_id: int) -> Response:
        """The alert as it stands; opening it is opening the patient."""
        found = get_object_or_404(alerts_of(caller(request)), pk=alert_id)
        ip = request.META.get("REMOTE_ADDR")
        audit.opened(found.treatment.patient, by=caller(request), now=timezone.now(), ip=ip)
        return Response(writing.alert(found))


class Worklist(APIView):
    """What waits today."""

    verbs: ClassVar = {"GET": "worklist:read"}

    @extend_schema(responses=schema.WORKLIST, operation_id="worklist")
    def get(self, request: Request) -> Response:
        """Alerts, tests overdue, tests due within 7 days, tablets that run out; the first hundred of each."""
        now = timezone.now()
        mine = treatments_of(caller(request))
        alerts = alerts_of(caller(request)).standing()
        clinic = caller(request).clinic
        gaps = mine.filter(running_out(now.astimezone(clinic.zone).date(), clinic))
        lists: Mapping[str, list[dict[str, Any]]] = {
            "alerts": [writing.alert(row) for row in alerts[:PAGE]],
            "overdue": [writing.treatment(row) for row in mine.overdue(now)[:PAGE]],
            "due": [writing.treatment(row) for row in mine.due_by(now, 7)[:PAGE]],
            "tablets_run_out": [writing.treatment(row) for row in gaps.order_by("tablets_until", "pk")[:PAGE]],
        }
        return Response(lists)
