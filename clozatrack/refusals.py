"""What a production configuration may not be. Plain functions, so that settings and checks say the same."""

DEFAULT_SECRETS = ("insecure-development-key", "changeme", "secret")
SHORTEST_SECRET = 50
NO_DATABASE = "the database does not answer"


def refusals(*, secret: str, debug: bool, hosts: list[str], base_url: str) -> list[str]:
    """Why production must not start with these values; each says what would be right."""
    found = []
    if secret in DEFAULT_SECRETS or len(secret) < SHORTEST_SECRET:
        found.append(
            f"CLOZATRACK_SECRET_KEY is a default or shorter than {SHORTEST_SECRET} characters;"
            " set a random one, for example from `openssl rand -base64 48`"
        )
    if debug:
        found.append("CLOZATRACK_DEBUG is on and would show patients' rows in error pages; unset it")
    if not hosts or "*" in hosts:
        found.append("CLOZATRACK_HOSTS must name the hosts that this service answers for, without *")
    if not base_url.startswith("https://"):
        found.append("CLOZATRACK_BASE_URL must begin with https://; links in messages are made from it")
    return found


def database_refusal(time_zone: str) -> str | None:
    """Instants are stored and compared in UTC; any other zone shifts clinical days."""
    if time_zone in ("UTC", "Etc/UTC"):
        return None
    return f"the database's TimeZone is {time_zone}; set it to UTC (ALTER DATABASE ... SET timezone TO 'UTC')"
