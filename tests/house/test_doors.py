"""Every address of the service x every role x own and other clinic x GET and POST, against one table to read.

An address that is missing from the table fails, and says which line to add.
"""

import copy
import logging
import re
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern

from patients.access import VERBS
from patients.actions import issue_token
from patients.models import Role
from tests.cast import NOW, a_clinic, a_person
from tests.things import things

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LETTERS = {
    "N": Role.NURSE,
    "P": Role.PRESCRIBER,
    "F": Role.PHARMACIST,
    "C": Role.CLINIC_ADMIN,
    "A": Role.AUDITOR,
}
EVERYBODY, CARES, SEES = "NPFCA", "NP", "NPF"


class Row(NamedTuple):
    """Who may GET and who may POST, as letters of LETTERS. To everybody else the address does not exist.

    `about`: "clinic" is about one clinic's own thing, and people of another clinic are refused whatever they are;
    "self" shows or changes only what is the caller's own, so the other clinic's people may as well;
    "open" needs no sign-in; "token" is for a program with a token of that clinic, and for nobody else;
    "tokens" lists what belongs to the token's clinic, whichever that is.
    """

    get: str
    post: str
    about: str


TABLE = {
    # the name: who may GET, who may POST, what it is about
    "sign_in": Row("", "", "open"),
    "sign_out": Row("", "", "open"),
    "welcome": Row("", "", "open"),
    "health": Row("", "", "open"),
    "sms_receipt": Row("", "", "open"),  # signed by the provider, else 403: test_receipts.py
    "sms_inbound": Row("", "", "open"),
    "mail_receipts": Row("", "", "open"),
    "alarm": Row(EVERYBODY, EVERYBODY, "self"),
    "own": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "own_code": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "own_unwell": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "own_drawn": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "own_choices": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "own_calendar": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "calendar_feed": Row("", "", "open"),  # behind a link and a code: tests/reminding/test_own_page.py
    "today": Row(EVERYBODY, EVERYBODY, "self"),
    "patient": Row(SEES, SEES, "clinic"),
    "log_result": Row(CARES, CARES, "clinic"),
    "alert": Row(SEES, SEES, "clinic"),
    "acknowledge": Row("", SEES, "clinic"),
    "resolve": Row("", CARES, "clinic"),
    "deliveries": Row("NPFC", "", "self"),
    "delivery": Row("NPFC", "", "clinic"),
    "retry_delivery": Row("", "NPC", "clinic"),
    "ask_transfer": Row(CARES, CARES, "clinic"),
    "transfers": Row(CARES, CARES, "self"),
    "results_to_review": Row(EVERYBODY, EVERYBODY, "self"),  # an empty list for who may not: test_reviewing.py
    "transfer": Row(CARES, CARES, "clinic"),
    "accept_transfer": Row("", "", "clinic"),  # by the receiving clinic alone: test_transfer_pages.py
    "decline_transfer": Row("", "", "clinic"),
    "withdraw_transfer": Row("", CARES, "clinic"),
    "settings": Row("C", "C", "self"),
    "clinic_settings": Row("C", "C", "clinic"),
    "clinic_policies": Row("C", "C", "clinic"),
    "registry": Row("C", "C", "clinic"),
    "wording": Row("C", "C", "clinic"),
    "front_desk": Row("C", "C", "clinic"),
    "laboratory": Row("C", "C", "clinic"),
    "closed_days": Row("C", "C", "clinic"),
    "open_day": Row("C", "C", "clinic"),
    "feed": Row("C", "C", "clinic"),
    "people": Row("C", "C", "clinic"),
    "invite_person": Row("C", "C", "clinic"),
    "add_known_person": Row("C", "C", "clinic"),
    "person_roles": Row("C", "C", "clinic"),
    "person_password": Row("", "C", "clinic"),
    "rota": Row("C", "C", "clinic"),
    "add_shift": Row("C", "C", "clinic"),
    "cancel_shift": Row("C", "C", "clinic"),
    "set_deputy": Row("C", "C", "clinic"),
    "set_away": Row("C", "C", "clinic"),
    "end_away": Row("C", "C", "clinic"),
    "duty": Row(EVERYBODY, EVERYBODY, "self"),
    "away": Row(SEES, SEES, "clinic"),
    "daily_mail": Row("", EVERYBODY, "clinic"),
    "back": Row("", "", "clinic"),  # by whoever is away alone: test_rota.py
    "ask_colleague": Row("", "", "clinic"),  # by whoever has the shift alone: test_rota.py
    "answer_offer": Row("", "", "clinic"),  # by whoever was asked alone: test_rota.py
    "tokens": Row("C", "C", "clinic"),
    "revoke": Row("C", "C", "clinic"),
    "audit_trail": Row("A", "", "self"),
    "audit_export": Row("", "A", "self"),
    "own_messages": Row(EVERYBODY, EVERYBODY, "self"),
    "add_way": Row("", "", "self"),  # of a channel that is set up: test_reaching_pages.py
    "confirm_code": Row("", "", "clinic"),  # one's own alone: test_reaching_pages.py
    "end_way": Row("", "", "clinic"),
    "push_worker": Row("", "", "open"),
    "own_password": Row(EVERYBODY, EVERYBODY, "self"),
    "supply": Row(SEES, SEES, "clinic"),
    "counter": Row(SEES, SEES, "self"),
    "check_by_hand": Row("", "", "open"),
    "check_statement": Row("", "", "open"),
    "statements": Row(SEES, SEES, "clinic"),
    "issue_statement": Row("", "PF", "clinic"),
    "statement_paper": Row("PF", "PF", "clinic"),
    "revoke_statement": Row("", "PF", "clinic"),
    "authorise_supply": Row("", "F", "clinic"),
    "hand_over_supply": Row("", "F", "clinic"),
    "void_supply": Row("", "F", "clinic"),
    "ask_override": Row("", "F", "clinic"),
    "answer_override": Row("", "PF", "clinic"),
    "review_override": Row("", SEES, "clinic"),
    "reaching": Row(SEES, SEES, "clinic"),
    "confirm_address": Row("", CARES, "clinic"),
    "rems": Row(SEES, SEES, "clinic"),
    "record_programme": Row("", SEES, "clinic"),
    "void_programme": Row("", SEES, "clinic"),
    "non_rechallenge": Row("", "P", "clinic"),
    "status_forms": Row("P", "P", "self"),
    "sheet": Row(CARES, CARES, "self"),
    "sheet_row": Row("", CARES, "self"),
    "sheet_rows": Row(CARES, "", "self"),
    "sheet_draft": Row("", CARES, "self"),
    "sheet_found": Row(CARES, "", "self"),
    "acts": Row(SEES, SEES, "clinic"),
    "act": Row(CARES, CARES, "clinic"),
    "judgements": Row(SEES, SEES, "clinic"),
    "today_print": Row(EVERYBODY, EVERYBODY, "self"),
    "drawn": Row(CARES, CARES, "clinic"),
    "end_drawn": Row(CARES, CARES, "clinic"),
    "alerts": Row(SEES, SEES, "self"),
    "answer_alerts": Row("", "", "self"),  # nothing is chosen: test_alerts.py
    "hand_over": Row("", SEES, "clinic"),
    "alert_note": Row("", SEES, "clinic"),
    "reports": Row("NPCA", "NPCA", "self"),
    "reports_pdf": Row("NPCA", "NPCA", "self"),
    "report_csv": Row("NPCA", "NPCA", "self"),
    "manual": Row(EVERYBODY, EVERYBODY, "self"),
    "try_it": Row(EVERYBODY, EVERYBODY, "self"),
    "manual_of": Row(EVERYBODY, EVERYBODY, "self"),
    "import_results": Row(CARES, CARES, "self"),
    "import": Row(CARES, CARES, "clinic"),
    "import_columns": Row(CARES, CARES, "clinic"),
    "confirm_import": Row("", CARES, "clinic"),
    "go_on_importing": Row("", CARES, "clinic"),
    "cancel_import": Row("", CARES, "clinic"),
    "refused_rows": Row(CARES, CARES, "clinic"),
    "quarantine": Row(CARES, CARES, "self"),
    "waiting_row": Row(CARES, CARES, "clinic"),
    "match_row": Row(CARES, CARES, "clinic"),
    "refuse_row": Row("", CARES, "clinic"),
    "hand_over_row": Row("", CARES, "clinic"),
    "what_if": Row(SEES, "", "clinic"),
    "protocol_changes": Row(CARES, CARES, "self"),
    "protocol_change": Row(CARES, CARES, "clinic"),
    "go_on_protocol": Row("", CARES, "clinic"),
    "confirm_protocol": Row("", "P", "clinic"),
    "cancel_protocol": Row("", CARES, "clinic"),
    "protocol_change_csv": Row(CARES, "", "clinic"),
    "register": Row(CARES, CARES, "self"),
    "register_from_file": Row(CARES, CARES, "self"),
    "take_over": Row(CARES, CARES, "clinic"),
    "api_eligibility": Row("", "T", "token"),
    "api_eligibility_bare": Row("", "T", "token"),
    "api_booking": Row("T", "", "token"),  # a form is refused to all; JSON: test_running_out.py
    "api_rems": Row("T", "", "token"),
    "api_statements": Row("T", "", "token"),  # a form is refused to all; JSON: test_statements.py
    "api_statement_paper": Row("T", "", "token"),
    "api_revoke_statement": Row("", "", "token"),
    "api_schema": Row("", "", "open"),
    "api_patients": Row("T", "", "tokens"),
    "api_patient": Row("T", "", "token"),
    "api_treatments": Row("T", "", "tokens"),
    "api_treatment": Row("T", "", "token"),
    "api_results": Row("T", "", "token"),  # a form is refused to all; JSON: test_api.py
    "api_judgements": Row("T", "", "token"),
    "api_alerts": Row("T", "", "tokens"),
    "api_alert": Row("T", "", "token"),
    "api_worklist": Row("T", "", "tokens"),
}
UNNAMED = {"api/v1/"}
"""The one address without a name: whatever else is asked under it is answered 404."""


