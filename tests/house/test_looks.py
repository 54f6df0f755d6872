"""A test of the browser never looks at once after it clicked or pressed a key: what it acted on is still on its way."""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ACTS = {"click", "press"}
WAITS = {"expect", "goto", "reload", "expect_page", "expect_download"}
LOOKS = {"inner_text", "text_content", "all_inner_texts", "all_text_contents", "count", "is_visible", "is_hidden"}
LOOKS |= {"is_checked", "input_value", "get_attribute", "evaluate", "bounding_box", "url", "objects"}
FOCUSES = {"to_be_focused", "fill", "focus", "select_option", "check"}
KEYS_OF_THE_CHART = "test_the_counts_are_read_one_after_the_other_by_arrow_keys_and_lead_to_their_rows"
"""Arrow keys move the focus before the key's own event has ended: there is nothing to wait for."""


def named(node):
    """Every name that is called or asked for in it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            yield part.func.id


def in_order(body):
    for step in body:
        if isinstance(step, ast.For):
            yield from (step.iter, *in_order(step.body))
        elif isinstance(step, ast.With):
            yield from (*in_order(step.body), *(item.context_expr for item in step.items))
        elif isinstance(step, ast.If):
            yield from (step.test, *in_order(step.body), *in_order(step.orelse))
        elif not isinstance(step, ast.FunctionDef):
            yield step


def keys(step):
    """Keys that go to whatever has the focus."""
    called = [node.func for node in ast.walk(step) if isinstance(node, ast.Call)]
    return any(
        (isinstance(by.value, ast.Attribute) and by.value.attr == "keyboard") or getattr(by.value, "id", "") == "hands"
        for by in called
        if isinstance(by, ast.Attribute)
    )


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def waits(names):
    return any(name in WAITS or name.startswith("wait_") for name in names)


def those_that_wait(*trees):
    """The names of our own functions that wait for the page."""
    return {each.name for each in chain.from_iterable(map(functions, trees)) if waits(named(each))}


def early_looks(tree, waiting):
    """Lines that read the page or the database after an act with no wait between."""
    for function in functions(tree):
        acted = False
        for step in in_order(function.body):
            names = set(named(step))
            if waits(names) or names & waiting:
                acted = False
            elif acted and names & LOOKS and function.name != KEYS_OF_THE_CHART:
                yield step.lineno
            acted = acted or bool(names & ACTS)


def blind_keys(tree):
    """Lines that press a key on a page that has only just come, before a field is known to have the focus."""
    focusing = {each.name for each in functions(tree) if FOCUSES & set(named(each))}
    for function in functions(tree):
        came = False
        for step in in_order(function.body):
            names = set(named(step))
            if names & FOCUSES or names & focusing:
                came = False
            elif came and keys(step):
                yield step.lineno
            came = came or "goto" in names


SHARED = ast.parse((TESTS / "browser.py").read_text())
BROWSED = [path for path in TESTS.rglob("test_*.py") if "pytest.mark.browser" in path.read_text()]


@pytest.mark.parametrize(("mark", "folder"), [("browser", "journeys"), ("faults", "faults")])
def test_make_test_finds_them_where_it_looks(mark, folder):
    said = re.compile(rf"pytest\.mark\.{mark}\b(?!\\)")
    found = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py") if said.search(path.read_text())}
    assert found - {"house"} == {folder}


@pytest.mark.parametrize("path", BROWSED, ids=lambda path: path.name)
def test_no_test_of_the_browser_looks_too_early(path):
    tree = ast.parse(path.read_text())
    assert list(early_looks(tree, those_that_wait(SHARED, tree))) == []


@pytest.mark.parametrize("path", BROWSED, ids=lambda path: path.name)
def test_no_key_is_pressed_before_something_has_the_focus(path):
    assert list(blind_keys(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("path", [TESTS / "browser.py", *BROWSED], ids=lambda path: path.name)
def test_no_waiting_function_is_given_a_promise_for_it_would_not_wait_for_it(path):
    assert not re.search(r"""wait_for_function\(\s*[rf]?["']+\s*async""", path.read_text())


@pytest.mark.parametrize("look", ["assert page.url == '/'", "assert Alert.objects.get()", "page.inner_text('main')"])
def test_an_early_look_is_found_and_one_that_waited_is_not(look):
    early = ast.parse(f"def test():\n page.click('a')\n {look}")
    waited = ast.parse(f"def test():\n page.click('a')\n page.wait_for_selector('b')\n {look}")
    assert list(early_looks(early, set())) == [3]
    assert list(early_looks(waited, set())) == []


def test_a_key_pressed_blindly_is_found_and_one_with_a_focus_is_not():
    blind = ast.parse("def test():\n page.goto('/')\n page.keyboard.type('M1')")
    known = ast.parse("def test():\n page.goto('/')\n expect(field).to_be_focused()\n page.keyboard.type('M1')")
    assert list(blind_keys(blind)) == [3]
    assert list(blind_keys(known)) == []
