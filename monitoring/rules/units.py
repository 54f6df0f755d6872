"""From what a laboratory wrote to exact numbers per microlitre. Nothing is guessed: what is unclear is refused."""

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache

from monitoring.rules.errors import ImplausibleError, InputError
from monitoring.rules.history import Bound

Written = str | int | Decimal

PER_MICROLITRE = ("/uL", "/mm3", "cells/uL")
THOUSANDS = ("10*3/uL", "K/uL", "x10^3/uL", "10*9/L", "x10^9/L", "G/L")
UNITS_ACCEPTED = PER_MICROLITRE + THOUSANDS
_SCALE = dict.fromkeys(PER_MICROLITRE, 1) | dict.fromkeys(THOUSANDS, 1000)
_MICRO_SIGNS = str.maketrans("\u00b5\u03bc", "uu")

_NUMBER = re.compile(r"([<>]?)\s*(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})", re.ASCII)
_LOWEST_PLAUSIBLE = 20
_HIGHEST_PLAUSIBLE = 100_000
_MOST_THOUSANDS = 100
_DISAGREEMENT = Decimal("0.1")
_HUNDRED = Decimal(100)
_MOST_DIGITS = 24
_EXACT = Context(prec=80)


@dataclass(frozen=True, slots=True)
class Reading:
    """A count as read: `anc` and `wbc` per microlitre, exact, each with the sign it came with."""

    anc: Decimal | None
    anc_bound: Bound
    wbc: Decimal | None
    wbc_bound: Bound
    flags: tuple[str, ...]


def read_count(
    *,
    unit: str | None,
    anc: Written | None = None,
    wbc: Written | None = None,
    neutrophils_percent: Written | None = None,
    segs_percent: Written | None = None,
    bands_percent: Written | None = None,
    confirmed: bool = False,
) -> Reading:
    """Read one draw. `confirmed`: a person has confirmed a number that looks like a slip of the unit.

    Raises InputError naming the field. Source: the arithmetic of a count, CNS Drugs 2022;36:659-679.
    """
    sent = (unit, anc, wbc, neutrophils_percent, segs_percent, bands_percent, confirmed)
    try:
        return _read_count(*sent)
    except TypeError:
        # A list or an object where a number belongs cannot be a key; read without the cache it is refused by name.
        return _read_count.__wrapped__(*sent)


@lru_cache(maxsize=1 << 16, typed=True)
def _read_count(
    unit: str | None,
    anc: Written | None,
    wbc: Written | None,
    neutrophils_percent: Written | None,
    segs_percent: Written | None,
    bands_percent: Written | None,
    confirmed: bool,  # the key of the cache
) -> Reading:
    """Counts repeat themselves: the same numbers in the same unit are always read alike."""
    if anc is None and wbc is None:
        raise InputError("anc", "a count needs an ANC, or a WBC with percentages from the same draw")
    scale = scale_of(unit)
    reported = _read("anc", anc)
    white = _read("wbc", wbc)
    percent, flags = _neutrophil_fraction(neutrophils_percent, segs_percent, bands_percent)
    derived = None if white is None or percent is None else (_share(white[0], percent), white[1])
    if not confirmed:
        _refuse_unit_slip(reported, derived, scale, unit)
    chosen = reported or derived
    if reported and derived:
        flags += _disagreement(reported[0], derived[0])
    elif derived:
        flags += ("derived",)
    return Reading(
        anc=None if chosen is None else _EXACT.multiply(chosen[0], scale),
        anc_bound="" if chosen is None else chosen[1],
        wbc=None if white is None else _EXACT.multiply(white[0], scale),
        wbc_bound="" if white is None else white[1],
        flags=flags,
    )


def scale_of(unit: str | None) -> int:
    """How many per microlitre one of this unit is: 1 or 1000."""
    if unit is not None and not isinstance(unit, str):
        raise InputError("unit", f"{_shown(unit)} is not a unit; accepted: {', '.join(UNITS_ACCEPTED)}")
    scale = _SCALE.get(unit or "") or _SCALE.get((unit or "").strip().translate(_MICRO_SIGNS))
    if scale is None:
        what = "the unit is missing" if not unit else f"{unit!r} is not a unit of a cell count"
        raise InputError("unit", f"{what}; accepted: {', '.join(UNITS_ACCEPTED)}")
    return scale


def plain(value: Decimal, bound: str = "") -> str:
    """Exact and plain: no exponent, no trailing zeros, the sign it came with."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return bound + text


def _read(field: str, written: Written | None) -> tuple[Decimal, Bound] | None:
    if written is None:
        return None
    if isinstance(written, str):
        match = _NUMBER.fullmatch(written.strip())
        if match:
            bound: Bound = match[1]  # type: ignore[assignment]  # the pattern allows these three only
            return Decimal(match[2]), bound
    elif isinstance(written, int | Decimal) and not isinstance(written, bool):
        number = Decimal(written)
        if number.is_finite() and 0 <= number < 10**12 and len(f"{number:f}") <= _MOST_DIGITS:
            return number, ""
    hint = " with a point for the decimals" if isinstance(written, str) and "," in written else ""
    raise InputError(field, f"{_shown(written)} is not a count; write a number{hint}, such as 1500, 1.5 or <0.1")


def _percent(field: str, written: Written | None) -> Decimal | None:
    if written is None:
        return None
    read = _read(field, written)
    if read is None or read[1] or read[0] > _HUNDRED:
        raise InputError(field, f"{_shown(written)} is not a percentage; write a number from 0 to 100")
    return read[0]


def _neutrophil_fraction(
    neutrophils: Written | None, segs: Written | None, bands: Written | None
) -> tuple[Decimal | None, tuple[str, ...]]:
    """Percent of white cells that are neutrophils. Bands are inside a lab's single neutrophil percentage."""
    whole = _percent("neutrophils_percent", neutrophils)
    mature = _percent("segs_percent", segs)
    young = _percent("bands_percent", bands)
    if mature is None:
        return whole, ()
    if mature + (young or 0) > _HUNDRED:
        raise InputError("bands_percent", f"{mature} % segmented and {young} % bands make more than 100 %")
    return mature + (young or 0), () if young is not None else ("bands_not_reported",)


def _share(white: Decimal, percent: Decimal) -> Decimal:
    return _EXACT.multiply(white, percent).scaleb(-2, _EXACT)


def _disagreement(reported: Decimal, derived: Decimal) -> tuple[str, ...]:
    return ("anc_disagrees_with_derived",) if abs(reported - derived) > _DISAGREEMENT * reported else ()


def _refuse_unit_slip(
    reported: tuple[Decimal, Bound] | None, derived: tuple[Decimal, Bound] | None, scale: int, unit: str | None
) -> None:
    chosen = reported or derived
    if chosen is None:
        return
    number, bound = chosen
    if scale == 1 and number < _LOWEST_PLAUSIBLE:
        meant = f"{bound}{plain(number)} x10^9/L ({plain(number * 1000, bound)} /uL)"
    elif scale == 1 and number > _HIGHEST_PLAUSIBLE:
        meant = f"{plain(number / 1000, bound)} /uL"
    elif scale == 1000 and number > _MOST_THOUSANDS:
        meant = f"{plain(number, bound)} /uL ({plain(number / 1000, bound)} x10^9/L)"
    else:
        return
    raise ImplausibleError(
        "anc" if reported else "wbc",
        f"an ANC of {plain(number, bound)} {unit} is hardly possible; probably {meant} was meant."
        " Correct the number or its unit, or have a person confirm it",
    )


def _shown(written: object) -> str:
    text = repr(written)
    return text if len(text) <= 40 else f"{text[:36]}...'"
