"""Which addresses do not take our messages any more."""

from django.db.models import Count, Exists, OuterRef, QuerySet

from notifications.models import Delivery

TWICE = 2


def bounced_twice(channel: str = "sms", *, address: str = "") -> "QuerySet[Delivery, str]":
    """The addresses to which two or more messages bounced since one was last delivered. Fit for `value__in=`.

    `address`: asks for this one alone.
    """
    later = Delivery.objects.filter(
        channel=channel, address=OuterRef("address"), delivered_at__gt=OuterRef("bounced_at")
    )
    return (
        Delivery.objects.filter(~Exists(later), channel=channel, bounced_at__isnull=False)
        .filter(**({"address": address} if address else {}))
        .values("address")
        .annotate(bounces=Count("pk"))
        .filter(bounces__gte=TWICE)
        .values_list("address", flat=True)
    )
