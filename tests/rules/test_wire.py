"""The front door: a bad line says which field and what would be right, and the others go on."""

import json

import pytest
from django.core.management import call_command

from monitoring.rules.wire import answer

GOOD = {"id": "g", "protocol": "us-label-2025", "as_of": "2026-01-01T00:00:00Z"}


def told(*events, **fields):
    return json.dumps(GOOD | {"events": list(events)} | fields)


def a_count(**fields):
    return {"kind": "count", "id": "c", "at": "2025-06-01T09:00:00Z", "anc": 2000, "unit": "/uL"} | fields


BAD = [
    ("", "line", "not JSON"),
    ("[]", "line", "a JSON object"),
    ("[" * 100_000, "line", "not JSON"),
    (json.dumps(GOOD | {"protocol": "us"}), "protocol", "known: us-label-2025, us-label-2015"),
    (json.dumps(GOOD | {"protocol": ["us"]}), "protocol", "known"),
    (json.dumps(GOOD | {"as_of": "2026-01-01"}), "as_of", "with an offset"),
    (json.dumps(GOOD | {"as_of": "2026-01-01T00:00:00"}), "as_of", "with an offset"),
    (json.dumps(GOOD | {"as_of": "1899-12-31T00:00:00Z"}), "as_of", "between 1900 and 2200"),
    (json.dumps(GOOD | {"as_of": 5}), "as_of", "with an offset"),
    (told(time_zone="Mars/North"), "time_zone", "not an IANA time zone"),
    (told(time_zone="../etc"), "time_zone", "not an IANA time zone"),
    (told(time_zone=7), "time_zone", "not a text"),
    (told(population="all"), "population", "write general or ben"),
    (told(baseline_anc=999), "baseline_anc", "below 1000"),
    (told(baseline_anc="x"), "baseline_anc", "a number per microlitre"),
    (told(baseline_anc=True), "baseline_anc", "a number per microlitre"),
    (json.dumps(GOOD | {"events": {}}), "events", "a list"),
    (told(5), "events", "event 1 is not an object"),
    (told(a_count(), {"kind": "surgery", "at": "2025-06-01"}), "kind", "event 2: 'surgery' is not known"),
    (told({"at": "2025-06-01"}), "kind", "known: count"),
    (told({"kind": "restart"}), "at", "not a timestamp"),
    (told({"kind": "restart", "at": "2025-13-01"}), "at", "not a date"),
    (told({"kind": "restart", "at": "2025-06-01T09:00:00"}), "at", "with an offset"),
    (told({"kind": "fever", "at": "2025-06-01"}), "celsius", "from 30 to 45"),
    (told({"kind": "fever", "at": "2025-06-01", "celsius": 101.3}), "celsius", "101.3 is not possible here"),
    (told({"kind": "last_dose", "at": "2025-06-01", "stop": "yes"}), "stop", "neither true nor false"),
    (told(a_count(supported=1)), "supported", "neither true nor false"),
    (told(a_count(id=[1])), "id", "not an id"),
    (told({"kind": "correction", "at": "2025-06-01"}), "of", "must name the id"),
    (told({"kind": "entered_in_error", "at": "2025-06-01", "of": "z"}), "of", "no count with the id 'z'"),
    (told(a_count(), a_count(), {"kind": "entered_in_error", "at": "2025-06-02", "of": "c"}), "id", "two counts"),
    (told(a_count(anc=[1])), "anc", "count of 2025-06-01T09:00:00Z: [1] is not a count"),
    (told(a_count(unit={})), "unit", "accepted"),
    (told(a_count(anc=None, wbc=4200)), "anc", "judges by the ANC"),
]


@pytest.mark.parametrize(("line", "field", "words"), BAD)
def test_a_bad_line_names_the_field_and_what_would_be_right(line, field, words):
    text, judged = answer(line)
    said = json.loads(text)
    assert (judged, said["error"]["field"]) == (False, field)
    assert words in said["error"]["message"]


def test_a_replaced_count_is_not_looked_at_and_a_later_correction_is_not_known_yet():
    slip = a_count(anc="slip")
    mended = {"kind": "correction", "of": "c", "at": "2025-06-02T09:00:00Z", "anc": "1.2", "unit": "10*9/L"}
    assert json.loads(answer(told(slip, mended))[0])["anc"] == "1200"
    before = told(a_count(), mended, as_of="2025-06-02T08:59:59Z")
    assert json.loads(answer(before)[0])["anc"] == "2000"


def test_of_two_corrections_the_later_one_stands_whatever_the_order_in_the_line():
    first = {"kind": "correction", "of": "c", "at": "2025-06-02T09:00:00Z", "anc": 900, "unit": "/uL"}
    second = {"kind": "correction", "of": "c", "at": "2025-06-03T09:00:00Z", "anc": 1900, "unit": "/uL"}
    for events in ((first, second, a_count()), (second, a_count(), first)):
        assert json.loads(answer(told(*events))[0])["anc"] == "1900"


def test_events_after_the_moment_asked_about_are_ignored():
    later = {"kind": "unheard of", "at": "2026-02-01"}
    assert answer(told(a_count(), later)) == answer(told(a_count()))


def test_id_and_moment_are_echoed_as_they_came():
    said = json.loads(answer(told(id="\ud800 x", as_of="2026-01-01T00:00:00+00:00"))[0])
    assert (said["id"], said["as_of"]) == ("\ud800 x", "2026-01-01T00:00:00+00:00")


def test_the_command_goes_on_after_a_bad_line_keeps_the_order_and_ends_with_status_1(tmp_path, capsys):
    file = tmp_path / "lines.jsonl"
    file.write_text("\n".join([told(id="a"), "{", "", told(id="b")]))
    with pytest.raises(SystemExit) as stop:
        call_command("assess", str(file))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert stop.value.code == 1
    assert [line["id"] for line in lines] == ["a", None, "b"]
