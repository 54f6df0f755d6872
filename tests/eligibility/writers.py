"""Writers with a connection each, stopped before any of their statements: an interleaving can be chosen and repeated.

A writer runs an action of the product as it is. Before its n-th statement it waits until it is told to go on, so
whatever the others do happens in between, really, in other transactions. One that waits for a lock is left waiting.
"""

import threading

import psycopg
from django.db import connection, connections

from monitoring.actions.dispensing import NotAuthorisedError
from monitoring.rules.errors import InputError

REFUSALS = (NotAuthorisedError, InputError, ValueError)
"""What the product may answer. Anything else is a failure of the test."""
PATIENCE = 60


class Writer:
    """One thread with its connection. `state`: idle, running, stopped."""

    def __init__(self, changed):
        self.changed, self.state, self.job, self.failure = changed, "idle", None, None
        self.left, self.pid, self.ending, self.ended = None, None, False, 0
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()
        with changed:
            assert changed.wait_for(lambda: self.pid, PATIENCE), "no connection"

    def begin(self, job, stop_before):
        self._wake(job, stop_before)

    def go(self, stop_before):
        self._wake(self.job, stop_before)

    def _wake(self, job, stop_before):
        with self.changed:
            self.job, self.left, self.state = job, stop_before, "running"
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        self.thread.join(PATIENCE)

    def _live(self):
        with connection.cursor(), self.changed:
            self.pid = connection.connection.info.backend_pid
            self.changed.notify_all()
        with connection.execute_wrapper(self._before_a_statement):
            while self._next():
                try:
                    self.job()
                except REFUSALS:
                    pass
                except BaseException as failure:  # noqa: BLE001  # told to the test, whatever it is
                    self.failure = failure
                self._ended()
        connections.close_all()

    def _next(self):
        with self.changed:
            self.changed.wait_for(lambda: self.ending or self.state == "running")
            return not self.ending

    def _ended(self):
        with self.changed:
            self.state, self.ended = "idle", self.ended + 1
            self.changed.notify_all()

    def _before_a_statement(self, execute, sql, parameters, many, context):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                with self.changed:
                    self.state, self.left = "stopped", None
                    self.changed.notify_all()
                    assert self.changed.wait_for(lambda: self.state == "running", PATIENCE), "nobody said go on"
        return execute(sql, parameters, many, context)


class Writers:
    """All of them, and the eye that sees which ones wait for a lock."""

    def __init__(self, many):
        self.changed = threading.Condition()
        self.all, self.waiting = [Writer(self.changed) for _ in range(many)], set()
        self.ended = 0
        known = connection.get_connection_params()
        known = {name: known[name] for name in ("host", "port", "user", "dbname")}
        self.eye = psycopg.connect(**known, autocommit=True)

    def in_state(self, state):
        return [writer for writer in self.all if writer.state == state]

    def settle(self):
        """Until each is idle, is stopped, or waits for a lock that a stopped one holds."""
        with self.changed:
            while running := self._on_their_way():
                if not self.changed.wait_for(lambda: not self._on_their_way(), 0.003):
                    self._look_for_locks(running)
        for writer in self.all:
            if writer.failure is not None:
                failure, writer.failure = writer.failure, None
                raise failure

    def _on_their_way(self):
        """Those that run and are not known to wait. Whoever ends may free a lock: then all may be on their way."""
        ended = sum(writer.ended for writer in self.all)
        if ended != self.ended:
            self.ended, self.waiting = ended, set()
        return [writer for writer in self.in_state("running") if writer not in self.waiting]

    def _look_for_locks(self, running):
        """All of them at once: one that waits for another who is on the way will soon be on the way too."""
        asked = "SELECT bool_and(cardinality(pg_blocking_pids(pid)) > 0) FROM unnest(%s::int[]) pid"
        if self.eye.execute(asked, [[writer.pid for writer in running]]).fetchone()[0]:
            self.waiting |= set(running)

    def finish(self):
        """Let everybody do what they have begun."""
        while stopped := self.in_state("stopped"):
            stopped[0].go(None)
            self.settle()
        assert not self.in_state("running"), "somebody waits for ever"

    def close(self):
        for writer in self.all:
            writer.end()
        self.eye.close()
