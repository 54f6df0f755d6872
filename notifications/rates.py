"""How fast each provider takes messages: a bucket of tokens for each channel, shared by all workers through Valkey.

An urgent message never waits for a token; it spends one all the same, so that the others make room. Where Valkey does
not answer, each process keeps a bucket of its own, filled at a quarter of the rate: slower, and never silent.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import redis
from django.conf import settings

KEY = "clozatrack:rate:{}"
SHARE_ALONE = 0.25
"""Of the rate, for a process that knows nothing of the others."""
TRY_AGAIN = 5.0
"""Seconds for which Valkey is not asked after it did not answer."""
WAIT = 0.2
"""Seconds that a look at Valkey may take."""

# One token less, if there is one or the message is urgent; whether it was taken.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local rate = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(rate, (tonumber(held[1]) or rate) + (now - (tonumber(held[2]) or now)) * rate)
local taken = 0
if ARGV[2] == 'spend' or (ARGV[2] == 'take' and left >= 1) then
    left = math.max(left - 1, -rate)
    taken = 1
end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 60000)
return taken
"""


@dataclass
class Alone:
    """A bucket that only this process knows; at least one message every two seconds."""

    rate: float
    left: float = 1.0
    at: float = field(default_factory=time.monotonic)

    def ask(self, want: str) -> bool:
        """As the script does."""
        now = time.monotonic()
        self.left = min(max(self.rate, 1.0), self.left + (now - self.at) * self.rate)
        self.at = now
        taken = want == "spend" or self.left >= 1
        self.left = max(self.left - taken, -self.rate)
        return taken


@dataclass
class Buckets:
    """Each channel's bucket, in Valkey while it answers."""

    address: str
    rates: Mapping[str, float]
    silent_until: float = float("-inf")

    def __post_init__(self) -> None:
        self.valkey = redis.Redis.from_url(
            self.address, socket_timeout=WAIT, socket_connect_timeout=WAIT, retry_on_timeout=False
        )
        self.script = self.valkey.register_script(SCRIPT)
        self.alone = {channel: Alone(max(rate * SHARE_ALONE, 0.5)) for channel, rate in self.rates.items()}

    def take(self, channel: str, *, urgent: bool) -> bool:
        """One token, if there is one; an urgent message is never refused."""
        if (rate := self.rates.get(channel)) is None:
            return True
        want = "spend" if urgent else "take"
        if time.monotonic() >= self.silent_until:
            try:
                return bool(self.script(keys=[KEY.format(channel)], args=[rate, want]))
            except redis.RedisError:
                self.silent_until = time.monotonic() + TRY_AGAIN
        return self.alone[channel].ask(want)


def buckets() -> Buckets:
    """Those of the settings."""
    return _buckets(settings.CELERY_BROKER_URL, tuple(sorted(settings.RATES.items())))


@lru_cache(maxsize=8)
def _buckets(address: str, rates: tuple[tuple[str, float], ...]) -> Buckets:
    return Buckets(address, dict(rates))
