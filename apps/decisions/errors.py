from apps.tenancy.errors import DomainError, NotAllowed


class OwnFile(NotAllowed):
    """Who entered, sent or completed a file never decides it."""

    code = "own_file"


class OwnDecision(NotAllowed):
    """Who decided does not review that decision."""

    code = "own_decision"


class AboveLimit(NotAllowed):
    """The amount is above what the role may decide, or the role has no limit: the file waits."""

    code = "above_limit"


class ScoreMissing(DomainError):
    """There is no score of today's values: the file is scored first."""

    code = "score_missing"


class ScoreOutdated(DomainError):
    """Values of the file have changed since it was scored: it is scored again first."""

    code = "score_outdated"


class OverridePending(DomainError):
    """Somebody asked to go against the advice: a second person answers before anything else is decided."""

    code = "override_pending"


class OverrideAnswered(DomainError):
    """The request to go against the advice was answered, withdrawn or lapsed before."""

    code = "already_decided"


class ReviewOpen(DomainError):
    """The client's request for another look is being handled already."""

    code = "review_open"


class ReviewAnswered(DomainError):
    """The client's request was answered before."""

    code = "already_decided"


class MotiveExists(DomainError):
    """A motive with this code exists for the same kind of decision."""

    code = "motive_exists"
