"""A line on which every page comes late and by halves: a browser test that looks too early fails on it.

`CLOZATRACK_SLOW_LINE=0.3 make test` lays it: seconds before the first half, and again before the second.
"""

import os
import time

import pytest
from django.core.servers.basehttp import ServerHandler


def lay(patch: pytest.MonkeyPatch):
    """Slow down each page of the live server, if the environment asks for it."""
    pause = float(os.environ.get("CLOZATRACK_SLOW_LINE", "0"))
    if not pause:
        return
    write = ServerHandler.write

    def late(handler, piece):
        if "text/html" not in handler.headers.get("Content-Type", "") or "Content-Length" not in handler.headers:
            return write(handler, piece)
        half = len(piece) // 2
        time.sleep(pause)
        write(handler, piece[:half])
        handler._flush()
        time.sleep(pause)
        return write(handler, piece[half:])

    patch.setattr(ServerHandler, "write", late)
