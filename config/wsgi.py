"""The web server's entry point."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
application = get_wsgi_application()

# What forgot its declaration does not start, however the server was launched.
call_command("check", tags=["tenancy", "urls"], verbosity=0)
