"""A PostgreSQL cluster with our tables in it, made once for each state of the migrations and copied for every run.

To migrate costs as much as hundreds of tests, and each worker of each run would do it anew. What a test database is
copied from is still looked at by `migrate`: a migration that the copy lacks is applied to it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from clozatrack.embedded import PROJECT, ROLE, Postgres, postgres_bin, state_dir

MADE_FROM = ("*/migrations/*.py", "*/models.py", "*/models/*.py", "clozatrack/settings.py", "requirements-dev.txt")
OPTIONS = ("track_commit_timestamp=on",)
"""The order of commits is asked for by tests/eligibility/witness.py."""
DATABASE = ROLE
"""The one that is migrated: each test database is copied from it."""


def mark():
    """What the cluster depends on, in a word."""
    told = hashlib.sha256(str(postgres_bin(state_dir())).encode())
    for pattern in MADE_FROM:
        for path in sorted(PROJECT.glob(pattern)):
            told.update(str(path.relative_to(PROJECT)).encode() + path.read_bytes())
    return told.hexdigest()[:16]


@contextlib.contextmanager
def one_at_a_time(kept):
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def lay_out(state):
    """Put a copy where a Postgres of this state looks for its cluster."""
    kept = state_dir() / "test-clusters"
    kept.mkdir(exist_ok=True)
    kept.chmod(0o755)
    with one_at_a_time(kept):
        made = kept / mark()
        if not made.exists():
            _make(kept, made)
        copied(made / "postgres", state / "postgres")


def copied(place, to):
    """As shutil.copytree, but as root the owner stays who he was."""

    def copy(source, target):
        shutil.copy2(source, target)
        _same_owner(source, target)

    shutil.copytree(place, to, copy_function=copy)
    for directory, _, _ in os.walk(to):
        _same_owner(place / Path(directory).relative_to(to), directory)


def _same_owner(source, target):
    if os.geteuid() == 0:
        said = Path(source).stat()
        os.chown(target, said.st_uid, said.st_gid)


def _make(kept, made):
    """One is kept; it gets its name when it is whole."""
    for old in kept.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    half = kept / "half-made"
    half.mkdir()
    half.chmod(0o755)
    server = Postgres(state=half, durable=False, more_options=OPTIONS)
    server.start()
    try:
        environment = os.environ | server.environment | {"CLOZATRACK_ENV": "test", "CLOZATRACK_DB_NAME": DATABASE}
        migrate = [sys.executable, "-W", "ignore", "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    finally:
        server.stop()
    half.rename(made)
