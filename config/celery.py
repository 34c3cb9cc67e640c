"""The Celery application: a real worker without a server by default, any broker when one is named."""

import os
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from django.conf import settings

from config.queue_files import use_whole_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

use_whole_files()
app = Celery("credisense")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "requeue-lost-jobs": {
        "task": "apps.jobs.tasks.requeue_lost_jobs",
        "schedule": settings.JOB_REQUEUE_EVERY,
    },
    "deliver-outbox": {
        "task": "apps.outbox.tasks.deliver_outbox",
        "schedule": settings.OUTBOX_EVERY,
    },
    "purge-drafts": {
        "task": "apps.users.tasks.purge_drafts",
        "schedule": settings.DRAFTS_PURGE_EVERY,
    },
    "purge-sessions": {
        "task": "apps.users.tasks.purge_sessions",
        "schedule": settings.SESSIONS_PURGE_EVERY,
    },
    "purge-requests": {
        "task": "apps.users.tasks.purge_requests",
        "schedule": settings.REQUESTS_PURGE_EVERY,
    },
    "derive-outcomes": {
        "task": "apps.credits.tasks.derive_all_outcomes",
        "schedule": crontab(hour=2, minute=10),
    },
    "watch-models": {
        "task": "apps.monitoring.tasks.watch_all_models",
        "schedule": crontab(hour=3, minute=20),  # after the outcomes, which it counts
    },
    "purge-files": {
        "task": "apps.files.tasks.purge_files",
        "schedule": settings.FILES_PURGE_EVERY,
    },
    "purge-models": {
        "task": "apps.registry.tasks.purge_models",
        "schedule": settings.FILES_PURGE_EVERY,
    },
    "rescore-portfolios": {
        "task": "apps.scoring.tasks.rescore_due",
        "schedule": settings.RESCORE_LOOK_EVERY,
    },
    "retrain-models": {
        "task": "apps.scoring.tasks.retrain_due",
        "schedule": settings.RETRAIN_LOOK_EVERY,
    },
    "compute-benchmarks": {
        "task": "apps.reports.tasks.compute_benchmarks",
        "schedule": crontab(hour=4, minute=15),  # after the outcomes, which it compares
    },
    "write-due-reports": {
        "task": "apps.reports.tasks.write_due_reports",
        "schedule": crontab(hour=5, minute=30),
    },
    "write-weekly-letters": {
        "task": "apps.reports.tasks.write_weekly_letters",
        "schedule": crontab(hour=6, minute=0, day_of_week="monday"),
    },
    "start-due-promotions": {
        "task": "apps.registry.tasks.start_due_promotions",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "score-in-the-shadow": {
        "task": "apps.scoring.tasks.score_in_the_shadow",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "count-files": {
        "task": "apps.reports.tasks.count_all_files",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "fold-scores": {
        "task": "apps.scoring.tasks.fold_all_scores",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "seal-audit-trails": {
        "task": "apps.institutions.tasks.seal_audit_trails",
        "schedule": 5.0,
        "options": {"expires": 5},  # a stopped worker finds no pile of them
    },
}


@app.on_after_configure.connect
def _make_queue_folders(**_kwargs: Any) -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        for folder in ("messages", "control"):
            (settings.CELERY_QUEUE_DIR / folder).mkdir(parents=True, exist_ok=True)


@signals.setup_logging.connect
def _keep_django_logging(**_kwargs: Any) -> None:
    """Leave logging as the settings made it: a connected receiver is what Celery asks for."""
