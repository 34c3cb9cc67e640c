# One image for web, worker and schedule; docker-compose.yml says which is run.
FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=config.settings.production
WORKDIR /srv/credisense
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /srv/credisense credisense
COPY requirements/prod.txt requirements/prod.txt
RUN pip install --no-cache-dir --require-hashes --requirement requirements/prod.txt
COPY --chown=credisense . .
RUN pybabel compile --directory locale --domain django --use-fuzzy \
    && mkdir -p /data && chown credisense /data
USER credisense
ENV CREDISENSE_DATA_DIR=/data
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
