"""Waiting for what another process or thread does: until it is so, and never longer than is said."""

import time


def wait_until(true, longest=60, pause=time.sleep):
    """Ask again and again, with `pause` (seconds) in between; a page's own pause lets the page go on meanwhile."""
    end = time.monotonic() + longest
    while not true():
        assert time.monotonic() < end, f"not so after {longest} s"
        pause(0.05)
