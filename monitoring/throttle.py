"""How often an address may ask something that needs no sign-in. Counted by each web process for itself."""

from datetime import datetime

from django.core.cache import cache

PER_MINUTE = 60


def too_often(what: str, address: str, *, now: datetime) -> bool:
    """Count this question; whether it is one too many in its minute."""
    key = f"throttle:{what}:{address}:{int(now.timestamp()) // 60}"
    cache.add(key, 0, timeout=120)
    try:
        return cache.incr(key) > PER_MINUTE
    except ValueError:
        return False  # dropped in between: the cache was full, and counts begin anew
