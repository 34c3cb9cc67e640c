# One image for the site, the worker, the clock and the migrations; docker-compose.yml says which is run.
FROM python:3.13-slim AS wheels
COPY requirements/prod.txt .
RUN pip wheel --no-cache-dir --require-hashes --wheel-dir /wheels --requirement prod.txt

FROM python:3.13-slim AS base
# libgomp for XGBoost; Pango and a font for the documents in PDF.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/credisense --shell /usr/sbin/nologin credisense
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=config.settings.production
WORKDIR /srv/credisense
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps /wheels/*.whl
COPY . .

# Catalogues, the icon font cut down, and the site's files with their hashes and compressed: made once, here.
# The values below are read by the settings and end in no file.
FROM base AS built
RUN CREDISENSE_DATA_DIR=/build python -m config.stack catalogues \
    && CREDISENSE_DATA_DIR=/build CREDISENSE_STATIC_DIR=/srv/credisense/static-files \
       CREDISENSE_ALLOWED_HOSTS=build.invalid CREDISENSE_FIELD_KEYS=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= \
       CREDISENSE_SECRET_KEY=build-build-build-build-build-build CREDISENSE_JWT_KEY=build-build-build-build-build-build \
       CREDISENSE_INDEX_KEY=build-build-build-build-build-build CREDISENSE_TASK_KEY=build-build-build-build-build-build \
       CREDISENSE_AUDIT_KEY=build-build-build-build-build-build \
       DATABASE_URL=postgresql://build@build.invalid/build DATABASE_PLATFORM_URL=postgresql://build@build.invalid/build \
       python manage.py collectstatic --no-input

FROM base
COPY --from=built /srv/credisense/locale locale
COPY --from=built /srv/credisense/static-files static-files
# Volumes begin with the owner of these folders.
RUN mkdir -p /data /srv/files/static && chown credisense /data /srv/files/static
USER credisense
ENV CREDISENSE_DATA_DIR=/data CREDISENSE_STATIC_DIR=/srv/credisense/static-files
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-m", "config.alive"]
CMD ["granian", "config.serving:application", "--factory", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", "--http=1", "--no-ws", "--workers=2", "--blocking-threads=8", "--backpressure=128", "--respawn-failed-workers", "--workers-kill-timeout=30"]
