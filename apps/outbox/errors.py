"""Why a webhook was not told."""


class DeliveryFailed(Exception):
    """A try that failed; ``told`` is kept and shown, ``status`` is that of the answer when there was one."""

    def __init__(self, told: str, *, status: int | None = None) -> None:
        super().__init__(told)
        self.told = told
        self.status = status


class ForbiddenAddress(DeliveryFailed):
    """The address is none that a server of ours may be sent to."""
