"""kill -9 at random moments under load; a separate program judges what is left.

kill -9 takes a process and leaves the kernel its page cache. So this shows that no process is needed for what was
acknowledged; it says nothing of a loss of power, for which there are fsync, synchronous commits and full page writes.
"""
