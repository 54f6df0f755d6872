"""What the environment says of the ways to people, for settings.py. Each says which variables it reads."""

from collections.abc import Callable, Mapping

Env = Callable[..., str]
TWILIO = "https://api.twilio.com"
PREFIX = "CLOZATRACK_ANYMAIL_"
PER_SECOND = {"email": "50", "sms": "10", "webpush": "50", "webhook": "5"}


def sms(env: Env) -> dict[str, str]:
    """CLOZATRACK_SMS_ACCOUNT, _TOKEN, _SENDER (a number, or MG...), and _BASE_URL of a provider like Twilio."""
    return {
        "account": env("SMS_ACCOUNT"),
        "token": env("SMS_TOKEN"),
        "sender": env("SMS_SENDER"),
        "base_url": env("SMS_BASE_URL", TWILIO).rstrip("/"),
    }


def webpush(env: Env, base_url: str) -> dict[str, str]:
    """CLOZATRACK_VAPID_PRIVATE_KEY and _PUBLIC_KEY (base64url, see `manage.py vapid_keys`), and _CONTACT."""
    return {
        "private_key": env("VAPID_PRIVATE_KEY"),
        "public_key": env("VAPID_PUBLIC_KEY"),
        "contact": env("VAPID_CONTACT", base_url),
    }


def rates(env: Env) -> dict[str, float]:
    """Messages a second that each provider takes from all workers together: CLOZATRACK_EMAIL_PER_SECOND and so on."""
    return {name: float(env(f"{name.upper()}_PER_SECOND", usual)) for name, usual in PER_SECOND.items()}


def anymail(environment: Mapping[str, str]) -> dict[str, str]:
    """What django-anymail asks for the provider in CLOZATRACK_MAIL_PROVIDER: CLOZATRACK_ANYMAIL_ and its own name."""
    return {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
