"""The task base: a message says for which institution it acts, and signs it.

The institution is held from before the task's body to after its return, so that what a task
publishes at its end still carries it. Bodies open ``tenant_scope`` themselves, one per chunk.
"""

import hashlib
import hmac
import logging
from contextvars import ContextVar
from typing import Any

from celery import Task, signals
from django.conf import settings

from apps.tenancy.errors import NoTenantScope, UntrustedMessage
from apps.tenancy.tenants import is_active

logger = logging.getLogger(__name__)

HEADER = "credisense_institution"

_institution: ContextVar[int | None] = ContextVar("task_institution", default=None)


def _signature(task_id: str, task_name: str, institution_id: int) -> str:
    message = f"{task_id}:{task_name}:{institution_id}".encode()
    return hmac.new(settings.TASK_SIGNING_KEY.encode(), message, hashlib.sha256).hexdigest()


def sign(task_id: str, task_name: str, institution_id: int) -> str:
    """Return the header that binds one message to one institution: ``<id>:<hex hmac>``."""
    return f"{institution_id}:{_signature(task_id, task_name, institution_id)}"


def verify(task_id: str, task_name: str, header: object) -> int:
    """Return the institution of a header; raise ``UntrustedMessage`` when it is missing or forged."""
    identifier, _, signature = str(header or "").partition(":")
    if not identifier.isdigit() or not hmac.compare_digest(
        signature, _signature(task_id, task_name, int(identifier))
    ):
        raise UntrustedMessage(f"Task {task_name} came without a valid institution signature.")
    return int(identifier)


class TenantTask(Task):  # type: ignore[type-arg]
    """Base of every task that touches tenant data."""

    abstract = True

    @property
    def institution_id(self) -> int:
        """The verified institution of the message being run."""
        institution_id = _institution.get()
        if institution_id is None:
            raise NoTenantScope("This task runs outside a signed message.")
        return institution_id

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        institution_id = options.pop("institution_id", None) or _institution.get()
        if institution_id is None:
            raise NoTenantScope(f"{self.name} was sent without an institution.")
        from celery.utils import gen_unique_id

        task_id = options.pop("task_id", None) or gen_unique_id()
        headers = {**(options.pop("headers", None) or {}), HEADER: sign(task_id, self.name, institution_id)}
        return super().apply_async(args, kwargs, task_id=task_id, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Raised here rather than in the signal below: Celery only logs what a signal raises.
        institution_id = verify(self.request.id or "", self.name, _header(self.request))
        if not is_active(institution_id):
            logger.info("Task %s left alone: institution %s is suspended", self.name, institution_id)
            return None
        return super().__call__(*args, **kwargs)


def _header(request: Any) -> object:
    return (request.get("headers") or {}).get(HEADER) or request.get(HEADER)


@signals.task_prerun.connect
def _hold(task_id: str, task: Any, **_kwargs: Any) -> None:
    if isinstance(task, TenantTask):
        try:
            _institution.set(verify(task_id, task.name, _header(task.request)))
        except UntrustedMessage:
            _institution.set(None)


@signals.task_postrun.connect
def _release(**_kwargs: Any) -> None:
    _institution.set(None)
