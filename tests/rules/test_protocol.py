"""A protocol checks itself, and a published one is never edited in meaning."""

import hashlib
from dataclasses import replace

import pytest

from monitoring.rules.errors import InputError
from monitoring.rules.protocol import Band, Floor, Source, Window
from monitoring.rules.protocols import PROTOCOLS

LABEL = PROTOCOLS["us-label-2025"]
GENERAL = LABEL.tables["general"]
PUBLISHED = {
    "us-label-2025": "27afd195c7ff42a5",
    "us-label-2015": "d4be532514518fd5",
    "eu-2025-09": "d2f940c9ea2f019d",
    "uk-cpms": "b47fde4449414dcc",
    "uk-ztas": "2baf42a68dff95e2",
    "uk-dms": "aaa9fe6e8175b017",
    "ca-2023": "9efe152a3f85b6f9",
    "au-2021": "25fa432c911e8841",
}


@pytest.mark.parametrize("key", PROTOCOLS)
def test_a_published_protocol_is_what_it_was_when_it_was_published(key):
    """A change of meaning is a new key. This changes only with a rule that was wrong against its source."""
    protocol = PROTOCOLS[key]
    said = repr((protocol, sorted(protocol.sources.items())))
    assert hashlib.sha256(said.encode()).hexdigest()[:16] == PUBLISHED[key]


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ((), "every band but the last"),
        ((Band("normal", Floor(1500), "continue"),), "every band but the last"),
        ((Band("a", None, "continue"), Band("b", None, "stop")), "every band but the last"),
        ((Band("a", Floor(1000), "continue"), Band("b", Floor(1500), "stop"), Band("c", None, "stop")), "must fall"),
        ((Band("a", Floor(1000), "continue"), Band("b", Floor(1000), "stop"), Band("c", None, "stop")), "must fall"),
    ],
)
def test_bands_that_do_not_fall_to_a_bottom_are_refused(bands, words):
    with pytest.raises(InputError, match=words):
        replace(GENERAL, bands=bands)


def test_a_frequency_without_a_window_is_refused():
    windows = {name: window for name, window in LABEL.windows.items() if name != "daily"}
    with pytest.raises(InputError, match="us-label-2025 tests daily"):
        replace(LABEL, windows=windows)
    assert replace(LABEL, windows=LABEL.windows | {"yearly": Window(months=12)})


def test_a_protocol_without_its_document_is_refused():
    with pytest.raises(InputError, match="must name the document"):
        replace(LABEL, sources={"start": Source("somewhere")})
