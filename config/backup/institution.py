"""One institution: its own rows, read through its scope, and the shared rows behind them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, models
from psycopg import sql

from apps.institutions.models import Institution
from apps.registry.models import ModelVersion, PlatformModel
from apps.tenancy.context import tenant_scope
from apps.tenancy.models import TenantModel
from apps.users.models import Membership, PartnerKey, User
from config.backup import BackupRefused, add_folder, applied_migrations, new_archive, place_files
from config.backup.platform import owner_address

KIND = "institution"
TABLES = "tables.json"


def tenant_models() -> list[type[models.Model]]:
    """Return every tenant model, what others point at first."""
    found = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    ordered: list[type[models.Model]] = []

    def visit(model: type[models.Model]) -> None:
        if model in ordered or model not in found:
            return
        for field in model._meta.local_fields:
            if isinstance(field.related_model, type) and field.related_model is not model:
                visit(field.related_model)
        ordered.append(model)

    for model in found:
        visit(model)
    return ordered


def backup_institution(target: Path, institution: Institution, *, version: str) -> None:
    """Write the backup of one institution, as it is at one instant; raise ``BackupRefused``."""
    manifest = {
        "kind": KIND,
        "version": version,
        "migrations": applied_migrations(),
        "code": institution.code,
        "uid": str(institution.uid),
    }
    with new_archive(target, manifest) as (tar, folder):
        rows = folder / "rows"
        rows.mkdir()
        with _one_snapshot(), tenant_scope(institution.pk):
            folders = _write_rows(rows, institution)
        tar.add(rows, "rows")
        for name, model_version in folders:
            add_folder(
                tar,
                Path(settings.PLATFORM_MODELS_DIR) / name / model_version,
                f"models/{name}/{model_version}",
            )
        own = Path(settings.INSTITUTION_FILES_DIR) / str(institution.uid)
        add_folder(tar, own, f"institutions/{institution.uid}")


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Let every query of the next transaction see the same instant; needs a connection outside any."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    try:
        yield
    finally:
        connection.close()


def _write_rows(rows: Path, institution: Institution) -> list[tuple[str, str]]:
    written = {}
    for model, only in [*_shared(institution), *((model, None) for model in tenant_models())]:
        columns = [str(field.column) for field in model._meta.local_concrete_fields]
        _copy_out(rows / f"{model._meta.db_table}.copy", model._meta.db_table, columns, only)
        written[model._meta.db_table] = columns
    (rows / TABLES).write_text(json.dumps(written), encoding="utf-8")
    return list(_platform_models().values_list("name", "version"))


def _shared(institution: Institution) -> list[tuple[type[models.Model], list[int]]]:
    """Return the shared models with the keys of the rows that are this institution's own."""
    memberships = Membership.objects.filter(institution=institution)
    keys = PartnerKey.objects.filter(institution=institution)
    people = set(memberships.values_list("user_id", flat=True)) | _people_named()
    people |= set(keys.exclude(created_by=None).values_list("created_by_id", flat=True))
    return [
        (Institution, [institution.pk]),
        (User, sorted(people)),
        (Membership, sorted(memberships.values_list("pk", flat=True))),
        (PartnerKey, sorted(keys.values_list("pk", flat=True))),
        (PlatformModel, sorted(_platform_models().values_list("pk", flat=True))),
    ]


def _people_named() -> set[int]:
    """Return the users that the institution's rows point at, former members too."""
    return {
        key
        for model in tenant_models()
        for field in model._meta.local_fields
        if field.related_model is User
        for key in model._default_manager.exclude(**{field.name: None})
        .values_list(field.attname, flat=True)
        .distinct()
    }


def _platform_models() -> models.QuerySet[PlatformModel]:
    used = ModelVersion.objects.exclude(platform_model=None).values("platform_model")
    return PlatformModel.objects.filter(pk__in=used)


def _copy_out(target: Path, table: str, columns: list[str], only: list[int] | None) -> None:
    condition = sql.SQL("") if only is None else sql.SQL(" WHERE id = ANY({})").format(sql.Literal(only))
    order = sql.Identifier("id" if "id" in columns else "uid")  # the scores of a file's lines have no number
    statement = sql.SQL("COPY (SELECT {} FROM {}{} ORDER BY {}) TO STDOUT").format(
        _names(columns), sql.Identifier(table), condition, order
    )
    with connection.cursor() as cursor, target.open("wb") as file, cursor.cursor.copy(statement) as copy:
        for piece in copy:
            file.write(piece)


def restore_institution(folder: Path, manifest: dict[str, Any]) -> None:
    """Restore one institution into a database without any, after its migrations; raise ``BackupRefused``."""
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    _refuse_inhabited()
    if manifest["migrations"] != applied_migrations("owner"):
        raise BackupRefused(
            f"The backup comes from another version ({manifest['version']}): restore it with that version, "
            "then migrate."
        )
    place_files(folder / "models", Path(settings.PLATFORM_MODELS_DIR))
    place_files(folder / "institutions", Path(settings.INSTITUTION_FILES_DIR))
    tables = json.loads((folder / "rows" / TABLES).read_text(encoding="utf-8"))
    with psycopg.connect(owner_address()) as database:
        for table, columns in tables.items():
            _copy_in(database, folder / "rows" / f"{table}.copy", table, columns)


def _refuse_inhabited() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM institutions_institution) + (SELECT count(*) FROM users_user)"
        )
        if cursor.fetchone()[0]:
            raise BackupRefused("The database is not empty: restore into a new one.")


def _copy_in(database: "psycopg.Connection", source: Path, table: str, columns: list[str]) -> None:
    """Copy through a temporary table: PostgreSQL refuses COPY into one under row-level security."""
    names = {
        "table": sql.Identifier(table),
        "columns": _names(columns),
        "draft": sql.Identifier(f"draft_{table}"),
    }
    database.execute(sql.SQL("CREATE TEMPORARY TABLE {draft} (LIKE {table}) ON COMMIT DROP").format(**names))
    with (
        database.cursor() as cursor,
        source.open("rb") as file,
        cursor.copy(sql.SQL("COPY {draft} ({columns}) FROM STDIN").format(**names)) as copy,
    ):
        while piece := file.read(1 << 20):
            copy.write(piece)
    database.execute(sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {draft}").format(**names))
    if "id" in columns:
        database.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({name}, 'id'), greatest(max(id), 1)) FROM {table}"
            ).format(name=sql.Literal(table), **names)
        )


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
