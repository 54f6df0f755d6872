"""Rules of the house, each with a line that it must catch and one that it must allow."""

import ast
import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED = ("manager", "handler", "processor", "helper", "util", "service", "data", "info", "obj")
FRAMEWORKS_OWN = ("exception_handler",)
DOOR = re.compile(r"\b(Patient|Result|Treatment|Alert)\.objects\b")
PLACES = re.compile(r"/wor[k]/|/far[m]/|/hom[e]/[a-z]|[.]library")
SOURCES = [
    path
    for app in ("clozatrack", "monitoring", "patients", "notifications")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
]


def long_functions(tree):
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno > 45
    ]


def banned_names(tree):
    named = (ast.FunctionDef, ast.ClassDef)
    found = [node.name for node in ast.walk(tree) if isinstance(node, named)]
    words = {name: {word.lower() for word in re.split(r"_|(?<=[a-z])(?=[A-Z])", name)} for name in found}
    return [name for name in found if words[name] & set(BANNED) and name not in FRAMEWORKS_OWN]


def imports_inside(tree):
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short_well_named_and_import_at_the_top(path):
    text = path.read_text()
    tree = ast.parse(text)
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 300
    assert long_functions(tree) == []
    assert not banned_names(tree)
    assert imports_inside(tree) == []


def test_the_checks_catch_what_they_should_and_allow_what_they_should():
    assert banned_names(ast.parse("class AlertManager: ..."))
    assert not banned_names(ast.parse("def raise_alerts(): ..."))
    assert imports_inside(ast.parse("def f():\n import os"))
    assert not imports_inside(ast.parse("import os"))
    assert long_functions(ast.parse("def f():\n" + " x = 1\n" * 60))
    assert DOOR.search("Patient.objects.get(pk=1)")
    assert not DOOR.search("patients_of(staff).get(pk=1)")
    assert PLACES.search("/" + "work/main")


def test_views_find_patients_through_the_one_door():
    for path in SOURCES:
        if "views" in path.parts or "api" in path.parts:
            assert not DOOR.search(path.read_text()), path


def test_no_tracked_file_names_a_place_on_somebodys_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in tracked.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".yml", ".html", ".css", ""}:
            assert not PLACES.search(path.read_text(errors="ignore")), name


def unexplained(text):
    silenced = re.compile(r"#\s*(noqa|type: ignore)(?P<code>[^#\n]*)(?P<why>#.*\S.*)?$", re.MULTILINE)
    return [found[0] for found in silenced.finditer(text) if not found["why"]]


def test_whatever_silences_a_check_says_why():
    assert unexplained("import os  # " + "noqa: F401")
    assert not unexplained("import os  # " + "noqa: F401  # for its effect")
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if (ROOT / name).is_file():
            assert not unexplained((ROOT / name).read_text()), name


def test_vendored_files_are_what_their_record_says():
    for record in (ROOT / "tests/vendor/vendor.toml", ROOT / "clozatrack/static/vendor/vendor.toml"):
        for entry in tomllib.loads(record.read_text())["file"]:
            content = (record.parent / entry["name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_the_readme_names_only_commands_that_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^    )make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