class Address(NamedTuple):
    """A name, its path, and the arguments in it."""

    name: str
    path: str
    arguments: tuple[str, ...]


def addresses(patterns=None, before=""):
    """Every address that the resolver knows."""
    found = []
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = before + (entry.pattern._route if isinstance(entry.pattern, RoutePattern) else str(entry.pattern))
        if isinstance(entry, URLPattern):
            found.append(Address(entry.name or "", path, tuple(entry.pattern.converters)))
        else:
            found += addresses(entry.url_patterns, path)
    return found


def filled(address, known):
    for argument in address.arguments:
        assert argument in known, (
            f"{address.name} ({address.path}) has the argument {argument!r}: let things() in tests/things.py"
            " give one of the own clinic under that name"
        )
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda argument: str(known[argument[1]]), address.path)


def refused(answer):
    """Not found, not allowed, not this method, not in this form, or please sign in."""
    asks = answer.status_code in (301, 302) and answer.headers["Location"].startswith("/sign-in/")
    return asks or answer.status_code in (401, 403, 404, 405, 415)


class Caller(NamedTuple):
    """Somebody who asks: how the table calls them, at which clinic, and with what they ask."""

    letter: str
    clinic: str
    client: Client
    headers: dict


def callers(own, other):
    """Each role at the own and at the other clinic, a program of each, and nobody."""
    found = [Caller("nobody", "", Client(), {})]
    for where, clinic in (("own", own), ("other", other)):
        for letter, role in LETTERS.items():
            client = Client()
            client.force_login(a_person(clinic, role))
            found.append(Caller(letter, where, client, {}))
        _, token = issue_token(clinic=clinic, name="lab", verbs=list(VERBS), by=None, now=NOW)
        found.append(Caller("T", where, Client(), {"Authorization": f"Bearer {token}"}))
    return found


