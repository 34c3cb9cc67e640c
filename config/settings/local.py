"""A developer's machine and the demonstration: embedded PostgreSQL, keys made on first start."""

from config import env, postgres
from config.keys import local_keys
from config.settings.base import *

_keys = local_keys(DATA_DIR)

DEBUG = env.flag("CREDISENSE_DEBUG", default=False)
DEMO_MODE = env.flag("CREDISENSE_DEMO", default=False)
ALLOWED_HOSTS = env.items("CREDISENSE_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
STYLE_PAGE = True

SECRET_KEY = _keys["secret"]
SIMPLE_JWT = {**SIMPLE_JWT, "SIGNING_KEY": _keys["jwt"]}
#: Newest first, separated by commas, as in production.
FIELD_ENCRYPTION_KEYS = [key.strip() for key in _keys["field"].split(",")]
BLIND_INDEX_KEY = _keys["index"]
TASK_SIGNING_KEY = _keys["task"]
AUDIT_KEY = _keys["audit"]

DATABASES = postgres.databases(conn_max_age=600)
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
WEBHOOK_PLAIN_HTTP = True
WEBHOOK_PORTS = (80, 443, 8443)
#: A provider that one tries on the same machine.
OPENID_PLAIN_HTTP = True
OPENID_PORTS = range(1, 65536)
OPENID_NETWORKS = ["127.0.0.0/8", "::1/128", *OPENID_NETWORKS]
WHITENOISE_USE_FINDERS = True
#: Files come from the source tree, where none is compressed beforehand: they are on the way.
MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *MIDDLEWARE]
