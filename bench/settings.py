"""Production's settings for `bench/`, on the demonstration's data and its synthetic model."""

from config.settings.production import *  # noqa: F403  as every settings module of config/

DEMO_MODE = True
