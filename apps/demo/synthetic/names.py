"""Family and given names heard in Cameroon, by region; people are drawn from them at random."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILY_NAMES: dict[str, tuple[str, ...]] = {
    "littoral": _listed(
        "Ekwalla Moukoko Ndoumbe Ebongue Dikongue Mbappe Ngando Mouelle Epee Ewane Moudio Njoh Etame "
        "Ebelle Mpondo Ekambi Priso Ngosso Bilong Mbock Nyobe Bayiha Ngo-Bassa Njock Matip Yetna Ndjock"
    ),
    "centre": _listed(
        "Atangana Mbarga Essomba Onana Ngono Abena Fouda Owono Ondoa Ateba Etoundi Belinga Mvondo Zambo "
        "Nkoulou Ebanga Messina Ndongo Eyenga Bidzogo Amougou Manga Tsala Edzoa Medjo Assiga Oyono "
        "Minkoulou"
    ),
    "ouest": _listed(
        "Tchinda Fotso Kamga Ngueleu Nguimfack Djoumessi Talla Kengne Tagne Simo Nana Wafo Tchoumi "
        "Fokou Kuate Mbouda Djeukam Noubissi Tchuente Sokoudjou Ngassam Feudjio Zebaze Tsafack Takam "
        "Momo Njoya Mfopou Nchare Pountougnigni Mouafo Youmbi"
    ),
    "nord": _listed(
        "Bouba Hamadou Oumarou Abdoulaye Saïdou Ousmanou Alioum Djibrilla Yaya Haman Bello Dairou Sali "
        "Moussa Iyawa Baba Adamou Aboubakar Issa Mahamat Nassourou Wassili Kodji Dourwe Tizi Gonondo "
        "Palai Vondou"
    ),
    "anglophone": _listed(
        "Ngwa Tabi Fon Ndifor Nkwenti Achu Tanyi Ambe Che Neba Suh Awah Ngum Fru Mbah Ndip Ayuk Enow "
        "Ebot Ashu Mokake Ewusi Lyonga Molua Efange Ndumbe Besong Agbor Takang Bih Lum Sirri Nfor Kum"
    ),
}

CHRISTIAN_WOMEN = _listed(
    "Marie Jeanne Solange Clarisse Brigitte Estelle Nadège Carine Sandrine Bernadette Pauline "
    "Thérèse Hortense Mireille Josiane Odette Viviane Chantal Félicité Rosalie Edwige Sylvie "
    "Laurence Gisèle Blandine Honorine Delphine Élise Géraldine Yvette Aurélie Christelle Flore "
    "Madeleine Colette Adèle"
)
CHRISTIAN_MEN = _listed(
    "Jean Pierre Paul Joseph Emmanuel Martin Serge Alain Bertrand Hervé Rodrigue Thierry Gaston "
    "Armand Blaise Cyrille Dieudonné Fabrice Guy Hilaire Innocent Landry Maurice Narcisse Olivier "
    "Patrice Romuald Stéphane Valère Yannick Zacharie Christian Donatien Ernest Ferdinand Germain"
)
ENGLISH_WOMEN = _listed(
    "Grace Comfort Mercy Patience Beatrice Florence Blessing Irene Josephine Vera Delphine Gladys "
    "Emilia Quinta Relindis Perpetua Stella Prudencia Evelyn Bridget Magdalene Caroline"
)
ENGLISH_MEN = _listed(
    "Emmanuel Divine Collins Elvis Kingsley Clement Godlove Julius Valentine Cletus Denis Ernest "
    "Fidelis George Henry Isaac Lawrence Marcel Nelson Oliver Peter Terence"
)
MUSLIM_WOMEN = _listed(
    "Aïssatou Fadimatou Mariam Hadja Ramatou Aminatou Djamila Salamatou Zeinabou Asta Habiba Hawaou "
    "Maïmouna Nafissatou Oumoul Rabiatou Saadatou Yasmine Bintou Didja"
)
MUSLIM_MEN = _listed(
    "Ibrahim Mohamadou Souleymanou Abdou Ismaïla Amadou Idrissou Abbo Bachirou Daouda Garba Hassan "
    "Youssoufa Mamoudou Nouhou Ramadan Seïni Tidjani Umarou Ahmadou"
)

# (women, men) by group of family names
GIVEN_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "littoral": (CHRISTIAN_WOMEN, CHRISTIAN_MEN),
    "centre": (CHRISTIAN_WOMEN, CHRISTIAN_MEN),
    "ouest": (CHRISTIAN_WOMEN, CHRISTIAN_MEN),
    "nord": (MUSLIM_WOMEN, MUSLIM_MEN),
    "anglophone": (ENGLISH_WOMEN, ENGLISH_MEN),
}
