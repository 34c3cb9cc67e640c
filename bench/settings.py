"""Production's settings for `bench/`, on the demonstration's data and its synthetic model."""

from config.settings.production import *

DEMO_MODE = True
