"""How a hand-over can fail, told apart by what may be done next."""


class ChannelError(Exception):
    """The message was surely not handed over; it will be tried again."""


class NotSetUpError(ChannelError):
    """The channel lacks its settings; the sentence names them."""


class RefusedError(ChannelError):
    """The message was surely not handed over and never will be: no such number, no longer subscribed."""


class UnsureError(ChannelError):
    """The message may have been taken: the wire broke after it had been sent."""
