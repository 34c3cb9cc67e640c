from apps.tenancy.errors import DomainError


class NoApprovedModel(DomainError):
    """No champion that may be used and loads: no score can be given."""

    code = "no_approved_model"


class ModelNotAllowed(DomainError):
    """A model may not take that step (a synthetic model outside demonstration, say)."""

    code = "model_not_allowed"


class ModelRefused(DomainError):
    """A file that is no model this platform takes; nothing of it is kept."""

    code = "model_refused"


class GateFailed(DomainError):
    """A gate before production is not passed, or its explanation is missing."""

    code = "gate_failed"


class PromotionClosed(DomainError):
    """A promotion that was decided already, or another one that is open for the same segment."""

    code = "promotion_closed"


class TrainingRefused(DomainError):
    """A history on which nothing can be learnt, or not that."""

    code = "training_refused"


class TrainingInterrupted(DomainError):
    """A worker that was stopped in the middle of a run: nothing of it is kept."""

    code = "training_interrupted"
