from apps.tenancy.errors import DomainError


class PdfUnavailable(DomainError):
    """The library that writes PDF, or Pango which it needs, is not on this machine."""

    code = "pdf_unavailable"


class ReportUnfinished(DomainError):
    """There is no file: the report is under way, has failed, or its time is over."""

    code = "unfinished"


class AlreadyTakesPart(DomainError):
    """The institution shares its figures for the benchmarks already."""

    code = "takes_part"


class TooManyLines(DomainError):
    """A list too long for one file."""

    code = "too_many_lines"
