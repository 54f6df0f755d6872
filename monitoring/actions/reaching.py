"""By which ways somebody is told of alerts: choosing them, adding one, confirming it by the code that came there."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from monitoring.actions.nudge import nudge
from monitoring.models import Channel, Reach, Severity, Way, Wish
from monitoring.models.reaching import TRIES
from monitoring.rules.errors import InputError
from notifications.actions import owe
from notifications.bounces import bounced_twice
from notifications.channels.sms import E164
from notifications.models import Delivery, PushSubscription
from patients import audit
from patients.models import Staff

CODE_LASTS = timedelta(minutes=15)
CODES_AN_HOUR = 5
CODE = "{code} confirms that alerts may reach you here. It lasts 15 minutes. Nobody will ask you for it."


def ways_to(staff: Staff, severity: int) -> list[tuple[str, str]]:
    """Channel and address of each way by which this person wants to be told of an alert of this severity."""
    return ways_of([staff.pk], severity)


def ways_to_all(people: Iterable[Staff], severity: int) -> list[tuple[str, str]]:
    """The same for several people, each way once."""
    return ways_of([person.pk for person in people], severity)


def ways_of(staff_ids: Collection[int], severity: int) -> list[tuple[str, str]]:
    """The same, of people by their keys; one query."""
    found = Reach.objects.filter(staff__in=staff_ids, severity=severity)
    return sorted(set(found.values_list("channel", "address")))


@transaction.atomic
def choose_channels(
    *, staff: Staff, wishes: Mapping[int, Collection[str]], now: datetime, ip: str | None = None
) -> dict[int, tuple[list[str], list[str]]]:
    """Each severity's channels; what each changed one was and is. Raises InputError by the severity's name."""
    Staff.objects.select_for_update().only("pk").get(pk=staff.pk)
    can, changes = usable(staff), {}
    for severity, channels in wishes.items():
        name = Severity(severity).name.lower()
        if lacking := sorted(set(channels) - can):
            words = " and ".join(Channel(channel).label for channel in lacking)
            raise InputError(name, f"{words}: add and confirm it below first")
        if severity == Severity.SEVERE and not channels:
            raise InputError(name, "severe alerts have to reach you somehow: leave one channel on")
        before, after = wished(staff)[severity], sorted(channels)
        if before != after:
            changes[severity] = (before, after)
            Wish.objects.update_or_create(
                staff=staff, severity=severity, defaults={"channels": after, "changed_at": now}
            )
    if changes:
        said = {Severity(severity).name.lower(): " ".join(after) or "none" for severity, (_, after) in changes.items()}
        _note("channels_chosen", staff, now, ip, **said)
    return changes


def wished(staff: Staff) -> dict[int, list[str]]:
    """What somebody wishes for each severity."""
    chosen = dict(Wish.objects.filter(staff=staff).values_list("severity", "channels"))
    return {severity: sorted(chosen.get(severity, [Channel.EMAIL.value])) for severity in Severity.values}


def usable(staff: Staff) -> set[str]:
    """The channels by which somebody can be reached now."""
    live = set(Way.objects.filter(staff=staff).live().values_list("channel", flat=True))
    return live | ({Channel.EMAIL.value} if staff.email else set())


@transaction.atomic
def add_phone(*, staff: Staff, number: str, now: datetime, ip: str | None = None) -> Way:
    """A telephone for SMS, to be confirmed by the code that is sent there. Raises InputError."""
    plain = number.translate(str.maketrans("", "", " -()./"))
    if not E164.fullmatch(plain):
        raise InputError("number", "write the number with its country, such as +1 555 123 4567")
    return _add(staff, Channel.SMS, plain, plain, now, ip)


@transaction.atomic
def add_webhook(*, staff: Staff, address: str, now: datetime, ip: str | None = None) -> Way:
    """An address to which alerts are posted, to be confirmed likewise. Raises InputError."""
    return _add(staff, Channel.WEBHOOK, address, address.split("/")[2][:80], now, ip)


@transaction.atomic
def add_browser(
    *, staff: Staff, endpoint: str, p256dh: str, auth: str, label: str, now: datetime, ip: str | None = None
) -> Way:
    """This browser. Whoever used it before is no longer told there: two people share one screen, not one message."""
    former = PushSubscription.objects.select_for_update().filter(endpoint=endpoint, ended_at=None)
    for subscription in former:
        _end(Way.objects.filter(subscription=subscription, ended_at=None), "the browser was added anew", now)
        PushSubscription.objects.filter(pk=subscription.pk).update(ended_at=now, ended_because="added anew")
    made = PushSubscription.objects.create(
        holder=f"staff:{staff.pk}", endpoint=endpoint, p256dh=p256dh, auth=auth, created_at=now
    )
    return _add(staff, Channel.WEBPUSH, "", label[:80], now, ip, made)


def _add(
    staff: Staff, channel: Channel, address: str, label: str, now: datetime, ip: str | None,
    subscription: PushSubscription | None = None,
) -> Way:  # fmt: skip
    Staff.objects.select_for_update().only("pk").get(pk=staff.pk)
    mine = Way.objects.filter(staff=staff)
    if mine.filter(added_at__gt=now - timedelta(hours=1)).count() >= CODES_AN_HOUR:
        raise InputError("", "Five codes were sent within the hour; try again later.")
    if address and mine.live().filter(channel=channel, address=address).exists():
        raise InputError("", "This one is confirmed already.")
    if channel != Channel.WEBPUSH:
        _end(mine.filter(channel=channel, ended_at=None, confirmed_at=None), "replaced before it was confirmed", now)
    way = Way.objects.create(
        staff=staff, channel=channel, address=address, label=label, subscription=subscription, added_at=now
    )
    code = f"{secrets.randbelow(10**6):06}"
    Way.objects.filter(pk=way.pk).update(code_hash=_hash(way, code), code_sent_at=now)
    owe([_code_message(way, code, now)])
    transaction.on_commit(nudge)
    _note("way_added", staff, now, ip, channel=channel.value, way=way.pk)
    return way


def confirm_way(*, way: Way, code: str, now: datetime, ip: str | None = None) -> Way:
    """The code came through: from now on messages may. Raises InputError for a wrong or late one; five tries."""
    with transaction.atomic():
        current = Way.objects.select_for_update(of=("self",)).get(pk=way.pk)
        refusal = _code_refusal(current, code.strip(), now)
        if not refusal:
            mine = Way.objects.filter(staff=current.staff_id, channel=current.channel, ended_at=None)
            if current.channel != Channel.WEBPUSH:
                _end(mine.exclude(confirmed_at=None), "replaced by another one", now)
            mine.filter(pk=current.pk).update(confirmed_at=now, code_hash="")
            _note("way_confirmed", current.staff, now, ip, channel=current.channel, way=current.pk)
    if refusal:
        raise InputError("code", refusal)
    return current


def _code_refusal(way: Way, code: str, now: datetime) -> str:
    """Why the code does not confirm; a wrong one is counted, so it must not be rolled back."""
    if way.ended_at or way.confirmed_at or way.code_sent_at is None:
        return "this code is spent; look at the list again"
    if now - way.code_sent_at > CODE_LASTS:
        return "the code is older than 15 minutes; add the way again for another one"
    if way.tries >= TRIES:
        return "five wrong codes were typed; add the way again for another one"
    if constant_time_compare(_hash(way, code), way.code_hash):
        return ""
    Way.objects.filter(pk=way.pk).update(tries=way.tries + 1)
    return f"this is not the code that was sent; {TRIES - 1 - way.tries} tries are left"


@transaction.atomic
def remove_way(*, way: Way, now: datetime, ip: str | None = None) -> None:
    """End one of one's own ways. Raises InputError where severe alerts would reach nobody then."""
    staff = Staff.objects.select_for_update().get(pk=way.staff_id)
    left = Way.objects.filter(staff=staff).live().exclude(pk=way.pk)
    can = set(left.values_list("channel", flat=True)) | ({Channel.EMAIL.value} if staff.email else set())
    if not can & set(wished(staff)[Severity.SEVERE]):
        raise InputError(
            "", "Severe alerts reach you only here. Choose another channel for them above, then remove it."
        )
    _end(Way.objects.filter(pk=way.pk, ended_at=None), "removed by its owner", now)
    if way.subscription_id:
        live = PushSubscription.objects.filter(pk=way.subscription_id, ended_at=None)
        live.update(ended_at=now, ended_because="removed by its owner")
    _note("way_removed", staff, now, ip, channel=way.channel, way=way.pk)


