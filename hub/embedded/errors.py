"""What can go wrong with the embedded servers, said in sentences a newcomer can act on."""


class EmbeddedError(Exception):
    """An embedded server can't run; the message says why and what to do."""


class AlreadyRunning(EmbeddedError):
    """Another process uses this folder. ``pid`` is that process, or 0 when it isn't known."""

    def __init__(self, message: str, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid
