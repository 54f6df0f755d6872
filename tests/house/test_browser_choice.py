"""Which Chromium the browser tests take: real small executables on a PATH of their own, in every order."""

import os
import sys
import tempfile
from types import SimpleNamespace

import pytest

from tests import browser

INSTALLS = """#!/bin/sh
echo "$@" >> {told}
case "$*" in *install*) printf '#!/bin/sh\\n' > {there} && /bin/chmod +x {there} ;; esac
"""
FAILS = """#!/bin/sh
echo "$@" >> {told}
exit 100
"""


class Machine:
    """A machine on which nothing is but what the test puts there."""

    def __init__(self, place, monkeypatch):
        self.place, self.told, self.own = place, place / "told", place / "playwrights-own"
        self.told.touch()
        monkeypatch.delenv("CLOZATRACK_CHROMIUM", raising=False)
        monkeypatch.setenv("PATH", str(place))
        self.has("python", FAILS)
        monkeypatch.setattr(sys, "executable", str(place / "python"))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        self.playwright = SimpleNamespace(chromium=SimpleNamespace(executable_path=str(self.own)))

    def has(self, name, script="#!/bin/sh\n", there="chromium"):
        path = self.place / name
        path.write_text(script.format(told=self.told, there=self.place / there))
        path.chmod(0o755)
        return str(path)

    def chosen(self):
        return browser.chromium(self.playwright)

    def quickly(self):
        return browser.quick(self.playwright)

    def was_told(self):
        return self.told.read_text()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_the_one_that_was_named_comes_first(machine, monkeypatch):
    machine.has("chromium")
    monkeypatch.setenv("CLOZATRACK_CHROMIUM", machine.has("mine"))
    assert machine.chosen() == str(machine.place / "mine")


def test_then_one_that_is_there_and_nothing_is_installed(machine):
    machine.has("apt-get", INSTALLS)
    there = machine.has("google-chrome-stable")
    assert machine.chosen() == there
    assert machine.was_told() == ""


def test_then_debians_package_for_root(machine):
    machine.has("apt-get", INSTALLS)
    assert machine.chosen() == str(machine.place / "chromium")
    assert machine.was_told().splitlines() == [
        "update", "install -y --no-install-recommends chromium",
        "install -y --no-install-recommends chromium-headless-shell",
    ]  # fmt: skip
    assert machine.chosen()
    assert len(machine.was_told().splitlines()) == 3


def test_then_playwrights_own_when_debian_has_none_or_one_is_not_root(machine):
    machine.has("apt-get", FAILS)
    machine.has("python", INSTALLS, there="playwrights-own")
    assert machine.chosen() == str(machine.own)
    assert machine.was_told().splitlines()[-1] == "-m playwright install chromium"


def test_an_ordinary_user_is_not_asked_to_install_for_the_whole_machine(machine, monkeypatch):
    machine.has("apt-get", INSTALLS)
    machine.has("python", INSTALLS, there="playwrights-own")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert machine.chosen() == str(machine.own)
    assert machine.was_told() == "-m playwright install chromium\n"


def test_where_none_can_be_had_the_sentence_says_what_to_install(machine):
    machine.has("apt-get", FAILS)
    with pytest.raises(RuntimeError, match=r"need Chromium and none could be had. Install Debian's package") as failed:
        machine.chosen()
    assert "CLOZATRACK_CHROMIUM" in str(failed.value)


def test_a_named_one_that_is_not_there_is_not_passed_over_in_silence(machine, monkeypatch):
    machine.has("chromium")
    monkeypatch.setenv("CLOZATRACK_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(RuntimeError, match="/nowhere/chromium"):
        machine.chosen()


def test_pages_are_looked_at_in_debians_headless_one_where_it_is(machine):
    machine.has("chromium")
    assert machine.quickly() == str(machine.place / "chromium")
    shell = machine.has("chromium-headless-shell")
    assert machine.quickly() == shell
    assert machine.chosen() == str(machine.place / "chromium")


def test_and_in_the_one_that_was_named_whatever_else_is_there(machine, monkeypatch):
    machine.has("chromium-headless-shell")
    mine = machine.has("mine")
    monkeypatch.setenv("CLOZATRACK_CHROMIUM", mine)
    assert machine.quickly() == mine


def test_and_playwright_takes_the_headless_one_of_its_own(machine):
    machine.has("python", INSTALLS, there="playwrights-own")
    assert machine.quickly() is None
