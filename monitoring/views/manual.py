"""The protocols in words, and a box that says what they make of a few typed counts."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.manual.chapters import told
from monitoring.manual.trying import TryForm
from monitoring.rules.judgement import Judgement
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reasons import IN_WORDS
from monitoring.views.finding import staff_of
from monitoring.views.words import ACTIONS_IN_WORDS, TONES
from patients.access import clinics_of, verbs_of
from patients.models import Clinic


@login_required
def manual(request: HttpRequest, protocol_key: str = "") -> HttpResponse:
    """One protocol: every band, threshold, path, window and rule with its source."""
    _clinic(request)
    protocol = PROTOCOLS.get(protocol_key or next(iter(PROTOCOLS)))
    if protocol is None:
        raise Http404
    page = {
        "told": told(protocol),
        "protocols": PROTOCOLS.values(),
        "changes": "foresee_protocol" in verbs_of(staff_of(request)),
    }
    return render(request, "monitoring/manual.html", page)


@login_required
def try_it(request: HttpRequest) -> HttpResponse:
    """Judge what is typed, with reasons; nothing is stored."""
    clinic = _clinic(request)
    with timezone.override(clinic.zone):
        form = TryForm(request.GET or None, clinic=clinic, now=timezone.now())
        page = {"form": form, "zone": clinic.zone}
        if form.is_bound and form.is_valid() and form.judgement:
            page |= {"said": in_words(form.judgement), "judgement": form.judgement, "line": form.line}
        return render(request, "monitoring/try_it.html", page)


def _clinic(request: HttpRequest) -> Clinic:
    """The reader's clinic, for its zone and unit; without any there is nothing to read."""
    clinic = clinics_of(staff_of(request), "read_manual").order_by("name", "pk").first()
    if clinic is None:
        raise Http404
    return clinic


def in_words(judgement: Judgement) -> dict[str, object]:
    """The judgement for people."""
    return {
        "tone": TONES[judgement.treatment],
        "advice": ADVICE_IN_WORDS[judgement.treatment],
        "every": IN_WORDS[judgement.frequency],
        "actions": [ACTIONS_IN_WORDS[code] for code in judgement.actions],
    }
