"""HTTP servers that stand in for the providers: they keep what they were sent and misbehave as they are told."""

import base64
import contextlib
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid
from twilio.request_validator import RequestValidator


def b64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Asked:
    """One request as the server took it."""

    path: str
    headers: dict
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """Keeps each request, then answers with what `answer` says: status, headers and body. A context manager."""

    def __init__(self):
        self.taken, self.delay, self.drop, self.status = [], 0.0, False, None
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._asker())
        self.http.daemon_threads = True

    @property
    def port(self):
        return self.http.server_port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, asked):
        return self.status or 200, {}, b""

    def _asker(self):
        server = self

        class Asker(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.path, {name.title(): value for name, value in self.headers.items()}, body)
                server.taken.append(asked)
                status, headers, said = server.answer(asked)
                time.sleep(server.delay)
                with contextlib.suppress(OSError):
                    if server.drop:
                        return  # taken, and the line goes dead
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, *args):
                pass

        return Asker


class Gateway(Server):
    """An SMS provider like Twilio. What it accepted is in `messages`, also when the sender never heard of it.

    `delay` seconds before it answers, `drop` the line after taking the message, `status` 429, 500 or 400 with `code`
    (a 5xx with `accepts` takes the message all the same).
    """

    account, token, sender = "AC" + "0" * 32, "gateway-token", "+15005550006"

    def __init__(self):
        super().__init__()
        self.messages, self.code, self.accepts = [], 21211, False

    @property
    def settings(self):
        """For `settings.SMS`."""
        return {"account": self.account, "token": self.token, "sender": self.sender, "base_url": self.url}

    def answer(self, asked):
        if self.status is None or self.accepts:
            self.messages.append(asked.form | {"sid": f"SM{len(self.messages) + 1:032}"})
        if self.status is not None:
            return self.status, {}, json.dumps({"code": self.code, "message": "no", "status": self.status}).encode()
        taken = self.messages[-1]
        said = {"sid": taken["sid"], "status": "queued", "to": taken["To"], "body": taken["Body"]}
        return 201, {"Content-Type": "application/json"}, json.dumps(said).encode()

    @classmethod
    def signed(cls, url, fields):
        """The header with which a callback to this address is signed."""
        return {"X-Twilio-Signature": RequestValidator(cls.token).compute_signature(url, fields)}

    def calls_back(self, client, message, status, **more):
        """A status callback about one message of `messages`, through a Django test client."""
        fields = {"MessageSid": message["sid"], "MessageStatus": status, "To": message["To"]} | more
        url = message["StatusCallback"]
        return client.post(urllib.parse.urlsplit(url).path, fields, headers=self.signed(url, fields))


class PushService(Server):
    """A browser's push service and the browser behind it: checks the VAPID header and decrypts."""

    def __init__(self):
        super().__init__()
        self.status = 201
        self.key, self.secret = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
        self.vapid = Vapid()
        self.vapid.generate_keys()

    @property
    def settings(self):
        """For `settings.WEBPUSH`."""
        private = self.vapid.private_key.private_numbers().private_value.to_bytes(32)
        return {"private_key": b64(private), "public_key": self.application_key, "contact": "mailto:it@clinic.example"}

    @property
    def application_key(self):
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return b64(self.vapid.public_key.public_bytes(*form))

    @property
    def subscription(self):
        """What a browser would tell, as columns of a PushSubscription."""
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        public = self.key.public_key().public_bytes(*form)
        return {"endpoint": f"{self.url}/push/1", "p256dh": b64(public), "auth": b64(self.secret)}

    def shown(self):
        """What the browser would show: decrypted, and only where the VAPID header names our key."""
        found = []
        for asked in self.taken:
            assert Vapid.verify(asked.headers["Authorization"])
            assert asked.headers["Authorization"].endswith(f"k={self.application_key}")
            plain = http_ece.decrypt(asked.body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
            found.append(json.loads(plain))
        return found


class MailProvider(Server):
    """Postmark's interface, as django-anymail speaks it."""

    @property
    def settings(self):
        """For `settings.ANYMAIL`."""
        return {"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": f"{self.url}/", "WEBHOOK_SECRET": "user:secret"}

    def answer(self, asked):
        if self.status:
            return self.status, {}, b"{}"
        said = {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{len(self.taken)}", "To": asked.json["To"]}
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()
