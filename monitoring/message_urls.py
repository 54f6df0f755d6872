"""Addresses of messages: where providers report, what became of each, and how one wants to be told."""

from django.urls import path

from monitoring.views.deliveries import deliveries, delivery, retry_delivery
from monitoring.views.own_messages import add_way, confirm_code, end_way, own_messages, push_worker
from monitoring.views.receipts import mail_receipts, sms_inbound, sms_receipt

urlpatterns = [
    path("messages/", deliveries, name="deliveries"),
    path("messages/<int:delivery_id>/", delivery, name="delivery"),
    path("messages/<int:delivery_id>/retry/", retry_delivery, name="retry_delivery"),
    path("own/messages/", own_messages, name="own_messages"),
    path("own/messages/add/<slug:kind>/", add_way, name="add_way"),
    path("own/messages/<int:way_id>/confirm/", confirm_code, name="confirm_code"),
    path("own/messages/<int:way_id>/remove/", end_way, name="end_way"),
    path("push-worker.js", push_worker, name="push_worker"),
    path("messages/sms/inbound/", sms_inbound, name="sms_inbound"),
    path("messages/sms/<int:delivery_id>/", sms_receipt, name="sms_receipt"),
    path("messages/mail/", mail_receipts, name="mail_receipts"),
]
