"""What every installation shares. Values that differ come from the environment (``.env.example``)."""

from collections.abc import Container
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = env.data_dir()
VERSION = "0.1.0"

DEBUG = False
#: Synthetic models may be in production, fictional log-ins are offered.
DEMO_MODE = False
DEMO_PASSWORD = "Demo-CrediSense-2026"  # noqa: S105  public by design, refused outside demonstration mode

#: The partner key of the first fictional institution: public too, refused outside demonstration mode.
DEMO_API_KEY = "csdemohorizon.Cle-de-demonstration-2026"

#: The page of components, /style: for those who develop.
STYLE_PAGE = False

ALLOWED_HOSTS: list[str] = []
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "apps.tenancy",
    "apps.institutions",
    "apps.users",
    "apps.audit",
    "apps.jobs",
    "apps.outbox",
    "apps.files",
    "apps.credits",
    "apps.registry",
    "apps.scoring",
    "apps.decisions",
    "apps.monitoring",
    "apps.reports",
    "apps.web",
    "apps.api",
    "apps.demo",
    # Before the admin: their templates replace Django's. The site itself stays ours (config/backoffice.py).
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    "config.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # its templates, for the renderer below
    "axes",
    "corsheaders",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "config.metrics.MetricsMiddleware",
    "apps.api.direct.DirectMiddleware",  # answers most scores by values; all else goes on below
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads each page at random: its length tells nothing (BREACH)
    "corsheaders.middleware.CorsMiddleware",  # answers a preflight, before anybody is asked for
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "apps.users.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.users.middleware.ActorMiddleware",
    "apps.api.throttling.ThrottleMiddleware",
    "apps.api.idempotency.IdempotencyMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["config.templating.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.web.context.surroundings",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

AUTH_USER_MODEL = "users.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
#: Failed log-ins within the window: of one account from one address, of one account, from one address.
LOGIN_WINDOW = timedelta(minutes=15)
LOGIN_LIMIT_PAIR = 5
LOGIN_LIMIT_ACCOUNT = 20
LOGIN_LIMIT_ADDRESS = 100
AXES_HANDLER = "apps.users.backends.ThreeLimits"
AXES_CLIENT_IP_CALLABLE = "apps.users.backends.client_address"
AXES_COOLOFF_TIME = LOGIN_WINDOW
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # its middleware answers after a failure; our services ask before
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:home"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Africa/Douala"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
#: What is made from files of packages and ours (config/icons.py, config/assets.py); it comes before them.
MADE_ASSETS_DIR = DATA_DIR / "assets"
MADE_ASSETS_DIR.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [MADE_ASSETS_DIR, BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("CREDISENSE_STATIC_DIR", str(DATA_DIR / "static")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a missing folder

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
#: How long a log-in lasts at most, and how long a browser may be silent.
SESSION_LIFETIME = timedelta(hours=12)
SESSION_IDLE = timedelta(minutes=30)
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}

#: The back-office's theme interprets its attributes and writes widths: allowed under /admin/ only.
BACK_OFFICE_CSP = SECURE_CSP | {
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}

UNFOLD = {
    "SITE_TITLE": "CrediSense",
    "SITE_HEADER": "CrediSense",
    "SITE_SUBHEADER": "config.backoffice.place",
    "SITE_URL": None,
    "SITE_ICON": "config.backoffice.logo",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "config.backoffice.favicon"},
    ],
    "SHOW_HISTORY": False,  # our audit trail is the history
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.backoffice.environment",
    "STYLES": ["config.backoffice.stylesheet"],
    "ACCOUNT": {"navigation": "config.backoffice.account_links"},
    "SIDEBAR": {"show_search": False, "navigation": "config.backoffice.navigation"},
    "DASHBOARD_CALLBACK": "config.dashboard.with_figures",
    "COLORS": {
        "base": {
            "50": "#f4f6f4",
            "100": "#eef2ef",
            "200": "#dae1dc",
            "300": "#c3ccc6",
            "400": "#a4b3aa",
            "500": "#79867e",
            "600": "#506058",
            "700": "#3d4a43",
            "800": "#2e3a34",
            "900": "#18201c",
            "950": "#0f1512",
        },
        # The greens of static/css/app.css; 600 carries white text, 500 is what the dark theme writes in.
        "primary": {
            "50": "#f1f8f5",
            "100": "#e2f1ea",
            "200": "#c3e3d5",
            "300": "#93cdb5",
            "400": "#62cda4",
            "500": "#3fb98b",
            "600": "#0b5d46",
            "700": "#084a38",
            "800": "#0a4a39",
            "900": "#073a2c",
            "950": "#05241a",
        },
        "font": {
            "subtle-light": "#506058",
            "subtle-dark": "#a4b3aa",
            "default-light": "#34423b",
            "default-dark": "#cfdad4",
            "important-light": "#15201a",
            "important-dark": "#e7eeea",
        },
    },
}
#: Uploads between the preview and the confirmation: encrypted, each for its own sender, an hour at most.
IMPORT_FILES_DIR = DATA_DIR / "imports"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = True  # the services' audit entries stand for Django's log
IMPORT_EXPORT_IMPORT_IGNORE_BLANK_LINES = True

