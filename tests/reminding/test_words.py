"""What messages say: in plain words, in two languages, and never whose they are or what for."""

import gettext as stdlib_gettext
import re
from datetime import timedelta
from pathlib import Path

import pytest

from clozatrack.demo_clinic import load
from monitoring.models import Treatment, Wording
from monitoring.reminding import replying, words
from monitoring.reminding.agreeing import send_code, send_link
from monitoring.reminding.planning import plan
from monitoring.reminding.wordings import set_wording
from monitoring.rules.errors import InputError
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.reminders import KINDS
from patients.consenting import Person
from patients.models import Clinic
from patients.reaching import FrontDesk, Language
from tests.cast import NOW, a_clinic, a_patient, a_person
from tests.reminding.people import Gateway, agreed, due_in

LOCALE = Path(words.__file__).parents[1] / "locale/es/LC_MESSAGES"
LINK = re.compile(r"http://\S+")
NAMED = re.compile(r'^msgid "(.+)"$|^msgid_plural "(.+)"$', re.MULTILINE)


def english():
    """Every sentence that a patient can read in English, from messages and pages."""
    return [one or other for one, other in NAMED.findall((LOCALE / "django.po").read_text())]


def syllables(word):
    word = re.sub(r"(?:es|ed|e)$", "", word.lower()) or word
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def grade(text):
    """Flesch-Kincaid: the school year in which most children read it; 4 is the age of nine."""
    plain = re.sub(r"\[\w+\]|%\(\w+\)s|“|”", "it", text)
    sentences = [part for part in re.split(r"[.!?:]+", plain) if re.search(r"\w", part)]
    spoken = re.findall(r"[A-Za-z']+", plain)
    return 0.39 * len(spoken) / len(sentences) + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59


def test_the_measure_tells_plain_words_from_a_leaflet():
    assert grade("The test is today. Please come.") < 2
    assert grade("Agranulocytosis necessitates immediate discontinuation of antipsychotic medication.") > 15


def test_everything_is_readable_at_the_age_of_nine():
    assert grade(" ".join(f"{text}." for text in english())) < 4
    hard = {text: round(grade(text), 1) for text in english() if len(text.split()) > 8 and grade(text) > 6}
    assert not hard


def test_the_messages_themselves_are_easier_still():
    for kind, text in words.texts("en").bodies.items():
        assert grade(text) < 4, (kind, text)


def test_every_sentence_is_translated_and_the_catalogue_is_the_compiled_one():
    compiled = stdlib_gettext.GNUTranslations((LOCALE / "django.mo").open("rb"))
    for one, plural in NAMED.findall((LOCALE / "django.po").read_text()):
        if one and one != "No":
            # A plural's first form is found through its pair; the pattern gives each line by itself.
            assert one != compiled.gettext(one) or one != compiled.ngettext(one, plural, 1), one


def test_variables_are_the_same_in_both_languages():
    one, other = words.texts("en"), words.texts("es")
    for kind in KINDS:
        assert sorted(words.PLACE.findall(one.bodies[kind])) == sorted(words.PLACE.findall(other.bodies[kind]))
        for known in (one, other):
            assert words.objections(known.bodies[kind], kind=kind) == []
    assert set(one.bodies) == set(KINDS)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("Your clozapine test is on [day]. [link]", "clozapine"),
        ("Blutbild Leponex [link]", "Leponex"),
        ("Your ANC is due [link]", "ANC"),
        ("Severe: come now [link]", "Severe"),
        ("Dear Mr Quill, come [link]", "name of a patient"),
        ("Patient M00017: [link]", "number"),
        ("Call 555 0100 [link]", "number"),
        ("See [name] at [link]", "may stand in brackets"),
        ("See [link", "may stand in brackets"),
        ("Come today.", "link is missing"),
        ("Go to www.example.com/x [link]", "an address"),
        ("Today is [day]. [link]", "[day] is known only"),
        ("word " * 80 + "[link]", "are the most"),
    ],
)
def test_h31_a_wording_that_could_tell_whose_or_what_for_is_refused_with_the_reason(body, why):
    kind = "day" if "[day] is known" in why else "before"
    assert why in "; ".join(words.objections(body, kind=kind, names={"Quill", "The", "Call"}))


