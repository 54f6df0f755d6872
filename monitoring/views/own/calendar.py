"""The next test in the person's own calendar: a feed that says "Appointment" and a day, and nothing else."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override
from icalendar import Calendar, Event

from monitoring.reminding.own_page import next_test
from monitoring.views.own.door import Guest, guest_of, over, own_page, shown
from patients.consenting import make_link


@own_page
def own_calendar(request: HttpRequest, guest: Guest) -> HttpResponse:
    """POST makes an address for their calendar; it is shown once and lasts a year."""
    address = ""
    if request.method == "POST":
        token = make_link(
            person=guest.person,
            channel=guest.link.channel,
            address=guest.link.address,
            purpose="calendar",
            now=guest.now,
        )
        address = f"{settings.BASE_URL}{reverse('calendar_feed', args=[token])}"
    return shown(request, guest, "calendar", address=address)


def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """What a calendar fetches by itself. It names nobody and no place, not even this product."""
    guest = guest_of(token, "calendar", now=timezone.now())
    if guest is None:
        return over(request)
    with override(guest.wishes.language):
        answer = HttpResponse(_feed(guest).to_ical(), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="calendar.ics"'
    return answer


def _feed(guest: Guest) -> Calendar:
    feed = Calendar()
    feed.add("prodid", "-//Calendar//EN")
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    feed.add("refresh-interval;value=duration", "PT6H")
    feed.add("x-published-ttl", "PT6H")
    day = next_test(guest.treatment, now=guest.now)
    if day is not None:
        event = Event()
        # The same event for as long as the link lives: when the day changes, it moves and is not doubled.
        event.add("uid", f"{guest.link.token_hash[:20]}@calendar")
        event.add("dtstamp", guest.treatment.assessed_at or guest.now)
        event.add("last-modified", guest.treatment.assessed_at or guest.now)
        event.add("sequence", guest.treatment.version)
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
        event.add("summary", gettext("Appointment"))
        feed.add_component(event)
    return feed