REST_FRAMEWORK = {
    # What is answered follows from Accept alone: a word in the address is refused or ignored like any other.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.HoldsVerb"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.TextParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.api.errors.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CrediSense",
    "DESCRIPTION": "",  # apps/api/schema.py completes the document
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "GET_LIB_DOC_EXCLUDES": "apps.api.v1.base.inner_classes",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ApplicationStatusEnum": "apps.credits.enums.ApplicationStatus",
        "CreditStatusEnum": "apps.credits.enums.CreditStatus",
        "ContractTypeEnum": "apps.credits.enums.ContractType",
        "EntrySourceEnum": "apps.credits.enums.EntrySource",
        "ReasonEnum": "apps.credits.enums.CancelReason",
        "RecommandationEnum": "apps.scoring.enums.Recommendation",
        "DirectionEnum": "apps.credits.enums.RiskDirection",
        "DecisionKindEnum": "apps.decisions.enums.DecisionKind",
        "OverrideDirectionEnum": "apps.decisions.enums.Direction",
        "OverrideReasonEnum": "apps.decisions.enums.OverrideReason",
        "OverrideStatusEnum": "apps.decisions.enums.OverrideStatus",
        "ExternalSourceEnum": "apps.credits.enums.ExternalSource",
        "ExternalStatusEnum": "apps.credits.enums.ExternalStatus",
        "ImportModeEnum": "apps.credits.enums.ImportMode",
        "ImportStateEnum": "apps.credits.enums.ImportState",
        "CandidateKindEnum": "apps.api.schema.CANDIDATES",
        "JobStatusEnum": "apps.jobs.enums.JobStatus",
        "ModelOriginEnum": "apps.registry.enums.ModelOrigin",
        "ModelStatusEnum": "apps.registry.enums.ModelStatus",
        "PromotionStatusEnum": "apps.registry.enums.PromotionStatus",
        "ReportKindEnum": "apps.reports.enums.ReportKind",
        "ReportFormatEnum": "apps.reports.enums.ReportFormat",
        "StartOriginEnum": "apps.registry.enums.StartOrigin",
        "TrainingOriginEnum": "apps.registry.enums.TrainingOrigin",
        "TypeCreditEnum": "apps.api.schema.CREDIT_TYPES",
        "OuiNonEnum": "apps.api.schema.YES_NO",
        "GraviteEnum": "apps.scoring.validators.SEVERITIES",
        "VerdictEnum": "apps.registry.enums.Verdict",
        "CodeEnum": "apps.api.v1.policies.serializers._RULES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.api.schema.complete",
    ],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": SESSION_LIFETIME,
    "ALGORITHM": "HS256",
    "USER_ID_FIELD": "uid",
    "USER_ID_CLAIM": "user",
}

