"""The demo's SMS provider: takes every message as Twilio would, shows it in a page, reports back, and lets one answer.

Standard library and the signature alone: it starts in a moment and knows nothing of the service but its address.
"""

import argparse
import html
import json
import threading
import urllib.parse
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from twilio.request_validator import RequestValidator

from clozatrack.demo_mail import PAGE

ANSWER = (
    '<form method="post" action="/answer"><input type="hidden" name="From" value="{to}">'
    '<label>Answer as {to} <input name="Body" value="STOP"></label> <button>Send</button></form>'
)


class Provider:
    """What was taken, kept as files, and the way back to the service."""

    def __init__(self, place: Path, token: str, service: str) -> None:
        self.place, self.validator, self.service = place, RequestValidator(token), service
        self.lock = threading.Lock()

    def take(self, fields: dict[str, str]) -> dict[str, str]:
        """Keep one message and report twice about it, as a provider does."""
        with self.lock:
            number = len(list(self.place.glob("*.json"))) + 1
            taken = fields | {"sid": f"SM{number:032}", "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}
            (self.place / f"{number:06}.json").write_text(json.dumps(taken))
        if address := fields.get("StatusCallback"):
            threading.Timer(1, self._report, [address, taken]).start()
        return {"sid": taken["sid"], "status": "queued", "to": fields["To"], "body": fields["Body"]}

    def _report(self, address: str, taken: dict[str, str]) -> None:
        for word in ("sent", "delivered"):
            self.tell(address, {"MessageSid": taken["sid"], "MessageStatus": word, "To": taken["To"]})

    def answer(self, fields: dict[str, str]) -> None:
        """Somebody answers by SMS."""
        self.tell(f"{self.service}/messages/sms/inbound/", {"MessageSid": f"SM{uuid4().hex}"} | fields)

    def tell(self, address: str, fields: dict[str, str]) -> None:
        """A signed call to the service; one that does not answer is not told."""
        headers = {"X-Twilio-Signature": self.validator.compute_signature(address, fields)}
        body = urllib.parse.urlencode(fields).encode()
        with suppress(OSError), urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=5):
            return

    def page(self) -> str:
        """The newest hundred."""
        shown = [_shown(json.loads(path.read_text())) for path in sorted(self.place.glob("*.json"), reverse=True)[:100]]
        return PAGE.replace("Mail", "SMS").replace("[mail]", "".join(shown) or "<p>No SMS yet.</p>")


def _shown(taken: dict[str, str]) -> str:
    head, to = f"To {taken['To']}, {taken['at']}", html.escape(taken["To"], quote=True)
    said = f"<h2>{html.escape(head)}</h2><pre>{html.escape(taken['Body'])}</pre>"
    return f"<article>{said}{ANSWER.format(to=to)}</article>"


def asker(provider: Provider) -> type[BaseHTTPRequestHandler]:
    """The page, the provider's one address, and the form of the page."""

    class Asker(BaseHTTPRequestHandler):
        """GET shows, POST takes."""

        def do_GET(self) -> None:  # http.server's name
            """The page."""
            self._say(200, provider.page(), "text/html; charset=utf-8")

        def do_POST(self) -> None:  # http.server's name
            """A message from the service, or an answer from the page."""
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = dict(urllib.parse.parse_qsl(body))
            if self.path == "/answer":
                provider.answer(fields)
                self._say(303, "", "text/plain", {"Location": "/"})
            else:
                self._say(201, json.dumps(provider.take(fields)), "application/json")

        def _say(self, status: int, body: str, kind: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            plain = {"Content-Type": kind, "Content-Length": str(len(body.encode()))}
            for name, value in (plain | (headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Asker


def main() -> None:
    """Serve until told to stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("place", type=Path)
    options.add_argument("--http", type=int, required=True)
    options.add_argument("--token", required=True)
    options.add_argument("--service", required=True)
    chosen = options.parse_args()
    chosen.place.mkdir(parents=True, exist_ok=True)
    provider = Provider(chosen.place, chosen.token, chosen.service)
    ThreadingHTTPServer(("127.0.0.1", chosen.http), asker(provider)).serve_forever()


if __name__ == "__main__":
    main()
