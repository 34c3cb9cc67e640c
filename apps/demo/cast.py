"""The fictional institutions and people of the demonstration."""

from dataclasses import dataclass

from apps.tenancy.roles import Role


@dataclass(frozen=True, slots=True)
class DemoInstitution:
    code: str
    name: str
    category: str
    licence: str
    language: str
    cities: tuple[tuple[str, str], ...]
    rows: int
    seed: int


INSTITUTIONS = (
    DemoInstitution(
        code="horizon",
        name="Horizon Microfinance S.A.",
        category="2",
        licence="N° 0000/DEMO (institution fictive)",
        language="fr",
        cities=(("Douala", "Littoral"), ("Yaoundé", "Centre"), ("Bafoussam", "Ouest"), ("Garoua", "Nord")),
        rows=12_000,
        seed=2026,
    ),
    DemoInstitution(
        code="ngwa",
        name="Ngwa Microfinance Ltd",
        category="2",
        licence="No. 0001/DEMO (fictional institution)",
        language="en",
        cities=(("Bamenda", "Nord-Ouest"), ("Buea", "Sud-Ouest")),
        rows=3_000,
        seed=2027,
    ),
)

#: Local part of the e-mail, role, full name at each institution.
PEOPLE: tuple[tuple[str, Role, dict[str, str]], ...] = (
    ("analyste", Role.ANALYSTE, {"horizon": "Aline Tchoumi", "ngwa": "Grace Ambe"}),
    ("agent", Role.AGENT, {"horizon": "Moussa Abbo", "ngwa": "Peter Fru"}),
    ("risques", Role.RESPONSABLE_RISQUES, {"horizon": "Serge Kamdem", "ngwa": "Comfort Ngum"}),
    ("risques2", Role.RESPONSABLE_RISQUES, {"horizon": "Estelle Mbarga", "ngwa": "Emmanuel Tabe"}),
    ("comite", Role.COMITE, {"horizon": "Jean-Paul Essomba", "ngwa": "Mary Enow"}),
    ("admin", Role.ADMINISTRATEUR, {"horizon": "Nadège Fotso", "ngwa": "Kenneth Achu"}),
    ("auditeur", Role.AUDITEUR, {"horizon": "Hamidou Bello", "ngwa": "Brenda Nkeng"}),
    ("commercial", Role.DIRECTEUR_COMMERCIAL, {"horizon": "Carine Ngono", "ngwa": "Julius Che"}),
    ("dpo", Role.DPO, {"horizon": "Olivier Ewane", "ngwa": "Sandra Bih"}),
)

#: Analysts of one agency each: local part of the e-mail, full name, city. Both of an agency decide each
#: other's files; one of them all is lenient, one severe.
AGENCY_ANALYSTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "horizon": (
        ("douala1", "Pauline Ekotto", "Douala"),
        ("douala2", "Thierry Moukoko", "Douala"),
        ("yaounde1", "Solange Atangana", "Yaoundé"),
        ("yaounde2", "Rodrigue Owona", "Yaoundé"),
        ("bafoussam1", "Mireille Tagne", "Bafoussam"),
        ("bafoussam2", "Franck Djoumessi", "Bafoussam"),
        ("garoua1", "Aïssatou Hamadou", "Garoua"),
        ("garoua2", "Ibrahim Sali", "Garoua"),
    ),
    "ngwa": (),
}
LENIENT, SEVERE = "douala2", "bafoussam2"

OPERATOR = ("operateur@credisense.demo", "Équipe CrediSense")
