"""The 54 attacks: which tests make each of them, and what the others wait for.

A wait holds a check that returns what has appeared meanwhile: then the attack must be written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models

from tests.isolation.doors import site_routes

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Wait:
    """What an attack waits for, and how its coming is seen."""

    what: str
    appeared: Callable[[], list[str]]


def route_with(*words: str) -> Callable[[], list[str]]:
    return lambda: [
        path
        for path, pattern in site_routes()
        if any(word in f"{path} {pattern.name or ''}".lower() for word in words)
    ]


def source_with(*words: str) -> Callable[[], list[str]]:
    def found() -> list[str]:
        files = [file for folder in ("apps", "config") for file in (ROOT / folder).rglob("*.py")]
        return [
            str(file.relative_to(ROOT)) for file in files if any(word in file.read_text() for word in words)
        ]

    return found


def file_fields() -> list[str]:
    return [
        str(field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.FileField)
    ]


def inlines() -> list[str]:
    return [str(page) for page in admin.site._registry.values() if page.inlines or page.save_as]


def watchers() -> list[str]:
    watching = ("sentry_sdk", "prometheus", "channels", "daphne")
    return [app for app in settings.INSTALLED_APPS if any(word in app for word in watching)]


EXPORTS = route_with("export", "csv", "xlsx", "pdf")
D, S, M, C = "test_doors", "test_sql", "test_mutations", "test_connections"
ROUTES = f"{D}::test_every_route_every_method"
QUERIES = f"{D}::test_every_route_every_query"
BODIES = f"{D}::test_every_api_route_with_foreign_references"
CHANGES = f"{D}::test_a_change_of_a_foreign_object_looks_like_a_change_of_none"
TWINS = f"{D}::test_a_foreign_object_looks_like_no_object"
LISTS = f"{D}::test_every_back_office_list"
OBJECTS = f"{D}::test_every_back_office_object"
STAMPS = f"{D}::test_every_task_refuses_a_message_without_its_own_stamp"
CHOICES = f"{D}::test_forms_neither_offer_nor_take_foreign_choices"
L = "test_later_doors"
TRAIL = f"{L}::test_the_trail_and_its_export_hold_one_institution"
EXPORTED = {
    "audit/export",
    "clients/<uuid:uid>/scores.csv",
    "modeles/<uuid:uid>/export",
    "modeles/<uuid:uid>/suivi.csv",
    "portefeuille.csv",
    "portefeuille/coherence.csv",
    "portefeuille/reperes.csv",
    "prospects.csv",
    "api/v1/models/<uuid:uid>/export",
}
OWN_FILES = f"{L}::test_exported_models_and_rows_left_out_hold_one_institution"
FIGURES = f"{L}::test_the_figures_of_a_model_hold_one_institution"
PORTFOLIO = f"{L}::test_the_files_of_the_portfolio_hold_one_institution"
SCORES = f"{L}::test_the_scores_of_a_client_hold_one_institution"
IMPORTED = f"{L}::test_a_file_that_names_the_other_institution_finds_and_changes_nothing"
exports = Wait("more exports", lambda: [path for path in EXPORTS() if path not in EXPORTED])
imports = Wait("uploads elsewhere", route_with("upload", "televers"))

#: Number of the attack -> tests that make it, or the wait.
ATTACKS: dict[int, list[str | Wait]] = {
    1: [TWINS],
    2: [TWINS, CHANGES],
    3: [BODIES, f"{D}::test_a_foreign_reference_looks_like_none"],
    4: [BODIES],
    5: [BODIES, f"{D}::test_a_list_of_changes_changes_nothing"],
    6: [QUERIES],
    7: [QUERIES],
    8: [QUERIES, f"{D}::test_a_foreign_reference_looks_like_none"],
    9: [QUERIES],
    10: [ROUTES, CHOICES],
    11: [OBJECTS],
    12: [f"{D}::test_every_autocomplete"],
    13: [LISTS],
    14: [f"{D}::test_every_back_office_action"],
    15: [LISTS, OBJECTS],
    16: [Wait("inline formsets", inlines)],
    17: [OBJECTS, Wait("save-as-new", inlines)],
    18: [f"{D}::test_a_fragment_is_no_other_door"],
    19: [
        TRAIL,
        f"{L}::test_an_export_of_rows_holds_one_institution",
        OWN_FILES,
        FIGURES,
        PORTFOLIO,
        SCORES,
        exports,
    ],
    20: [f"{L}::test_an_import_neither_reads_nor_writes_another_institution", IMPORTED, imports],
    21: [f"{L}::test_an_upload_of_another_institution_is_not_confirmed", TWINS, imports],
    22: [f"{L}::test_a_report_holds_one_institution"],
    23: [
        TRAIL,
        f"{L}::test_an_upload_of_another_institution_is_not_confirmed",
        exports,
        Wait("pages of jobs", route_with("job", "travaux", "tache")),
    ],
    24: [f"{D}::test_every_task_knows_nothing_of_foreign_objects"],
    25: [STAMPS, Wait("chains and chords", source_with("import chain", "import chord", "self.retry("))],
    26: [f"{D}::test_platform_tasks_take_no_arguments"],
    27: ["test_sessions::test_a_changed_token_opens_nothing"],
    28: [ROUTES],
    29: ["test_sessions::test_a_moved_member_sees_the_new_place_only"],
    30: [
        "test_sessions::test_pages_are_stored_nowhere",
        Wait("caches", source_with("cache_page", "django.core.cache")),
    ],
    31: [Wait("stored files", file_fields)],
    32: [TWINS, f"{S}::test_a_missing_and_a_foreign_reference_fail_alike"],
    33: [
        "test_timing::test_reading_tells_nothing_by_time",
        "test_timing::test_searching_tells_nothing_by_time",
    ],
    34: [OBJECTS, TWINS],
    35: [f"{S}::test_a_table_read_raw_shows_one_institution"],
    36: [f"{S}::test_a_statement_that_would_widen_its_sight_is_refused"],
    37: [
        f"{S}::test_a_table_read_without_a_scope_is_an_error",
        "test_catalogue::test_a_seeded_defect_is_caught",
    ],
    38: [f"{S}::test_a_row_of_another_institution_is_not_written", CHOICES],
    39: [f"{S}::test_a_reference_to_another_institution_is_refused"],
    40: [f"{S}::test_joins_and_unions_stay_inside"],
    41: [f"{S}::test_a_connection_used_again_after_an_error_has_no_scope"],
    42: [f"{C}::test_a_hundred_threads_on_persistent_connections"],
    43: [
        f"{S}::test_a_lazy_answer_read_after_its_scope_fails_loudly",
        f"{S}::test_a_streamed_answer_asks_the_database_nothing",
        Wait("answers that stream rows", source_with("StreamingHttpResponse")),
    ],
    44: [f"{S}::test_a_thread_of_a_scope_has_none_of_its_own", Wait("async views", source_with("async def"))],
    45: [f"{D}::test_every_command_is_known", f"{S}::test_a_table_read_without_a_scope_is_an_error"],
    46: [Wait("websockets and SSE", lambda: watchers() + source_with("text/event-stream")())],
    47: [
        LISTS,
        CHOICES,
        f"{L}::test_a_reset_asked_by_a_stranger_reaches_its_owner_only_and_tells_nothing",
        f"{L}::test_a_forged_invitation_or_reset_opens_nothing",
        f"{L}::test_an_administrator_does_not_change_a_member_of_another_institution",
    ],
    48: [
        TWINS,
        CHANGES,
        Wait("calls of a payment service", route_with("callback", "/payment", "paiement", "momo")),
    ],
    49: [Wait("impersonation", route_with("imperson", "incarn"))],
    50: [
        "test_sessions::test_a_suspended_institution_is_closed",
        f"{L}::test_a_suspended_institution_exports_nothing",
        f"{L}::test_a_suspended_institution_moves_no_files",
        exports,
    ],
    51: [f"{L}::test_a_backup_of_one_institution_holds_it_alone"],
    52: [
        ROUTES,
        f"{L}::test_metrics_are_closed_and_name_no_institution_and_nobody",
        Wait("Sentry", watchers),
    ],
    53: [
        f"{D}::test_reasons_of_the_platform_stay_with_the_platform",
        TRAIL,
        f"{L}::test_an_entry_of_the_other_institution_is_unknown",
    ],
    54: [f"{M}::test_without_a_lock_of_the_database_the_catalogue_check_fails"],
}
