"""Every protocol by its key. A key is for ever: a new label is a new key."""

from monitoring.rules.protocol import Protocol
from monitoring.rules.protocols.us_label import US_LABEL_2015, US_LABEL_2025

PROTOCOLS: dict[str, Protocol] = {protocol.key: protocol for protocol in (US_LABEL_2025, US_LABEL_2015)}
