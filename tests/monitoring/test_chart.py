"""The rules of the chart: scales, bands, shapes, gaps, doses and the numbers beside the counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.rules.protocols import PROTOCOLS
from monitoring.views.chart import Drawn, draw
from monitoring.views.results import ResultRow
from monitoring.views.scale import BOTTOM, TOP, CountScale, count_scale, count_ticks, time_scale, time_ticks

TABLES = PROTOCOLS["us-label-2025"].tables
NOW = datetime(2026, 9, 14, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def a_row(anc, days_ago=1.0, pk=1, **fields):
    count = None if anc is None else Decimal(anc)
    given = {
        "pk": pk, "drawn_at": NOW - days_ago * DAY, "count": count, "bound": "", "anc": str(anc), "wbc": "",
        "band": "normal", "tone": "normal", "status": "final", "version": 1, "stands": True, "supported": False,
        "flags": [], "received_at": NOW, "by": "lab", "reason": "",
    }  # fmt: skip
    return ResultRow(**given | fields)


def drawn(*rows, table="general", **fields):
    return draw(Drawn(rows=rows, now=NOW, **fields), TABLES[table])


@pytest.mark.parametrize("log", [False, True])
@given(counts=st.lists(st.decimals(20, 100_000, places=0), max_size=9))
def test_every_count_stands_on_the_paper_and_a_lower_one_never_above_a_higher(log, counts):
    scale = count_scale(counts, log=log)
    ys = [scale.y(count) for count in sorted(counts)]
    assert all(TOP <= y <= BOTTOM for y in ys)
    assert ys == sorted(ys, reverse=True)


@pytest.mark.parametrize(("counts", "log", "low", "high"), [
    ([], False, 0, 4000),
    ([2400], False, 0, 4000),
    ([6400], False, 0, 7000),
    ([18_500], False, 0, 10_000),
    ([2400], True, 100, 5000),
    ([18_500], True, 100, 20_000),
    ([60], True, 10, 5000),
    ([100], True, 10, 5000),
])  # fmt: skip
def test_the_scale_holds_the_counts_and_keeps_the_low_bands_wide(counts, log, low, high):
    scale = count_scale([Decimal(count) for count in counts], log=log)
    assert (scale.low, scale.high) == (low, high)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("table", ["general", "ben"])
@pytest.mark.parametrize("anc", [60, 2400, 18_500])
def test_the_bands_cover_the_paper_without_a_gap_and_each_is_wide_enough_for_its_name(log, table, anc):
    shades = drawn(a_row(anc), table=table, log=log).shades
    assert [shade.name for shade in shades] == [band.name for band in TABLES[table].bands]
    assert shades[0].y == TOP
    for above, below in pairwise(shades):
        assert above.y + above.height == pytest.approx(below.y, abs=0.11)
    assert shades[-1].y + shades[-1].height == pytest.approx(BOTTOM, abs=0.11)
    assert min(shade.height for shade in shades) >= 12


def test_ben_shows_its_own_bands_and_no_threshold_of_the_general_table():
    chart = drawn(a_row(1200), table="ben")
    assert [(shade.name, shade.asks) for shade in chart.shades] == [
        ("normal", "continue"), ("neutropenia", "continue"), ("severe", "stop"),
    ]  # fmt: skip
    assert [number for _, number, threshold in chart.ticks if threshold] == [1000, 500]


@pytest.mark.parametrize("high", [4000, 7000, 10_000])
def test_the_thresholds_are_always_numbered_and_no_number_stands_on_another(high):
    ticks = count_ticks(CountScale(0, high, log=False), [1500, 1000, 500])
    assert {number for _, number, threshold in ticks if threshold} == {1500, 1000, 500}
    rounds = [y for y, _, threshold in ticks if not threshold]
    assert all(abs(y - other) >= 17 for y in rounds for other, _, _ in ticks if other != y)


@pytest.mark.parametrize(("fields", "shape"), [
    ({}, "dot"),
    ({"supported": True}, "ring"),
    ({"bound": "<"}, "below"),
    ({"bound": ">"}, "above"),
    ({"bound": "<", "supported": True}, "below"),
    ({"status": "preliminary"}, "diamond"),
    ({"status": "preliminary", "supported": True}, "diamond"),
    ({"anc": 18_500}, "above"),
])  # fmt: skip
def test_the_shape_says_what_the_number_is(fields, shape):
    (mark,) = drawn(a_row(**{"anc": 500} | fields)).points
    assert mark.shape == shape


def test_a_replaced_number_is_a_cross_beside_the_count_that_stands_and_no_line_runs_through_it():
    old = a_row(640, pk=1, stands=False)
    chart = drawn(old, a_row(6400, pk=2, was="640", version=2), a_row(3000, days_ago=8, pk=3))
    assert [mark.pk for mark in chart.crosses] == [1]
    assert [mark.pk for mark in chart.points] == [3, 2]
    assert len(chart.lines) == 1
    assert "no longer stands" in chart.crosses[0].reading
    assert "corrected from 640" in chart.points[-1].reading


@pytest.mark.parametrize(("apart", "broken"), [(7, False), (31, False), (45, False), (46, True), (400, True)])
def test_the_line_is_broken_where_no_count_was_taken_for_long(apart, broken):
    chart = drawn(a_row(3000, days_ago=1 + apart, pk=1), a_row(2900, days_ago=1, pk=2), range="all")
    assert [line.gap for line in chart.lines] == [broken]


def test_a_count_reads_as_a_sentence_with_its_day_number_unit_and_band():
    row = replace(a_row(500, bound="<", supported=True), anc="<500", band="severe", tone="severe")
    reading = drawn(row).points[0].reading
    assert reading == "Sun 13 Sep 2026, 12:00: ANC <500 per microlitre, severe, under G-CSF or lithium"


def test_the_latest_and_the_lowest_count_are_numbered_and_no_number_stands_on_another():
    rows = [a_row(900 + day, days_ago=day, pk=day, tone="moderate") for day in range(1, 300)]
    marks = {mark.pk: mark for mark in drawn(*rows).points}
    numbered = [mark for mark in marks.values() if mark.label]
    assert marks[1].label
    assert len(numbered) < 20
    xs = sorted(mark.x for mark in numbered)
    assert all(later - earlier >= 7 for earlier, later in pairwise(xs))


def test_a_number_stands_at_the_height_of_its_count_so_that_it_is_never_in_another_band():
    (mark,) = drawn(a_row(510, tone="moderate")).points
    assert abs(mark.label_y - mark.y) <= 4


def test_an_open_pause_is_hatched_to_the_end_and_a_closed_one_to_its_restart():
    chart = drawn(
        a_row(3000, days_ago=100),
        breaks=[(NOW - 80 * DAY, NOW - 60 * DAY, "surgery"), (NOW - 20 * DAY, None, "lost contact")],
    )
    closed, still_open = chart.pauses
    assert closed.x + closed.width < still_open.x
    assert still_open.x + still_open.width == 100
    assert [pause.title for pause in chart.pauses] == ["surgery", "lost contact"]
    assert "lost contact" in chart.summary


def test_the_dose_is_a_step_line_that_stops_with_the_last_dose_and_begins_with_the_next_one_written_down():
    doses = [(NOW - 90 * DAY, Decimal("12.5")), (NOW - 60 * DAY, Decimal(300)), (NOW - 10 * DAY, Decimal("25.0"))]
    chart = drawn(a_row(3000, days_ago=95), doses=doses, breaks=[(NOW - 30 * DAY, NOW - 12 * DAY, "off")])
    flat = [line for line in chart.doses if line.y1 == line.y2]
    assert len(flat) == 3
    assert flat[1].x2 < flat[2].x1
    assert [label for _, _, label in chart.dose_labels] == ["12.5", "300", "25"]
    assert chart.height > drawn(a_row(3000)).height


def test_two_events_close_together_do_not_cover_each_other():
    flags = [(NOW - 30 * DAY, "A", "approved"), (NOW - 29 * DAY, "R", "restarted")]
    one, two = drawn(a_row(3000, days_ago=300), flags=flags).flags
    assert one.y != two.y


@pytest.mark.parametrize("days", [92, 366, None])
@given(age=st.integers(0, 6000))
def test_the_days_on_the_axis_are_few_in_order_and_on_the_paper(days, age):
    scale = time_scale(first=NOW - age * DAY, now=NOW, days=days)
    ticks = time_ticks(scale)
    assert len(ticks) <= 8
    assert [tick.x for tick in ticks] == sorted({tick.x for tick in ticks})
    assert all(0 <= tick.x <= 100 for tick in ticks)
    assert scale.x(NOW) < 100


def test_the_choice_of_time_leaves_older_counts_out_of_the_drawing_and_of_the_table():
    rows = [a_row(3000, days_ago=100, pk=1), a_row(2900, days_ago=10, pk=2)]
    assert drawn(*rows, range="3m").pks == {2}
    assert drawn(*rows, range="1y").pks == {1, 2}


@pytest.mark.parametrize("rows", [[], [a_row(None)]])
def test_without_a_count_the_bands_are_drawn_and_the_words_say_so(rows):
    chart = drawn(*rows)
    assert (chart.points, chart.summary) == ([], "No count in this time.")
    assert len(chart.shades) == 4


def test_one_count_alone_needs_no_line():
    chart = drawn(a_row(2400))
    assert (len(chart.points), chart.lines) == (1, [])
    assert chart.summary.startswith("1 count. Latest:")


def test_of_many_counts_in_few_days_the_lowest_is_drawn_large_and_the_others_small():
    week = [a_row(1400 - 200 * day, days_ago=40 - day, pk=day + 1, tone="mild") for day in range(5)]
    points = drawn(a_row(2500, days_ago=300, pk=8), *week, a_row(2600, days_ago=1, pk=9)).points
    assert [mark.drawn_as for mark in points] == ["dot", *["speck"] * 4, "dot", "dot"]
    assert [mark.label for mark in points if mark.label] == ["600", "2600"]


def test_two_counts_of_one_day_are_no_crowd_and_a_crowds_preliminary_count_keeps_its_shape():
    two = drawn(a_row(900, days_ago=40, pk=1), a_row(800, days_ago=39.9, pk=2)).points
    assert [mark.drawn_as for mark in two] == ["dot", "dot"]
    three = [a_row(900 - day, days_ago=40 - day, pk=day + 1, status="preliminary") for day in range(3)]
    assert {mark.drawn_as for mark in drawn(a_row(2500, 300, 8), *three).points[1:]} == {"diamond"}
