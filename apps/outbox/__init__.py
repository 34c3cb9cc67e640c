"""Transactional outbox: events to webhooks, e-mail and in-app alerts, with retries."""
