"""The manual says everything that the protocols hold, with sources; the box says what `manage.py assess` would."""

import copy
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest

from monitoring.manual.chapters import told
from monitoring.models import Result, Treatment
from monitoring.rules.protocol import Fall, Floor, Tail
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.wire import answer
from patients.models import AuditEvent
from tests.cast import NOW, a_clinic, a_person

ALL = PROTOCOLS
SWITCHED_OFF_BY = {"extra_weekly_weeks": "extra_weekly_over_hours"}
"""Numbers that mean nothing while another field is empty."""
FOR_SOURCES = ("sources", "agreed")


def words(protocol):
    page = told(protocol)
    lines = [
        (chapter.title, name, [line.text for cell in cells for line in cell])
        for chapter in page.chapters
        for name, cells in chapter.rows
    ]
    return repr((page.facts, protocol.title, lines))


def leaves(thing, path=()):
    """Every field of a protocol that holds a plain value or nothing: its path, its owner's type, and its name."""
    if is_dataclass(thing):
        for field in fields(thing):
            value = getattr(thing, field.name)
            here = (*path, field.name)
            if field.name in FOR_SOURCES or isinstance(value, Mapping | tuple) or is_dataclass(value):
                yield from leaves(value, here) if field.name not in FOR_SOURCES else ()
            else:
                yield here, thing
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from leaves(value, (*path, key))
    elif isinstance(thing, tuple):
        for number, value in enumerate(thing):
            yield from leaves(value, (*path, number))


def another(owner, name):
    """Another value that the field may hold."""
    value, hint = getattr(owner, name), get_type_hints(type(owner))[name]
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for kind in kinds:
        if kind is bool:
            return not value
        if kind in (int, Decimal):
            return kind(7777)
        if get_origin(kind) is Literal:
            return next(one for one in get_args(kind) if one != value)
        if kind is date:
            return date(1977, 7, 7)
        if kind is str:
            return f"{value}7777"
        if kind is Floor:
            return Floor(7777)
        if kind is Fall:
            return Fall(7777, 7778, 7779, 7780, 7781)
        if kind is Tail:
            return Tail(results=7777)
    raise AssertionError(f"{name}: {hint} is new; say it in the manual and teach this test to change it")


def changed(protocol, path):
    copied = copy.deepcopy(protocol)
    owner = copied
    for step in path[:-1]:
        owner = getattr(owner, step) if isinstance(step, str) and is_dataclass(owner) else owner[step]
    object.__setattr__(owner, path[-1], another(owner, path[-1]))
    return copied


@pytest.mark.parametrize("key", ALL)
def test_whatever_a_protocol_holds_the_manual_says_and_when_it_changes_the_words_change(key):
    protocol, walked = ALL[key], 0
    before = words(protocol)
    for path, owner in leaves(protocol):
        switch = SWITCHED_OFF_BY.get(path[-1])
        if switch and getattr(owner, switch) is None:
            continue
        walked += 1
        assert words(changed(protocol, path)) != before, ".".join(map(str, path))
    assert walked > 100


@pytest.mark.parametrize("key", ALL)
def test_every_number_of_a_protocol_stands_on_its_page(client, db, key):
    client.force_login(a_person(a_clinic(), "auditor"))
    page = client.get(f"/manual/{key}/").content.decode()
    for path, owner in leaves(ALL[key]):
        value = getattr(owner, path[-1])
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not value:
            continue
        if not (switch := SWITCHED_OFF_BY.get(path[-1])) or getattr(owner, switch) is not None:
            assert str(value) in page, ".".join(map(str, path))


def test_the_walk_reaches_the_deepest_number_and_changes_it():
    path = ("tables", "general", "bands", 2, "path", 1, "until", "anc")
    label = ALL["us-label-2025"]
    assert path in [found for found, _ in leaves(label)]
    assert changed(label, path).tables["general"].bands[2].path[1].until.anc == 7777
    assert label.tables["general"].bands[2].path[1].until.anc == 1500


