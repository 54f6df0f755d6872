"""The public holidays of a country or a part of it, to be looked at before they close a clinic."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

import holidays
from holidays.registry import COUNTRIES


def countries() -> Sequence[tuple[str, str]]:
    """Two-letter codes with their names, by name."""
    found = [(row[1], re.sub(r"(?<=[a-z])(?=[A-Z])", " ", row[0])) for row in COUNTRIES.values()]
    return sorted(found, key=lambda pair: pair[1])


def regions_of(country: str) -> Sequence[str]:
    """The codes of the parts of a country that have holidays of their own."""
    return list(holidays.list_supported_countries(include_aliases=False).get(country, []))


def public_holidays(country: str, region: str, year: int) -> Mapping[date, str]:
    """Day and name in order, in English where the package knows it. Raises ValueError for a region it does not know."""
    known = {code.upper(): code for code in regions_of(country)}
    if region and region.upper() not in known:
        raise ValueError(f"{region} is no region here; known: {', '.join(known.values()) or 'none, leave it empty'}")
    found = holidays.country_holidays(country, subdiv=known.get(region.upper()), years=year, language="en_US")
    return {day: name[:80] for day, name in sorted(found.items()) if day.year == year}
