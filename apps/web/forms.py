"""What forms of several areas share: the refusals of services."""

from collections.abc import Mapping

from django import forms

from apps.tenancy.errors import DomainError


class ServiceForm(forms.Form):
    """A form whose values a service checks too."""

    use_required_attribute = False
    #: Field of a row -> field of the form, where the names differ.
    places: Mapping[str, str] = {}

    def refuse(self, refusal: DomainError) -> None:
        """Put a service's refusal beside its fields, or above the form."""
        for name, messages in refusal.fields.items():
            place = self.places.get(name, name)
            for message in messages:
                self.add_error(place if place in self.fields else None, message)
        if not refusal.fields:
            self.add_error(None, refusal.message)