def test_an_ordinary_wording_passes_even_where_a_patient_is_called_like_one_of_its_words():
    assert words.objections("Hello! See you soon. Call [phone]. [link]", kind="day", names={"Hello", "Call"}) == []


@pytest.mark.django_db
def test_a_clinic_words_its_reminders_itself_and_goes_back(monkeypatch):
    clinic = a_clinic(time_zone="UTC")
    a_patient(clinic)
    admin = a_person(clinic, "clinic_admin")
    due_in(1, clinic=clinic)
    gateway = Gateway(monkeypatch)
    own = {"clinic": clinic, "kind": "evening", "language": "en", "by": admin}
    with pytest.raises(InputError, match="Quill"):
        set_wording(**own, body="Hi Quill [link]", now=NOW)
    set_wording(**own, body="See you tomorrow!  [link]", now=NOW)
    plan(now=NOW)
    set_wording(**own, body="Until tomorrow. [link]", now=NOW)
    plan(now=NOW)
    gateway.deliver(NOW + timedelta(hours=7))
    assert gateway.bodies[0].startswith("Until tomorrow. http")
    set_wording(**own, body="", now=NOW)
    assert words.wording_of(clinic, "evening", "en") == words.texts("en").bodies["evening"]
    assert Wording.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.slow
def test_h31_no_message_for_any_patient_of_the_demo_names_a_person_a_number_a_drug_or_a_band(monkeypatch):
    load(now=NOW)
    desk = FrontDesk.objects.get()
    gateway = Gateway(monkeypatch)
    people = list(Treatment.objects.select_related("patient", "clinic"))
    for n, treatment in enumerate(people):
        agreed(treatment, language=Language.values[n % 2], nurse=None)
        if n % 3 == 0:
            agreed(treatment, channel="email")
        agreed(treatment, channel="webpush")
    for hours in range(0, 14 * 24, 4):
        plan(now=NOW + timedelta(hours=hours))
        gateway.deliver(NOW + timedelta(hours=hours))
    for treatment in people:
        send_link(person=Person(treatment.patient), channel="sms", now=NOW + timedelta(days=15))
        send_link(person=Person(treatment.patient), channel="webpush", now=NOW + timedelta(days=15))
        for channel in ("sms", "webpush"):
            send_code(person=Person(treatment.patient), channel=channel, purpose="open", now=NOW + timedelta(days=15))
    gateway.deliver(NOW + timedelta(days=15, minutes=1))
    ours = [body for *_, body, once in gateway.sent if once.startswith(("reminder:", "own:"))]
    said = [LINK.sub("", body).replace(desk.phone, "") for body in ours]
    said += [
        one for one, (*_, once) in zip(gateway.subjects, gateway.sent, strict=True) if once.startswith("reminder:")
    ]
    notices = [
        (body, path, once)
        for (channel, _, body, once), path in zip(gateway.sent, gateway.paths, strict=True)
        if channel == "webpush"
    ]
    # A notice has no address in its words: nobody could type it, and it would tell who sends it.
    assert not [body for body, *_ in notices if "/" in body or "[" in body]
    assert all(re.fullmatch(r"/my/[\w-]{20,}/", path) for _, path, once in notices if not once.startswith("own:code"))
    fixed = (replying.STARTED, replying.HELPED, replying.NOBODY_READS, words.SUBJECT, words.NOTICE)
    said += [words.said(text, language) for text in fixed for language in Language.values]
    assert len(notices) > 3 * len(people)
    assert len(said) > 8 * len(people)
    assert {once.split(":")[3] for *_, once in gateway.sent if once.startswith("reminder")} >= {
        "early",
        "evening",
        "day",
        "missed1",
    }
    canaries = canaries_of(people)
    for text in said:
        assert not canaries & set(re.findall(r"\w+", text)), text
        code = re.search(r"\b\d{6}\b", text)
        assert not re.search(r"\d", text.replace(code[0], "") if code else text), text
        assert not words.TELLING.search(text), text


def canaries_of(people):
    """Every word that would tell: names, numbers, clinics, bands, keys of protocols."""
    found = {word for one in people for word in (one.patient.mrn, one.patient.family_name, one.patient.given_name)}
    found |= {word for clinic in Clinic.objects.all() for word in clinic.name.split() if word != "Clinic"}
    bands = {band.name for protocol in PROTOCOLS.values() for table in protocol.tables.values() for band in table.bands}
    return found | (bands - {"stop", "normal"})
