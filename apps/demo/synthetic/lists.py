"""Codes of the variable dictionary in the order of their integer index, and what goes with each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def objects(values: Sequence[str | None]) -> NDArray[np.object_]:
    """Hold texts as plain objects: numpy would cut them to a width, and has no ``None`` among strings."""
    return np.array(values, dtype=object)


UNKNOWN = objects([None])

CONTRACTS = ("CDI", "CDD", "Indépendant", "Informel")
CDI, CDD, INDEPENDENT, INFORMAL = range(4)

TYPES = ("fonds_de_roulement", "consommation", "scolaire", "agricole", "equipement", "habitat")
WORKING_CAPITAL, CONSUMER, SCHOOL, FARM, EQUIPMENT, HOUSING = range(6)

SITUATIONS = ("celibataire", "marie", "union_libre", "divorce", "veuf")

SECTORS = (
    "commerce",
    "agriculture",
    "moto_taxi",
    "artisanat",
    "restauration",
    "elevage",
    "transport",
    "btp",
    "services",
    "enseignement",
    "sante",
    "fonction_publique",
    "industrie",
    "securite",
)
COMMERCE, AGRICULTURE, MOTO_TAXI = 0, 1, 2
LIVESTOCK = SECTORS.index("elevage")

# (women, men) by sector
JOBS: dict[str, tuple[str, str]] = {
    "commerce": ("Commerçante", "Commerçant"),
    "agriculture": ("Agricultrice", "Agriculteur"),
    "moto_taxi": ("Conductrice de moto-taxi", "Conducteur de moto-taxi"),
    "artisanat": ("Couturière", "Menuisier"),
    "restauration": ("Restauratrice", "Restaurateur"),
    "elevage": ("Éleveuse de volaille", "Éleveur"),
    "transport": ("Gérante de transport", "Chauffeur"),
    "btp": ("Technicienne du bâtiment", "Maçon"),
    "services": ("Secrétaire", "Informaticien"),
    "enseignement": ("Enseignante", "Enseignant"),
    "sante": ("Infirmière", "Infirmier"),
    "fonction_publique": ("Agente de l'État", "Agent de l'État"),
    "industrie": ("Ouvrière d'usine", "Ouvrier d'usine"),
    "securite": ("Agente de sécurité", "Agent de sécurité"),
}

PURPOSES_FR: dict[str, tuple[str, ...]] = {
    "fonds_de_roulement": (
        "Achat de marchandises pour la boutique",
        "Réapprovisionnement du stock avant les fêtes",
        "Achat de tissus et de fournitures",
        "Constitution d'un stock de vivres frais",
        "Achat de pièces détachées à revendre",
        "Trésorerie de l'activité",
    ),
    "consommation": (
        "Équipement ménager",
        "Frais médicaux d'un proche",
        "Cérémonie familiale",
        "Achat d'un réfrigérateur et d'un téléviseur",
        "Dépenses de fin d'année",
    ),
    "scolaire": (
        "Frais de scolarité de la rentrée",
        "Pension et fournitures de trois enfants",
        "Inscription à l'université",
        "Frais d'examen et d'internat",
    ),
    "agricole": (
        "Semences et engrais pour la campagne de maïs",
        "Intrants pour la campagne de coton",
        "Préparation d'un champ de pommes de terre",
        "Achat de poussins et d'aliments",
        "Location d'un terrain et main-d'œuvre",
    ),
    "equipement": (
        "Achat d'une moto",
        "Machine à coudre industrielle",
        "Congélateur pour la poissonnerie",
        "Moulin à écraser",
        "Groupe électrogène pour l'atelier",
    ),
    "habitat": (
        "Toiture et finitions de la maison",
        "Achat de parpaings et de ciment",
        "Construction de deux chambres",
        "Forage et adduction d'eau",
    ),
}

PURPOSES_EN: dict[str, tuple[str, ...]] = {
    "fonds_de_roulement": (
        "Goods for the shop",
        "Restocking before the holidays",
        "Fabrics and haberdashery",
        "A stock of fresh food",
        "Spare parts for resale",
        "Working cash of the business",
    ),
    "consommation": (
        "Household equipment",
        "Medical costs of a relative",
        "Family ceremony",
        "A refrigerator and a television",
        "End-of-year expenses",
    ),
    "scolaire": (
        "School fees of the new term",
        "Boarding and supplies of three children",
        "University registration",
        "Examination and boarding fees",
    ),
    "agricole": (
        "Seeds and fertiliser for the maize season",
        "Inputs for the cotton season",
        "Preparing a potato field",
        "Chicks and feed",
        "Renting land and hiring hands",
    ),
    "equipement": (
        "A motorcycle",
        "An industrial sewing machine",
        "A freezer for the fish shop",
        "A grinding mill",
        "A generator for the workshop",
    ),
    "habitat": (
        "Roof and finishing of the house",
        "Cement blocks and cement",
        "Two more bedrooms",
        "A borehole and piped water",
    ),
}

#: What people ask for, in the language of their institution; as many texts in each, in the same order.
PURPOSES = {"fr": PURPOSES_FR, "en": PURPOSES_EN}
