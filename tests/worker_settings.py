"""Settings of a process started by a test: the same database and models, a real queue in files."""

import os
from pathlib import Path

from config.settings.test import *  # noqa: F403  settings extend the suite's

for _database in DATABASES.values():  # noqa: F405  a restored copy stands beside the suite's own
    _database["NAME"] = os.environ.get("TEST_DATABASE", _database["NAME"])
if "TEST_FILES" in os.environ:
    PLATFORM_MODELS_DIR = Path(os.environ["TEST_FILES"]) / "models"
    INSTITUTION_FILES_DIR = Path(os.environ["TEST_FILES"]) / "institutions"

CELERY_QUEUE_DIR = Path(os.environ["TEST_QUEUE"])
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(CELERY_QUEUE_DIR / "messages"),
    "data_folder_out": str(CELERY_QUEUE_DIR / "messages"),
    "control_folder": str(CELERY_QUEUE_DIR / "control"),
}
