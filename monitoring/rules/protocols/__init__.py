"""Every protocol by its key. A key is for ever: a new label is a new key."""

from monitoring.rules.protocol import Protocol
from monitoring.rules.protocols.eu import EU_2025_09
from monitoring.rules.protocols.others import AUSTRALIA_2021, CANADA_2023
from monitoring.rules.protocols.uk import UK_CPMS, UK_DMS, UK_ZTAS
from monitoring.rules.protocols.us_label import US_LABEL_2015, US_LABEL_2025

PROTOCOLS: dict[str, Protocol] = {
    protocol.key: protocol
    for protocol in (
        US_LABEL_2025,
        US_LABEL_2015,
        EU_2025_09,
        UK_CPMS,
        UK_ZTAS,
        UK_DMS,
        CANADA_2023,
        AUSTRALIA_2021,
    )
}
