from apps.tenancy.errors import DomainError


class NoPolicy(DomainError):
    """The institution has no scoring policy in force."""

    code = "no_policy"


class BatchUnfinished(DomainError):
    """The lines of a file are not all scored: there is no result."""

    code = "unfinished"


class ProposalDecided(DomainError):
    """A proposed policy was approved, rejected or withdrawn before."""

    code = "already_decided"


class ProposalPending(DomainError):
    """Another proposed policy waits for its second person."""

    code = "proposal_pending"


class TooManyScenarios(DomainError):
    """A file keeps four scenarios at most."""

    code = "too_many_scenarios"