def test_each_sentence_names_its_source_and_says_where_nobody_has_read_it():
    page = told(PROTOCOLS["us-label-2025"])
    events = next(chapter for chapter in page.chapters if chapter.key == "events")
    said = {name: [line for cell in cells for line in cell] for name, cells in events.rows}
    assert [line.source.verified for line in said["Fever"]] == [False, False]
    assert next(line.source.verified for line in said["Breaks"]) is True
    assert said["Hospice"][0].source.cite().endswith("(not yet verified)")


@pytest.fixture
def reader(client, db, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(a_clinic(time_zone="America/New_York"), "nurse"))
    return client


@pytest.mark.parametrize("role", ["nurse", "prescriber", "pharmacist", "clinic_admin", "auditor"])
def test_everybody_at_a_clinic_reads_the_manual(client, db, role):
    client.force_login(a_person(a_clinic(), role))
    for address in ("/manual/", "/manual/us-label-2015/", "/manual/try/"):
        assert client.get(address).status_code == 200
    assert client.get("/manual/us-label-1066/").status_code == 404


def test_nobody_reads_it_without_signing_in_or_without_a_clinic(client, db, django_user_model):
    assert client.get("/manual/").headers["Location"].startswith("/sign-in/")
    client.force_login(django_user_model.objects.create_user(username="nobody"))
    assert client.get("/manual/").status_code == 404
    assert client.get("/manual/try/").status_code == 404


def test_the_manual_asks_the_database_for_the_person_and_their_alarms_alone(reader, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        reader.get("/manual/")


TYPED = {
    "protocol": "us-label-2025",
    "population": "general",
    "baseline_anc": "",
    "first_dose": "2026-06-14",
    "unit": "10*9/L",
    "counts": "2026-06-12 2.6\n\n2026-09-12 09:30 0.87",
    "pauses": "2026-07-01 to 2026-07-04",
    "as_of": "2026-09-13T08:00",
}


def test_the_box_says_what_assess_says_of_the_line_that_it_shows_and_stores_nothing(reader):
    answered = reader.get("/manual/try/", TYPED)
    judged, good = answer(answered.context["line"])
    assert good
    said = json.loads(judged)
    assert said == {"id": "try"} | answered.context["judgement"].as_dict() | {"as_of": said["as_of"]}
    page = answered.content.decode()
    for text in ("Interrupt treatment", "moderate", "Consult haematology", "Sun 13 Sep 2026, 09:30"):
        assert text in page
    assert all(reason["text"] in page for reason in said["reasons"])
    assert not (Result.objects.exists())
    assert not (Treatment.objects.exists())
    assert not (AuditEvent.objects.exists())


def test_times_are_those_of_the_readers_clinic_and_empty_is_now(reader):
    line = json.loads(reader.get("/manual/try/", TYPED | {"as_of": ""}).context["line"])
    assert (line["as_of"], line["time_zone"]) == ("2026-09-14T08:00-04:00", "America/New_York")
    assert line["events"][2]["at"] == "2026-09-12T09:30:00-04:00"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"counts": "yesterday 2.6"}, "line 1, &#x27;yesterday 2.6&#x27;, is not a day and a count"),
        ({"counts": "2026-09-12 25:61 2.6"}, "is not a day and a time of day"),
        ({"counts": "2026-02-30 2.6"}, "2026-02-30"),
        ({"counts": "2026-09-12 2600"}, "hardly possible; probably 2600 /uL (2.6 x10^9/L) was meant"),
        ({"counts": "2026-09-12 2,6"}, "write a number with a point"),
        ({"pauses": "2026-07-01 until 2026-07-04"}, "is not a pause; write 2026-08-01 to 2026-08-09"),
        ({"baseline_anc": "900"}, "is below 1000 /uL"),
        ({"first_dose": "June"}, "Enter a valid date"),
    ],
)
def test_what_cannot_be_read_is_said_and_what_was_typed_is_kept(reader, wrong, says):
    answered = reader.get("/manual/try/", TYPED | wrong)
    page = answered.content.decode()
    assert says in page
    assert "judgement" not in answered.context
    assert next(iter(wrong.values())).replace("'", "&#x27;") in page
