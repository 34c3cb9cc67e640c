"""What the account templates need."""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from apps.tenancy.errors import DomainError


@dataclass(frozen=True, slots=True)
class SessionLine:
    uid: UUID
    label: str
    created_at: dt.datetime
    last_seen_at: dt.datetime
    address: str
    current: bool


def session_lines(sessions: Iterable[Any], *, current: Any) -> list[SessionLine]:
    """Return the open sessions of a person; ``current`` is the one at hand."""
    return [
        SessionLine(
            uid=session.uid,
            label=session.get_kind_display(),
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            address=short_address(session.address),
            current=current is not None and session.uid == current.uid,
        )
        for session in sessions
    ]


def short_address(address: str) -> str:
    """Return the network of an address: enough to know a place by, not to follow somebody."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:  # noqa: PLR2004
        return ".".join(address.split(".")[:2]) + ".…"
    return ":".join(parsed.exploded.split(":")[:3]) + ":…"


def refuse(form: forms.Form, refusal: DomainError) -> None:
    """Put a refusal on a form: beside its fields, or above."""
    known = {name: messages for name, messages in refusal.fields.items() if name in form.fields}
    for name, messages in known.items():
        for message in messages:
            form.add_error(name, message)
    if not known:
        form.add_error(None, refusal.message)
