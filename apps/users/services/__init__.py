"""The verbs of accounts: members, logging in, sessions, passwords, second factor."""

from apps.users.services.drafts import (
    discard_draft,
    drop_draft,
    purge_drafts,
    restore_draft,
    save_draft,
)
from apps.users.services.feedback import mark_feedback, send_feedback
from apps.users.services.login import (
    api_log_in,
    check_code,
    check_credentials,
    pending,
    person_of_pending,
)
from apps.users.services.members import (
    FICTIONAL_DOMAIN,
    change_member,
    create_member,
    set_language,
    set_theme,
)
from apps.users.services.passwords import change_password, person_of_reset, reset_password, send_reset
from apps.users.services.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
)
from apps.users.services.sessions import (
    close_api_session,
    close_other_sessions,
    close_own_session,
    enter,
    leave,
    refresh_tokens,
)

__all__ = [
    "FICTIONAL_DOMAIN",
    "api_log_in",
    "begin_second_factor",
    "change_member",
    "change_password",
    "check_code",
    "check_credentials",
    "close_api_session",
    "close_other_sessions",
    "close_own_session",
    "confirm_second_factor",
    "create_member",
    "discard_draft",
    "drop_draft",
    "enter",
    "leave",
    "mark_feedback",
    "pending",
    "person_of_pending",
    "person_of_reset",
    "purge_drafts",
    "refresh_tokens",
    "remove_second_factor",
    "reset_password",
    "restore_draft",
    "save_draft",
    "send_feedback",
    "send_reset",
    "set_language",
    "set_theme",
]
