"""Where providers report: receipts for SMS and mail, and what people answer by SMS. Nothing is believed unsigned."""

import logging
from typing import Any

import anymail.urls
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, tracking
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

from monitoring.actions.reaching import end_bounced
from monitoring.views.finding import address_of
from notifications.inbound import hear, keep
from notifications.models import Delivery, Happened
from notifications.receipts import SMS_WORDS, mail_receipt, note_receipt
from patients import audit

A_MINUTE = 60
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
MAIL_VIEWS = {pattern.name: pattern.callback for pattern in anymail.urls.urlpatterns}
log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def sms_receipt(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """What became of one SMS."""
    if not _signed(request):
        return _refused(request, "sms receipt")
    delivery = get_object_or_404(Delivery, pk=delivery_id, channel="sms")
    word = request.POST.get("MessageStatus", "")
    if (kind := SMS_WORDS.get(word)) is None:
        log.warning("an SMS receipt says %r, which is not known here", word[:40])
        return HttpResponse(status=204)
    code = request.POST.get("ErrorCode", "")
    sid = request.POST.get("MessageSid", "")
    now = timezone.now()
    note_receipt(delivery=delivery, kind=kind, word=word, provider_id=sid, now=now, detail=code[:20])
    if kind == Happened.BOUNCED:
        end_bounced(channel="sms", address=delivery.address, now=now)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def sms_inbound(request: HttpRequest) -> HttpResponse:
    """Somebody answered one of our messages. The answer to it goes through the outbox, not in this response."""
    if not _signed(request):
        return _refused(request, "sms reply")
    sid, sender = request.POST.get("MessageSid", ""), request.POST.get("From", "")
    if not sid or not sender:
        return HttpResponse("MessageSid and From are needed", status=400)
    now = timezone.now()
    kept = keep(provider_id=sid[:80], sender=sender[:254], words=request.POST.get("Body", "")[:2000], now=now)
    hear(kept.pk, now=now)
    return HttpResponse(NO_ANSWER, content_type="text/xml")


@csrf_exempt
@require_POST
def mail_receipts(request: HttpRequest) -> HttpResponse:
    """What became of mails, as the provider in CLOZATRACK_MAIL_PROVIDER tells it."""
    view = MAIL_VIEWS.get(f"{settings.MAIL_PROVIDER}_tracking_webhook")
    if view is None:
        raise Http404
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return _refused(request, "mail receipt")
    try:
        answer: HttpResponse = view(request)
    except AnymailWebhookValidationFailure:
        return _refused(request, "mail receipt")
    return answer


def _note_mail(sender: Any, event: AnymailTrackingEvent, **more: Any) -> None:
    mail_receipt(
        delivery_id=str((event.metadata or {}).get("delivery", "")),
        message_id=event.message_id or "",
        word=event.event_type or "",
        detail=event.reject_reason or "",
        now=timezone.now(),
    )


tracking.connect(_note_mail, dispatch_uid="clozatrack")


def _signed(request: HttpRequest) -> bool:
    """Whether the provider signed this address and these fields with the token that we share."""
    token = settings.SMS["token"]
    given = request.headers.get("X-Twilio-Signature", "")
    address = settings.BASE_URL + request.get_full_path()
    return bool(token and given and RequestValidator(token).validate(address, request.POST, given))


def _refused(request: HttpRequest, what: str) -> HttpResponse:
    """403, and a line in the audit trail: one a minute for each address, so that nobody can flood the trail."""
    ip = address_of(request)
    if cache.add(f"refused:{what}:{ip}".replace(" ", "-"), 1, A_MINUTE):
        audit.record("receipt_refused", by=None, now=timezone.now(), subject=what, ip=ip)
    return HttpResponse("the signature is missing or wrong", status=403)
