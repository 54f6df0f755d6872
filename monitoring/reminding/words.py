"""The words of reminders: the product's own in two languages, a clinic's own where it has some, and what none may hold.

A reminder names nobody, no clinic, no drug, no number: whoever reads a lost or shared phone learns that somebody has
a test (H31). What varies is the link, the clinic's telephone number and the name of a weekday.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from monitoring.models import Wording
from patients.models import Clinic
from patients.reaching import Language

VARIABLES = ("link", "phone", "day")
LONGEST = 300
TEXTS: Mapping[str, Promise] = {
    "before": _("Hello. The test is on [day]. To see where, open [link]. Questions? Call [phone]."),
    "evening": _("Hello. The test is tomorrow. To see where, open [link]. Questions? Call [phone]."),
    "day": _("Hello. The test is today. To see where, open [link]. Thank you!"),
    "missed": _(
        "Hello. We have not seen the test yet. It is not too late. See [link] or call [phone]. If you went, thank you!"
    ),
    "collect": _("Hello. What you ordered is ready to collect. See [link] or call [phone]."),
    "tablets": _("Hello. It is time to think about your next supply. See [link] or call [phone]."),
    "moved": _("Hello. The day of the test has changed. To see the new day, open [link]."),
    "confirm": _(
        "Hello. Is this still the right way to reach you? Please open [link]. If not, our messages here will end."
    ),
}  # fmt: skip
FOOT: Mapping[str, Promise] = {
    "sms": _("Reply STOP to end."),
    "email": _("To end these messages, open your page and choose so."),
    "webpush": _("To end these messages, open your page and choose so."),
}
CODE = _("Your code is [code]. It works for ten minutes. We never ask for it by phone.")
PAGE = _("Hello. Here is your own page: [link]")
NOTICE = _("Hello. Touch here to open your own page.")
YOUR_PAGE = _("your page")
"""What stands for the link in a notice: a touch opens it, and nobody could type it from there."""
SUBJECT = _("A message for you")
CALLED = _("your clinic")
"""Where the clinic has written down no telephone number for its patients."""
WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))

DRUGS = (
    "clozapin", "clozaril", "fazaclo", "versacloz", "leponex", "denzapin", "zaponex", "clopine", "clopsine",
)  # fmt: skip
BEGINNINGS = (
    *DRUGS, "neutro", "leuko", "leuco", "agranulo", "glóbulo", "haemato", "hemato", "psych", "psiqui", "schizo",
    "esquizo", "antipsych",
)  # fmt: skip
WHOLE = (
    "anc", "wbc", "rems", "band", "bands", "severe", "moderate", "mild", "grave", "moderado", "leve", "mental", "mg",
    "white cells", "blood cells", "defensas",
)  # fmt: skip
"""Words and beginnings of words that would tell what somebody is treated for, or how a test came out."""
TELLING = re.compile(rf"\b(?:(?:{'|'.join(BEGINNINGS)})\w*|(?:{'|'.join(WHOLE)})\b)", re.IGNORECASE)
PLACE = re.compile(r"\[([^\[\]]*)\]")
WORD = re.compile(r"[^\W\d_]+")


class Texts(NamedTuple):
    """Everything that a reminder in one language is made of."""

    language: str
    bodies: dict[str, str]
    feet: dict[str, str]
    subject: str
    called: str
    weekdays: list[str]


def texts(language: str) -> Texts:
    """The product's own words."""
    with override(language):
        return Texts(
            language,
            {kind: str(text) for kind, text in TEXTS.items()},
            {channel: str(text) for channel, text in FOOT.items()},
            str(SUBJECT),
            str(CALLED),
            [str(day) for day in WEEKDAYS],
        )


def own_wordings() -> dict[tuple[int, str, str], str]:
    """What clinics have worded themselves, by clinic, kind and language."""
    rows = Wording.objects.order_by("pk").values_list("clinic_id", "kind", "language", "body")
    return {(clinic, kind, language): body for clinic, kind, language, body in rows}


def wording_of(clinic: Clinic, kind: str, language: str) -> str:
    """The words in force at a clinic."""
    return own_wordings().get((clinic.pk, kind, language)) or texts(language).bodies[kind]


def filled(
    body: str, *, channel: str, language: str, link: str = "[link]", phone: str = "[phone]", day: str = "[day]"
) -> str:
    """A message as it would be read."""
    own = texts(language)
    said = body.replace("[link]", link).replace("[phone]", phone or own.called).replace("[day]", day)
    return f"{said} {own.feet[channel]}"


def objections(body: str, *, kind: str, names: Collection[str] = ()) -> list[str]:
    """Why this wording may not be used; nothing when it may. `names`: family names of the clinic's patients."""
    found = list(_form(body, kind))
    bare = PLACE.sub(" ", body)
    if re.search(r"\d", bare):
        found.append("it has a number; numbers could be somebody's. The telephone number comes by itself as [phone]")
    told = sorted(set(TELLING.findall(bare)))
    if told:
        found.append(f"“{', '.join(told)}” tells what somebody is treated for or how a test came out; leave it out")
    own = {
        word for language in Language.values for text in texts(language).bodies.values() for word in WORD.findall(text)
    }
    named = sorted({word for word in WORD.findall(bare) if word[0].isupper() and word in names} - own)
    if named:
        found.append(f"“{', '.join(named)}” is the name of a patient here; a reminder names nobody")
    if "@" in bare or "/" in bare:
        found.append("it has an address; the only one that may stand there comes by itself as [link]")
    return found


def _form(body: str, kind: str) -> Iterable[str]:
    if len(body) > LONGEST:
        yield f"it has {len(body)} letters; {LONGEST} are the most, so that it fits into a text message or two"
    unknown = sorted(set(PLACE.findall(body)) - set(VARIABLES))
    if unknown or re.search(r"[\[\]]", PLACE.sub("", body)):
        named = ", ".join(f"[{name}]" for name in VARIABLES)
        yield f"only {named} may stand in brackets; each is filled in by itself"
    if "[link]" not in body:
        yield "the link is missing; write [link] where it should stand"
    if kind != "before" and "[day]" in body:
        yield "[day] is known only in the reminder some days before; leave it out here"


def said(text: Promise, language: str) -> str:
    """One of the sentences above in a language."""
    with override(language):
        return str(text)
