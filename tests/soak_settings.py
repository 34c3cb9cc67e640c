"""Settings of a site that is killed on purpose: as a demonstration, but quick to notice what was lost."""

from datetime import timedelta

from config.settings.local import *  # noqa: F403  settings extend the demonstration's

JOB_LOST_AFTER = timedelta(seconds=8)
JOB_QUEUED_TOO_LONG = timedelta(seconds=8)
JOB_REQUEUE_EVERY = timedelta(seconds=3)
OUTBOX_EVERY = timedelta(seconds=3)
