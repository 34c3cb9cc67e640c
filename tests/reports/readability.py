"""How easily a text is read: words, sentences, syllables, counted as the index asks."""

import re
import unicodedata

#: A vowel as it is heard: « eau », « ou », « oi », « ai » are one syllable.
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")
_WORD = re.compile(r"[a-zàâäéèêëîïôöùûüçœæ]+", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?:;]+(?:\s|$)|\n")


def words_of(text):
    return _WORD.findall(unicodedata.normalize("NFC", text.lower()))


def french_syllables(word):
    """Count what is heard: a final « e », « es » or a verb's « ent » is silent, one syllable at least."""
    bare = word
    if len(bare) > 3:
        bare = re.sub(r"(?<=[^aeiouyéè])(e|es)$", "", bare)
    # i, u and y before another vowel glide into it, but for « ier », « tion » which are counted so too
    return max(1, len(_VOWELS.findall(bare)))


def sentences_of(text):
    return max(1, len([piece for piece in _SENTENCE.split(text) if words_of(piece)]))


def kandel_moles(text):
    """207 - 1.015 x words a sentence - 73.6 x syllables a word (Kandel and Moles, 1958)."""
    words = words_of(text)
    syllables = sum(french_syllables(word) for word in words)
    return 207 - 1.015 * len(words) / sentences_of(text) - 73.6 * syllables / len(words)


def flesch(text):
    """206.835 - 1.015 x words a sentence - 84.6 x syllables a word (Flesch, 1948)."""
    words = words_of(text)
    syllables = sum(
        max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e$", "", word)))) for word in words
    )
    return 206.835 - 1.015 * len(words) / sentences_of(text) - 84.6 * syllables / len(words)