@transaction.atomic
def end_bounced(*, channel: str, address: str, now: datetime) -> int:
    """A telephone to which two messages bounced is used no more; how many of staff's ways that ends."""
    dead = Way.objects.filter(channel=channel, address=address, address__in=bounced_twice(channel), ended_at=None)
    people = [way.staff for way in dead.select_related("staff")]
    ended = _end(dead, "messages bounced twice", now)
    for staff in people:
        _note("way_bounced", staff, now, None, channel=channel)
    return ended


def _end(ways: "Iterable[Way]", because: str, now: datetime) -> int:
    pks = [way.pk for way in ways]
    return Way.objects.filter(pk__in=pks).update(ended_at=now, ended_because=because, code_hash="")


def _hash(way: Way, code: str) -> str:
    return salted_hmac("monitoring.way", f"{way.pk}:{code}", algorithm="sha256").hexdigest()


def _code_message(way: Way, code: str, now: datetime) -> Delivery:
    return Delivery(
        once=f"way:{way.pk}:code",
        channel=way.channel,
        address=way.address or str(way.subscription_id),
        subject=f"{code} is your code",
        body=CODE.format(code=code),
        path="/own/messages/",
        about=f"way:{way.pk}",
        priority=2,
        created_at=now,
        due_at=now,
    )


def _note(verb: str, staff: Staff, now: datetime, ip: str | None, **detail: object) -> None:
    """A line at each clinic where this person works."""
    clinics = staff.memberships.filter(active=True).values_list("clinic_id", flat=True).distinct()
    for clinic_id in clinics:
        audit.record(verb, by=staff, now=now, clinic_id=clinic_id, subject=f"staff:{staff.pk}", ip=ip, **detail)
