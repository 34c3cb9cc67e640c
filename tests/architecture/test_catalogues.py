"""Both languages are complete, and the catalogues are what the code says."""

import shutil

import pytest
from babel.messages.pofile import read_po

from config.extraction import LANGUAGES, REPOSITORY, update_catalogues


def messages(folder, language):
    with (folder / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return {
            (message.context, message.id): message for message in read_po(file, locale=language) if message.id
        }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_code_is_translated(language, tmp_path):
    folder = tmp_path / "locale"
    shutil.copytree(REPOSITORY / "locale", folder)
    update_catalogues(folder)

    fresh, kept = messages(folder, language), messages(REPOSITORY / "locale", language)

    assert sorted(str(key) for key in fresh.keys() ^ kept.keys()) == []
    untranslated = [key for key, message in kept.items() if not all(_texts(message)) or message.fuzzy]
    assert untranslated == []


def _texts(message):
    return message.string if isinstance(message.string, tuple | list) else (message.string,)
