"""From where somebody came: behind the proxy that ends TLS, and not what a sender wrote themselves."""

import pytest

from patients.models import AuditEvent
from tests.cast import a_clinic, a_person, a_treatment

pytestmark = pytest.mark.django_db
GATEWAY = "172.18.0.1"


def opened_from(client, forwarded):
    """The address that the audit trail keeps when a nurse opens a patient through the proxy's gateway."""
    clinic = a_clinic("North")
    client.force_login(a_person(clinic, "nurse"))
    patient = a_treatment(clinic).patient
    said = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert client.get(f"/patients/{patient.pk}/", headers=said, REMOTE_ADDR=GATEWAY).status_code == 200
    return AuditEvent.objects.get(verb="patient_opened").ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "unknown", GATEWAY),
        (1, "", GATEWAY),
        (1, None, GATEWAY),
        (2, "203.0.113.7", GATEWAY),
        (0, "6.6.6.6", GATEWAY),
    ],
)
def test_the_trail_keeps_whom_the_proxy_saw_and_never_what_the_sender_claims(
    client, settings, proxies, forwarded, address
):
    settings.PROXIES = proxies
    assert opened_from(client, forwarded) == address


def test_wrong_passwords_from_one_place_lock_nobody_out_who_signs_in_from_another(client, settings):
    settings.PROXIES = 1
    person = a_person(a_clinic("North"), "nurse")
    person.set_password("a long enough one")
    person.save()

    def sign_in(address, password):
        typed = {"username": person.username, "password": password}
        return client.post("/sign-in/", typed, headers={"X-Forwarded-For": address}, REMOTE_ADDR=GATEWAY)

    for _ in range(settings.AXES_FAILURE_LIMIT):
        refused = sign_in("198.51.100.9", "guess")
    assert refused.status_code == 429
    assert sign_in("198.51.100.9", "a long enough one").status_code == 429
    assert sign_in("203.0.113.7", "a long enough one").status_code == 302
