"""The test suite: a real PostgreSQL of its own for each run, fixed keys, fast password hashing."""

import os

from config import postgres
from config.settings.base import *

#: One folder a run, and for each process that shares its tests, so that two side by side do not meet;
#: processes that a test starts inherit both names.
TEST_RUN = os.environ.setdefault("TEST_RUN", str(os.getpid()))
DATA_DIR = BASE_DIR / "var" / "test" / f"{TEST_RUN}{os.environ.get('PYTEST_XDIST_WORKER', '')}"
PLATFORM_MODELS_DIR = DATA_DIR / "ml_models" / "platform"
INSTITUTION_FILES_DIR = DATA_DIR / "institutions"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
IMPORT_FILES_DIR = DATA_DIR / "imports"
MADE_ASSETS_DIR = DATA_DIR / "assets"
MADE_ASSETS_DIR.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [MADE_ASSETS_DIR, BASE_DIR / "static"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DEMO_MODE = True
STYLE_PAGE = True

SECRET_KEY = "test-" + "s" * 50
SIMPLE_JWT = {**SIMPLE_JWT, "SIGNING_KEY": "test-" + "j" * 50}
FIELD_ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="]
BLIND_INDEX_KEY = "test-" + "i" * 50
TASK_SIGNING_KEY = "test-" + "t" * 50
AUDIT_KEY = "test-" + "a" * 50

#: As a load test does; the defaults are proved by tests/api/test_limits.py.
API_RATES = dict.fromkeys(API_RATES, "1000000/s")

DATABASES = postgres.databases(DATA_DIR, name="credisense_test")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True
CELERY_QUEUE_DIR = DATA_DIR / "queue"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
