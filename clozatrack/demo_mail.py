"""The demo's mail server: takes every message, keeps it as a file, and shows it in a page."""

import argparse
import asyncio
import email
import email.policy
import html
import os
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;border:1px solid;padding:1rem}"
)
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f"<style>{STYLE}</style></head><body><main><h1>Mail that the demo sent</h1>[mail]</main></body></html>"
)


class Keeping:
    """Keeps a message on disk before the sender is told that it was taken."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.number = len(list(place.glob("*.eml")))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Called for every message."""
        self.number += 1
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        path = self.place / f"{self.number:06}.eml"
        with path.with_suffix(".part").open("wb") as target:
            target.write(b"X-Envelope-To: " + ", ".join(envelope.rcpt_tos).encode() + b"\r\n" + raw)
            target.flush()
            os.fsync(target.fileno())
        path.with_suffix(".part").rename(path)
        return "250 kept"


def reader(place: Path) -> type[BaseHTTPRequestHandler]:
    """A page server for the messages in a folder, the newest first."""

    class Reader(BaseHTTPRequestHandler):
        """One page with all of them."""

        def do_GET(self) -> None:  # http.server's name
            """Show the newest hundred."""
            newest = sorted(place.glob("*.eml"), reverse=True)[:100]
            body = "".join(_shown(path) for path in newest) or "<p>No mail yet.</p>"
            page = PAGE.replace("[mail]", body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            """Quiet."""

    return Reader


def _shown(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    text = str(body.get_content()) if body else ""
    head = f"{message['Subject']} – to {message['To']}, {message['Date']}"
    return f"<article><h2>{html.escape(head)}</h2><pre>{html.escape(text)}</pre></article>"


def main() -> None:
    """Serve until told to stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("place", type=Path)
    options.add_argument("--smtp", type=int, required=True)
    options.add_argument("--http", type=int, required=True)
    chosen = options.parse_args()
    chosen.place.mkdir(parents=True, exist_ok=True)
    Controller(Keeping(chosen.place), hostname="127.0.0.1", port=chosen.smtp).start()
    pages = ThreadingHTTPServer(("127.0.0.1", chosen.http), reader(chosen.place))
    Thread(target=pages.serve_forever, daemon=True).start()
    asyncio.run(_for_ever())


async def _for_ever() -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
