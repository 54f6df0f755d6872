"""Celery says "look now"; what there is to send is in the outbox."""

from celery import shared_task
from django.utils import timezone

from notifications.loop import deliver_due


@shared_task(name="notifications.tasks.deliver")
def deliver() -> int:
    """Send what is due."""
    return deliver_due(timezone.now)
