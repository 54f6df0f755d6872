"""`make demo`: everything the service needs, on this machine, until Ctrl-C."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from clozatrack.embedded import PROJECT, Postgres, Valkey, free_port, running, state_dir, wait_for_port
from notifications.vapid import new_keys

PASSWORD = "clozatrack-demo"  # printed on purpose; it opens nothing but the demo
REACHED = "services.json"
ROLES = ("nurse", "prescriber", "pharmacist", "clinic-admin", "auditor")


def main() -> None:
    """Start all of it, say where it is, and stop all of it."""
    place = state_dir() / "demo"
    if "--import" in sys.argv[1:]:
        sys.exit(import_into(place, sys.argv[-1]))
    if "--reset" in sys.argv[1:]:
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o755)
    stopping = threading.Event()
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, lambda *_: stopping.set())
    begun = time.monotonic()
    with running(Postgres(state=place), Valkey()) as reached:
        demo = Demo(place, reached)
        try:
            demo.prepare()
            demo.start()
            (place / REACHED).write_text(json.dumps(reached))
            print(demo.greeting(time.monotonic() - begun), flush=True)
            while not stopping.wait(1):
                demo.mend()
        finally:
            (place / REACHED).unlink(missing_ok=True)
            demo.stop()
    print("Stopped. Your data is kept; `make demo` goes on with it, `make demo-reset` starts afresh.")


def import_into(place: Path, file: str) -> int:
    """Import a lab export into the demo that runs now; the exit status of the import."""
    known = place / REACHED
    if not known.exists():
        print("The demo does not run; start it in another terminal with `make demo`.")
        return 1
    command = [sys.executable, "manage.py", "import_results", file, "--clinic", "north"]
    environment = os.environ | json.loads(known.read_text())
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


class Demo:
    """The demo's processes: web, worker, beat, the delivery loop and the mail server."""

    def __init__(self, place: Path, reached: dict[str, str]) -> None:
        self.place = place
        self.web, self.mail, self.smtp, self.sms = preferred(8000), preferred(8025), free_port(), preferred(8026)
        self.sms_token = kept_secret(place / "sms-token")
        self.environment = os.environ | reached
        self.environment |= {
            "CLOZATRACK_BASE_URL": f"http://localhost:{self.web}",
            "CLOZATRACK_SECRET_KEY": kept_secret(place / "secret"),
            "CLOZATRACK_SMTP_HOST": "127.0.0.1",
            "CLOZATRACK_SMTP_PORT": str(self.smtp),
            "CLOZATRACK_SMS_ACCOUNT": "AC" + 32 * "0",
            "CLOZATRACK_SMS_TOKEN": self.sms_token,
            "CLOZATRACK_SMS_SENDER": "+15005550006",
            "CLOZATRACK_SMS_BASE_URL": f"http://127.0.0.1:{self.sms}",
            "CLOZATRACK_WEBHOOK_SECRET": kept_secret(place / "webhook-secret"),
            "CLOZATRACK_PRIVATE_ADDRESSES": "1",
            "CLOZATRACK_LOG_LEVEL": "WARNING",
        } | kept_vapid_keys(place / "vapid.json")
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def commands(self) -> dict[str, list[str]]:
        """What runs. The delivery loop needs PostgreSQL alone, so mail goes out with Valkey and Celery dead."""
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "-A", "clozatrack"]
        web = ["gunicorn", "clozatrack.wsgi", "--bind", f"127.0.0.1:{self.web}", "--worker-class", "gthread"]
        return {
            "mail": [*python, "clozatrack.demo_mail", str(self.place / "mail"),
                     "--smtp", str(self.smtp), "--http", str(self.mail)],
            "sms": [*python, "clozatrack.demo_sms", str(self.place / "sms"), "--http", str(self.sms),
                    "--token", self.sms_token, "--service", f"http://localhost:{self.web}"],
            "web": [*python, *web, "--workers", "2", "--threads", "4", "--log-level", "warning"],
            "worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING"],
            "beat": [*celery, "beat", "--schedule", str(self.place / "beat"), "--loglevel", "WARNING"],
            "deliver": [sys.executable, "manage.py", "deliver"],
        }  # fmt: skip

    def prepare(self) -> None:
        """Tables, the demo clinic, and the files that pages need."""
        self._manage("migrate", "-v0")
        self._manage("load_demo")
        self._manage("sweep")
        self._manage("collectstatic", "--no-input", "-v0")

    def _manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start every process and wait until the pages answer."""
        for name in self.commands():
            self._start(name)
        wait_for_port(self.mail)
        wait_for_port(self.sms)
        wait_for_page(f"http://127.0.0.1:{self.web}/sign-in/")

    def _start(self, name: str) -> None:
        log = (self.place / f"{name}.log").open("ab")
        pool = {"CLOZATRACK_DB_POOL": "1"} if name == "web" else {}
        self.children[name] = subprocess.Popen(
            self.commands()[name],
            cwd=PROJECT,
            env=self.environment | pool,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def mend(self) -> None:
        """Start again what has died."""
        for name, child in list(self.children.items()):
            if child.poll() is not None:
                print(f"{name} ended with status {child.returncode}; starting it again (see {self.place}/{name}.log)")
                self._start(name)

    def stop(self) -> None:
        """Ask every process group to end; after five seconds do not ask."""
        for child in self.children.values():
            signal_group(child, signal.SIGTERM)
        end = time.monotonic() + 5
        for child in self.children.values():
            try:
                child.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                signal_group(child, signal.SIGKILL)
                child.wait()

    def greeting(self, seconds: float) -> str:
        """Where it is and how to sign in."""
        north = "\n".join(f"    {role}" for role in ROLES)
        return (
            f"\nClozatrack's demo is ready after {seconds:.0f} s.\n\n"
            f"  Worklist   http://localhost:{self.web}/\n"
            f"  Mail       http://localhost:{self.mail}/\n"
            f"  SMS        http://localhost:{self.sms}/\n\n"
            f"  Sign in with the password {PASSWORD} as\n{north}\n"
            f"  or, at the second clinic, as south-nurse, south-prescriber and so on.\n\n"
            "Ctrl-C stops all of it. Made-up people; decision support: the prescriber decides.\n"
        )


def signal_group(child: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """To the child and whatever it started."""
    try:
        os.killpg(child.pid, how)
    except ProcessLookupError:
        return


def preferred(port: int) -> int:
    """This port when it is free, else any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
    return port


def kept_secret(path: Path) -> str:
    """A random key of this installation, so that sign-ins outlast a restart."""
    if not path.exists():
        path.write_text(os.urandom(40).hex())
        path.chmod(0o600)
    return path.read_text()


def kept_vapid_keys(path: Path) -> dict[str, str]:
    """The keys of this installation's web push, so that browsers stay subscribed over a restart."""
    if not path.exists():
        private, public = new_keys()
        path.write_text(json.dumps({"CLOZATRACK_VAPID_PRIVATE_KEY": private, "CLOZATRACK_VAPID_PUBLIC_KEY": public}))
        path.chmod(0o600)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def wait_for_page(address: str, longest: float = 30) -> None:
    """Until the page answers. Raises TimeoutError."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                answer.read()
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    else:
        raise TimeoutError(f"{address} does not answer after {longest:.0f} s")


if __name__ == "__main__":
    main()