def expected(row, method, caller):
    """Whether the table lets this caller in."""
    if row.about == "open":
        return True
    letters = row.get if method == "get" else row.post
    here = caller.clinic == "own" or row.about in ("self", "tokens")
    return caller.letter in letters and here


def asked(caller, method, path):
    """The answer, with everything that it changed taken back, the session too."""
    mark, cookies = transaction.savepoint(), copy.deepcopy(caller.client.cookies)
    try:
        answer = getattr(caller.client, method)(path, headers=caller.headers)
        list(answer.streaming_content) if answer.streaming else answer.content
    finally:
        transaction.savepoint_rollback(mark)
        caller.client.cookies = cookies
    return answer


def test_every_address_is_in_the_table_and_the_table_names_no_other():
    known = addresses()
    missing = [
        f'    "{one.name}": Row(CARES, CARES, "clinic"),  # {one.path}' for one in known if one.name not in TABLE
    ]
    missing = [line for line in missing if not any(line.endswith(f"# {path}") for path in UNNAMED)]
    assert not missing, "add to TABLE, with who may GET, who may POST, and what it is about:\n" + "\n".join(missing)
    assert set(TABLE) - {one.name for one in known} == set(), "these rows of TABLE have no address any more"


def test_h33_every_address_lets_in_whom_the_table_says_and_nobody_else(time_machine):
    time_machine.move_to(NOW + timedelta(minutes=5), tick=False)
    logging.disable()  # a line for each of a thousand refusals says nothing
    own, other = a_clinic("North"), a_clinic("South")
    known, wrong = things(own), []
    everybody = callers(own, other)
    for address in addresses():
        if (row := TABLE.get(address.name)) is None:
            continue
        path = filled(address, known)
        for method in ("get", "post"):
            for caller in everybody:
                answer = asked(caller, method, path)
                let_in = answer.status_code != 500 and not refused(answer)
                # What is open answers everybody, also by saying that a method or a link is wrong.
                if answer.status_code == 500 or (row.about != "open" and let_in != expected(row, method, caller)):
                    said = "let in" if let_in else "refused"
                    who = f"{caller.letter} of the {caller.clinic or 'no'} clinic"
                    wrong.append(f"{address.name}: {method.upper()} {path} by {who} was {said}: {answer.status_code}")
    logging.disable(logging.NOTSET)
    assert not wrong, f"{len(wrong)} answers are not what TABLE says:\n" + "\n".join(wrong)


def test_h33_under_ones_own_clinic_no_row_of_another_is_found(time_machine):
    time_machine.move_to(NOW + timedelta(minutes=5), tick=False)
    own, other = a_clinic("North"), a_clinic("South")
    (admin,) = [one for one in callers(own, other) if (one.letter, one.clinic) == ("C", "other")]
    known = things(own) | {"slug": other.slug}
    both = [one for one in addresses() if "slug" in one.arguments and len(one.arguments) > 1]
    found = [(one.name, method, asked(admin, method, filled(one, known))) for one in both for method in ("get", "post")]
    assert len(both) >= 8
    assert not [(name, method) for name, method, answer in found if answer.status_code not in (404, 405)]
