"""When benign ethnic neutropenia (BEN, Duffy-null) should be thought of: at the first count that it might explain."""

from monitoring.rules.history import Count
from monitoring.rules.protocol import Protocol


def worth_assessing(count: Count | None, protocol: Protocol) -> bool:
    """Whether a count is low by the general table, and in a better band, or in none, for somebody with BEN.

    Never for the worst band: a severe count is severe with BEN too, and nothing may be read into it.
    """
    if count is None or "ben" not in protocol.tables:
        return False
    general, ben = protocol.tables["general"], protocol.tables["ben"]
    rank = general.rank(count)
    return 0 < rank < len(general.bands) - 1 and ben.rank(count) < rank
