"""The one place that reads the environment."""

import os
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from clozatrack import wires
from clozatrack.refusals import refusals

BASE_DIR = Path(__file__).resolve().parent.parent


def _env(name: str, default: str = "") -> str:
    return os.environ.get(f"CLOZATRACK_{name}", default)


ENV = _env("ENV", "development")
PRODUCTION = ENV == "production"
TESTING = ENV == "test"
SECRET_KEY = _env("SECRET_KEY", "insecure-development-key")
DEBUG = _env("DEBUG", "0") == "1"
ALLOWED_HOSTS = [host for host in _env("HOSTS", "" if PRODUCTION else "localhost,127.0.0.1").split(",") if host]
BASE_URL = _env("BASE_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# How many proxies stand before the web server: the audit trail and the lock after wrong passwords go by the address.
PROXIES = int(_env("PROXIES", "0"))

if PRODUCTION and (reasons := refusals(secret=SECRET_KEY, debug=DEBUG, hosts=ALLOWED_HOSTS, base_url=BASE_URL)):
    raise ImproperlyConfigured("Clozatrack does not start in production: " + "; ".join(reasons))

INSTALLED_APPS = [
    "patients",
    "monitoring",
    "notifications",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "csp",
    "pgtrigger",
    "clozatrack.apps.ClozatrackConfig",
]
MIDDLEWARE = [
    "clozatrack.middleware.own_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "clozatrack.middleware.no_store",
    "clozatrack.signing_in.stay_signed_in",
    "clozatrack.middleware.no_silent_loss",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "clozatrack.urls"
WSGI_APPLICATION = "clozatrack.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "clozatrack" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "monitoring.places.places",
            ]
        },
    }
]

# Only web processes hold a pool: a forked worker must not share its parent's connections.
POOL = _env("DB_POOL", "0") == "1"
_DB_OPTIONS: dict[str, Any] = {"pool": {"min_size": 2, "max_size": int(_env("DB_POOL_SIZE", "8")), "timeout": 5}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _env("DB_NAME", "clozatrack"),
        "USER": _env("DB_USER", "clozatrack"),
        "PASSWORD": _env("DB_PASSWORD"),
        "HOST": _env("DB_HOST", "127.0.0.1"),
        "PORT": _env("DB_PORT", "5432"),
        "CONN_MAX_AGE": 0 if POOL else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _DB_OPTIONS if POOL else {"connect_timeout": 5},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "patients.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else ["django.contrib.auth.hashers.Argon2PasswordHasher"]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "today"
LOGOUT_REDIRECT_URL = "sign_in"
CSRF_FAILURE_VIEW = "clozatrack.refused.csrf_failure"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = PRODUCTION and _env("TLS_REDIRECT", "1") == "1"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {name: [NONE] for name in ("default-src", "base-uri", "frame-ancestors")}
    | {
        name: [SELF]
        for name in ("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action", "manifest-src")
    }
}

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_AUTOREFRESH = TESTING  # else each test's client reads every file anew when it is made
STATICFILES_DIRS = [BASE_DIR / "clozatrack" / "static"]

EMAIL_HOST = _env("SMTP_HOST", "127.0.0.1")
EMAIL_PORT = int(_env("SMTP_PORT", "25"))
EMAIL_HOST_USER = _env("SMTP_USER")
EMAIL_HOST_PASSWORD = _env("SMTP_PASSWORD")
EMAIL_USE_TLS = _env("SMTP_TLS", "0") == "1"
EMAIL_TIMEOUT = 10
MAIL_PROVIDER = _env("MAIL_PROVIDER")
EMAIL_BACKEND = (
    f"anymail.backends.{MAIL_PROVIDER}.EmailBackend" if MAIL_PROVIDER else "django.core.mail.backends.smtp.EmailBackend"
)
ANYMAIL = wires.anymail(os.environ)
DEFAULT_FROM_EMAIL = _env("FROM_EMAIL", "clozatrack@localhost")

SMS, WEBPUSH, RATES = wires.sms(_env), wires.webpush(_env, BASE_URL), wires.rates(_env)
WEBHOOK_SECRET = _env("WEBHOOK_SECRET")
PRIVATE_ADDRESSES = _env("PRIVATE_ADDRESSES", "0") == "1"
LAST_LOOK = {"reminder": "monitoring.reminding.last_look.reminder", "own": "monitoring.reminding.last_look.own"}
INBOUND_SMS = "monitoring.reminding.replying.heard"

CELERY_BROKER_URL = _env("VALKEY_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "socket_connect_timeout": 0.2,
    "socket_timeout": 30,
    "max_retries": 0,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_BEAT_SCHEDULER = "clozatrack.scheduler:WatchedScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "monitoring.tasks.sweep", "schedule": 60.0, "options": {"expires": 55}},
    "remind": {"task": "monitoring.tasks.remind", "schedule": 300.0, "options": {"expires": 290}},
    "deliver": {"task": "notifications.tasks.deliver", "schedule": 2.0, "options": {"expires": 2}},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["patients.api.IntegrationAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["patients.api.VerbAllowed"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["monitoring.api.reading.ExactJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "monitoring.api.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Clozatrack",
    "DESCRIPTION": "Clozapine monitoring. Decision support: the prescriber decides.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
}
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W003"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": _env("LOG_LEVEL", "WARNING" if TESTING else "INFO")},
}
