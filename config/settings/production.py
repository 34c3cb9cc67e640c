"""A real installation: refuses to start without its secrets, with DEBUG on or with a wildcard host."""

from django.core.exceptions import ImproperlyConfigured

from config import env, postgres
from config.settings.base import *

if env.flag("CREDISENSE_DEBUG", default=False):
    raise ImproperlyConfigured("CREDISENSE_DEBUG must be off in production.")
if env.flag("CREDISENSE_DEMO", default=False):
    raise ImproperlyConfigured("CREDISENSE_DEMO must be off in production: its log-ins are public.")

ALLOWED_HOSTS = env.items("CREDISENSE_ALLOWED_HOSTS")
if not ALLOWED_HOSTS or any(host.startswith(("*", ".")) for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("CREDISENSE_ALLOWED_HOSTS must list exact host names.")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

SECRET_KEY = env.secret("CREDISENSE_SECRET_KEY")
SIMPLE_JWT = {**SIMPLE_JWT, "SIGNING_KEY": env.secret("CREDISENSE_JWT_KEY")}
FIELD_ENCRYPTION_KEYS = [key.strip() for key in env.secret("CREDISENSE_FIELD_KEYS").split(",")]
BLIND_INDEX_KEY = env.secret("CREDISENSE_INDEX_KEY")
TASK_SIGNING_KEY = env.secret("CREDISENSE_TASK_KEY")
AUDIT_KEY = env.secret("CREDISENSE_AUDIT_KEY")
for _name, _value in (
    ("CREDISENSE_SECRET_KEY", SECRET_KEY),
    ("CREDISENSE_JWT_KEY", SIMPLE_JWT["SIGNING_KEY"]),
    ("CREDISENSE_INDEX_KEY", BLIND_INDEX_KEY),
    ("CREDISENSE_TASK_KEY", TASK_SIGNING_KEY),
    ("CREDISENSE_AUDIT_KEY", AUDIT_KEY),
):
    if len(str(_value)) < 32:  # noqa: PLR2004  RFC 7518 asks HS256 keys of at least 256 bits
        raise ImproperlyConfigured(f"{_name} must hold at least 32 characters.")

DATABASES = postgres.databases(conn_max_age=600, require_url=True)

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^health$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = env.flag("CREDISENSE_HSTS_PRELOAD", default=False)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"
SILENCED_SYSTEM_CHECKS = [
    *SILENCED_SYSTEM_CHECKS,
    "security.W021",  # preloading binds a whole domain for years: it is asked for, never a default
    "drf_spectacular.W001",  # names in the API's document, not a matter of deployment
]

EMAIL_HOST = env.text("CREDISENSE_EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("CREDISENSE_EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.text("CREDISENSE_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.secret("CREDISENSE_EMAIL_PASSWORD", "")
EMAIL_TIMEOUT = 10
_security = env.text("CREDISENSE_EMAIL_SECURITY", "starttls").lower()
if _security not in {"starttls", "tls", "none"}:
    raise ImproperlyConfigured("CREDISENSE_EMAIL_SECURITY: expected starttls, tls or none.")
EMAIL_USE_TLS = _security == "starttls"
EMAIL_USE_SSL = _security == "tls"
DEFAULT_FROM_EMAIL = env.text("CREDISENSE_EMAIL_FROM", f"CrediSense <ne-pas-repondre@{ALLOWED_HOSTS[0]}>")
SITE_URL = env.text("CREDISENSE_SITE_URL", f"https://{ALLOWED_HOSTS[0]}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

LOGGING = {
    **LOGGING,
    "handlers": {"console": {**LOGGING["handlers"]["console"], "formatter": "json"}},
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
