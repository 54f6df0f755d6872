"""HTTP to places that others named: no redirects, nothing inside our own network, and a word on how a call broke."""

import ipaddress
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from notifications.channels.errors import ChannelError, RefusedError, UnsureError

TIMEOUT = 10.0
"""Seconds for connecting, and for each wait for an answer; a lease lasts longer than both."""


class InsideError(RefusedError):
    """The address leads into our own network."""


def outside(address: str) -> bool:
    """Whether this IP address is one of the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not (mapped or found).is_multicast


def _checked(wire: socket.socket) -> socket.socket:
    # Looked at once connected: a name that leads elsewhere a moment later gets nothing.
    if not outside(wire.getpeername()[0]):
        wire.close()
        raise InsideError("the address leads into a private network; name one that the internet can reach")
    return wire


class _OutsideHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _OutsideHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _OutsideHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _OutsideHTTPS


class _Outside(HTTPAdapter):
    """Requests' adapter, whose connections lead outside or end."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests when the adapter is made."""
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def session(*, private: bool) -> requests.Session:
    """Follows no redirect and takes no proxy from the environment; stays outside our own network unless `private`."""
    made = requests.Session()
    made.max_redirects = 0
    made.trust_env = False
    if not private:
        made.mount("http://", _Outside())
        made.mount("https://", _Outside())
    return made


def broken(error: requests.RequestException) -> ChannelError:
    """What a broken call means: one that never connected took nothing; of any other nobody knows."""
    said = f"{type(error).__name__}: {error}"[:300]
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError("the address answers with a redirect, which is not followed; name the place itself")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return RefusedError(said)
    if isinstance(reason, NewConnectionError | ConnectTimeoutError) or isinstance(error, requests.exceptions.SSLError):
        return ChannelError(said)
    return UnsureError(said)