# Partners speak from their servers. A page of another site asks the API only where its origin is listed, and
# brings its own token: no cookie of ours goes with it.
CORS_ALLOWED_ORIGINS = env.items("CREDISENSE_CORS_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    "accept-language",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE = 600


#: Requests of one key, person or address (log-in: of one account, from one address): "20/s", "10/min", "off".
API_RATES = {
    "predict": env.text("CREDISENSE_RATE_PREDICT", "20/s"),
    "files": env.text("CREDISENSE_RATE_FILES", "10/min"),
    "login": env.text("CREDISENSE_RATE_LOGIN", "100/min"),
    "login_account": env.text("CREDISENSE_RATE_LOGIN_ACCOUNT", "5/min"),
    "default": env.text("CREDISENSE_RATE_DEFAULT", "600/min"),
}
#: The first pattern that the path matches names the limit; every other path has the default one.
API_RATE_ROUTES = [
    ("files", r"^/api/v1/(predict_file|imports|models/import)"),
    ("predict", r"^/api/v1/(predict$|simulate$|applications/[^/]+/score$|predictions/[^/]+/replay$)"),
    ("login", r"^/api/v1/(login$|token/)"),
]
#: Webhooks: ports and schemes that may be sent to, and networks allowed beside the public internet.
WEBHOOK_PORTS: tuple[int, ...] = (443, 8443)
WEBHOOK_PLAIN_HTTP = False
WEBHOOK_NETWORKS: list[str] = []
#: OpenID Connect: ports and schemes at which an institution's provider may be asked, and networks allowed
#: beside the public internet: whoever installs the site names them, an institution cannot.
OPENID_PORTS: Container[int] = (443, 8443)
OPENID_PLAIN_HTTP = False
OPENID_NETWORKS = [str(network) for network in env.networks("CREDISENSE_OPENID_NETWORKS")]
#: How long an answer is kept under its Idempotency-Key, and the largest one that is.
IDEMPOTENCY_KEPT = timedelta(hours=24)
IDEMPOTENCY_MAX_BYTES = 8 * 1024 * 1024
REQUESTS_PURGE_EVERY = timedelta(hours=1)

#: Where model folders stand: the platform's in the repository tree, an institution's under the data folder.
PLATFORM_MODELS_DIR = Path(env.text("CREDISENSE_MODELS_DIR", str(BASE_DIR / "ml_models" / "platform")))
INSTITUTION_FILES_DIR = DATA_DIR / "institutions"

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "filesystem://")
CELERY_QUEUE_DIR = DATA_DIR / "queue"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(CELERY_QUEUE_DIR / "messages"),
        "data_folder_out": str(CELERY_QUEUE_DIR / "messages"),
        "control_folder": str(CELERY_QUEUE_DIR / "control"),
        # what is asked on a page should begin at once: kombu looks once a second
        "polling_interval": 0.05,
    }

#: A worker that gave no sign of life for so long is dead; a message that waited so long is lost.
JOB_LOST_AFTER = timedelta(minutes=10)
JOB_QUEUED_TOO_LONG = timedelta(minutes=10)
JOB_REQUEUE_EVERY = timedelta(minutes=5)
OUTBOX_EVERY = timedelta(seconds=30)
DRAFTS_PURGE_EVERY = timedelta(hours=6)
SESSIONS_PURGE_EVERY = timedelta(days=1)
#: How often it is looked whether an institution's scheduled rescoring is due.
RESCORE_LOOK_EVERY = timedelta(hours=12)
#: How often it is looked whether an institution's scheduled training is due.
RETRAIN_LOOK_EVERY = timedelta(hours=12)
#: Folds that a training run works on at once.
TRAINING_THREADS = 2
FILES_PURGE_EVERY = timedelta(hours=6)
#: Where the links of e-mails lead.
SITE_URL = env.text("CREDISENSE_SITE_URL", "http://127.0.0.1:8000")

#: Proxies of ours: what they say of the client's address and of the request's name is believed.
TRUSTED_PROXIES = env.networks("CREDISENSE_TRUSTED_PROXIES")

#: Who reads /metrics: whoever connects from these addresses, and whoever sends the token.
METRICS_ADDRESSES = env.networks("CREDISENSE_METRICS_ADDRESSES")
METRICS_TOKEN = env.secret("CREDISENSE_METRICS_TOKEN", "")
#: Where the processes of one site add up their figures; one process needs none.
METRICS_DIR = env.text("PROMETHEUS_MULTIPROC_DIR", "")
#: Where training runs are copied to, for who runs an MLflow server; nowhere by default.
MLFLOW_TRACKING_URI = env.text("MLFLOW_TRACKING_URI", "")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "apps.tenancy.tracing.RequestIdFilter"}},
    "formatters": {
        "json": {"()": "config.logs.JsonFormatter"},
        "line": {
            "()": "config.logs.LineFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"apps": {"level": "INFO"}},
}
