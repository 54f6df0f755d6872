"""The judge of the faults finds what it is there to find."""

from datetime import UTC, datetime

from tests.faults.judge import Copy, of_mail, of_results, of_steps

AT = datetime(2026, 9, 14, 12, tzinfo=UTC)
KEY = "alert:1:told:x:a@north.example"
MAIL = {KEY: [Copy(at=1.0, to="a@north.example", subject="s", body="b\n")]}
ROWS = {KEY: ("a@north.example", "s", "b", AT, AT, None)}
STORED = {"L1": ([7], 1, [KEY])}
NOTE = {"accession": "L1", "result": 7}
STEP = (1, "told", True, 1, 1)


def test_nothing_is_found_where_all_is_well():
    assert [*of_results(STORED, [NOTE, NOTE], MAIL), *of_steps([STEP], []), *of_mail(ROWS, MAIL)] == []


def test_a_result_that_was_acknowledged_and_is_not_there_is_found():
    assert "acknowledged as result 7" in next(of_results({}, [NOTE], MAIL))
    assert "acknowledged as result 8" in next(of_results(STORED, [NOTE | {"result": 8}], MAIL))


def test_a_committed_result_that_nobody_acknowledged_needs_its_alert_and_its_message_too():
    assert "0 alerts" in next(of_results({"L1": ([7], 0, None)}, [], MAIL))
    assert "under the keys None" in next(of_results({"L1": ([7], 1, None)}, [], MAIL))
    assert "2 results" in next(of_results({"L1": ([7, 8], 1, [KEY])}, [], MAIL))
    assert "never handed over" in next(of_results(STORED, [], {}))


def test_a_second_key_for_one_step_and_a_step_without_a_message_are_found_whatever_the_step():
    for step in ("told", "overdue", "late", "deputy", "on_call", "alarm"):
        assert "2 keys for 1 addresses" in next(of_steps([(1, step, True, 2, 1)], []))
        assert "no message is owed" in next(of_steps([(1, step, True, 0, 0)], []))
    assert "does not know" in next(of_steps([], [("alert:1:shouted:x",)]))


def test_mail_that_the_outbox_does_not_bear_out_is_found():
    assert "not in the outbox" in next(of_mail({}, MAIL))
    assert "neither marked so nor leased" in next(of_mail({KEY: (*ROWS[KEY][:4], None, None)}, MAIL))
    assert list(of_mail({KEY: (*ROWS[KEY][:4], None, AT)}, MAIL)) == []
    assert "as something else" in next(of_mail({KEY: ("b@north.example", *ROWS[KEY][1:])}, MAIL))
    assert "never handed over" in next(of_mail(ROWS, {}))
