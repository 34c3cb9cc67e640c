from apps.tenancy.errors import DomainError


class JobNotChangeable(DomainError):
    """The job's state does not allow what is asked: it has ended, or has not."""

    code = "job_not_changeable"


class JobStopped(Exception):
    """The worker no longer holds the job: cancelled, suspended or taken over. Its chunk is undone."""
