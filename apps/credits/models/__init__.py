"""The tables of credit. Django looks for models here, so this package alone gives its names again."""

from apps.credits.models.applications import (
    UNDECIDED,
    VARIABLE_COLUMNS,
    ApplicationQuerySet,
    CreditApplication,
    PieceRequest,
)
from apps.credits.models.clients import Client, ClientQuerySet, DistinctClients
from apps.credits.models.dictionary import DictionaryRevision, DictionaryVariable
from apps.credits.models.imports import ImportChange, ImportChunk, ImportMapping, ImportRun
from apps.credits.models.ledger import Credit, CreditQuerySet, CreditStatement, Installment, Repayment
from apps.credits.models.securities import ExternalCredit, Guarantee

__all__ = [
    "UNDECIDED",
    "VARIABLE_COLUMNS",
    "ApplicationQuerySet",
    "Client",
    "ClientQuerySet",
    "Credit",
    "CreditApplication",
    "CreditQuerySet",
    "CreditStatement",
    "DictionaryRevision",
    "DictionaryVariable",
    "DistinctClients",
    "ExternalCredit",
    "Guarantee",
    "ImportChange",
    "ImportChunk",
    "ImportMapping",
    "ImportRun",
    "Installment",
    "PieceRequest",
    "Repayment",
]
