from typing import Any

from rest_framework import serializers

from apps.api.fields import PlainBoolean, StrictSerializer, text
from apps.api.v1.pages import ListSerializer
from apps.institutions.models import Agency
from apps.tenancy.cursors import Order
from apps.users.enums import RoleChoices
from apps.users.models import Membership

_CODE = r"^[-a-zA-Z0-9_]+\Z"


class AgencyListSerializer(ListSerializer):
    """Filters of the agencies."""

    orders = {"code": Order("code", descending=False), "-code": Order("code")}

    is_active = PlainBoolean(required=False, help_text="Ouvertes (vrai) ou fermées (faux)")


class AgencyChangeSerializer(StrictSerializer):
    """Les champs à changer ; les autres restent."""

    code = serializers.RegexField(_CODE, max_length=40, help_text="Code, unique dans l'institution")
    name = serializers.CharField(max_length=120, help_text="Nom")
    city = serializers.CharField(max_length=80, help_text="Ville")
    region = text(40, help_text="Région")
    is_active = PlainBoolean(required=False, help_text="faux : l'agence est fermée")


class AgencySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()


def agency_body(agency: Agency) -> dict[str, Any]:
    """Return an agency."""
    names = ("code", "name", "city", "region", "is_active")
    return {"id": str(agency.uid), **{name: getattr(agency, name) for name in names}}


def new_agency() -> Agency:
    """Return an agency with nothing in it."""
    return Agency()


class UserListSerializer(ListSerializer):
    """Filters of the people."""

    orders = {
        "-created_at": Order("created_at"),
        "created_at": Order("created_at", descending=False),
    }

    role = serializers.ChoiceField(choices=RoleChoices.choices, required=False, help_text="Rôle")
    is_active = PlainBoolean(required=False, help_text="Accès ouvert (vrai) ou fermé (faux)")


class UserChangeSerializer(StrictSerializer):
    """Ce qui change ; toutes les sessions de la personne se ferment."""

    role = serializers.ChoiceField(choices=RoleChoices.choices, help_text="Rôle")
    is_active = PlainBoolean(required=False, help_text="faux : l'accès est fermé")
    agencies = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=200,
        help_text="Agences de la personne ; vide : toutes (un agent en a au moins une)",
    )


class NewUserSerializer(StrictSerializer):
    """Un compte et sa place dans l'institution."""

    email = serializers.EmailField(max_length=254, help_text="Adresse de connexion")
    full_name = serializers.CharField(max_length=120, help_text="Nom complet")
    password = serializers.CharField(
        max_length=128,
        trim_whitespace=False,
        style={"input_type": "password"},
        write_only=True,
        help_text="Premier mot de passe, 12 caractères au moins",
    )
    role = serializers.ChoiceField(choices=RoleChoices.choices, help_text="Rôle")
    agencies = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=200,
        help_text="Agences de la personne ; vide : toutes (un agent en a au moins une)",
    )


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    role = serializers.ChoiceField(choices=RoleChoices.choices)
    is_active = serializers.BooleanField()
    agencies = serializers.ListField(child=serializers.UUIDField(), help_text="Vide : toutes les agences")
    created_at = serializers.DateTimeField()


def user_body(membership: Membership) -> dict[str, Any]:
    """Return a person and their place in the institution."""
    user = membership.user
    return {
        "id": str(user.uid),
        "email": user.email,
        "full_name": user.full_name,
        "role": membership.role,
        "is_active": membership.is_active,
        "agencies": agencies_of(membership),
        "created_at": membership.created_at,
    }


def agencies_of(membership: Membership) -> list[str]:
    """Return the public identifiers of the agencies that a member is limited to."""
    return sorted(str(link.agency.uid) for link in membership.agency_links.all())
