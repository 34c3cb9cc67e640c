"""Run the provider: ``python serve.py PORT FOLDER``, until it is ended."""

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        """Say nothing."""


def main(port, folder):
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "provider_settings",
        "PROVIDER_PORT": port,
        "PROVIDER_FOLDER": folder,
    }
    sys.path.insert(0, str(Path(__file__).parent))
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    call_command("migrate", run_syncdb=True, verbosity=0)
    make_server("127.0.0.1", int(port), application, Server, Quiet).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
