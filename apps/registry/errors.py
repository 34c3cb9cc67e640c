from apps.tenancy.errors import DomainError


class NoApprovedModel(DomainError):
    """No champion that may be used and loads: no score can be given."""

    code = "no_approved_model"


class ModelNotAllowed(DomainError):
    """A model may not take that step (a synthetic model outside demonstration, say)."""

    code = "model_not_allowed"
