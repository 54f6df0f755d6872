"""A page may be old: what a person decides on it is refused when the verdict has changed since they read it.

Put `basis_of(treatment, now=now)` into the page as the hidden field `basis`. On POST wrap the action:

    try:
        with unchanged(treatment, request.POST, now=now):
            some_action(treatment=treatment, ...)
    except StaleError as stale:
        return changed(request, stale, "the template of the form", {...})   # 409, with the new verdict
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from monitoring.actions.judging import judge_now, locked
from monitoring.models import Treatment
from monitoring.rules.judgement import Judgement
from monitoring.views.words import advice_card

VERDICT = ("treatment", "band", "anc", "actions", "frequency", "due_on", "overdue", "deadline")
"""What a person sees of a judgement and decides upon."""


class StaleError(Exception):
    """The verdict is no longer the one on which somebody decided."""

    def __init__(self, treatment: Treatment, judgement: Judgement) -> None:
        super().__init__(f"{treatment} has changed since the page was opened")
        self.treatment = treatment
        self.judgement = judgement


def basis_of(treatment: Treatment, *, now: datetime) -> str:
    """The verdict of this moment in one word, for the hidden field `basis`."""
    return _basis(treatment, _judged(treatment, now))


@contextmanager
def unchanged(treatment: Treatment, posted: Mapping[str, object], *, now: datetime) -> Iterator[Treatment]:
    """Do what is inside, with the treatment locked, only on the verdict that the page showed. Raises StaleError.

    The verdict is made anew and not only looked up: time alone changes it, also while no scheduler runs.
    """
    with transaction.atomic():
        current = locked(treatment.pk)
        judgement = _judged(current, now)
        if posted.get("basis") != _basis(current, judgement):
            raise StaleError(current, judgement)
        yield current


def changed(request: HttpRequest, stale: StaleError, template: str, page: Mapping[str, object]) -> HttpResponse:
    """409: the form again with everything typed, the new verdict above it, and the basis to decide upon now.

    The template shows the verdict with `{% include "monitoring/stale.html" %}` and the basis as `{{ basis }}`.
    """
    more = {
        "stale": advice_card(stale.judgement, stale.treatment),
        "basis": _basis(stale.treatment, stale.judgement),
    }
    return render(request, template, dict(page) | more, status=409)


def _judged(treatment: Treatment, now: datetime) -> Judgement:
    return judge_now(treatment, list(treatment.every_result()), now=now)


def _basis(treatment: Treatment, judgement: Judgement) -> str:
    said = judgement.as_dict()
    shown = [treatment.pk, treatment.version, treatment.clinic_id, *(said[name] for name in VERDICT)]
    return hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:32]
