"""Signatures of model folders: made at export, checked at import, told apart."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.translation import gettext

from apps.audit.models import AuditEntry
from apps.registry.errors import ModelRefused
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.registry.services.exporting import export_model
from apps.registry.services.importing import import_model
from apps.registry.services.signing import canonical, fingerprint
from tests.registry.grids import sent, unzipped, with_hashes, zipped
from tests.registry.test_importing import kept

pytestmark = pytest.mark.django_db

CHANGED = "The signature is not that of this folder: it was changed after it was signed."
UNREADABLE = "The signature cannot be read: export the folder again, or remove it from manifest.json."
ANOTHER_KEY = base64.urlsafe_b64encode(b"another platform's key, 32 bytes").decode()


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


@pytest.fixture
def exported(risks):
    """Return the files of the champion as they leave."""
    return unzipped(export_model(version=champion_for(), by=risks)[1])


def brought_in(files, by):
    """Import the files for another segment, where nothing has their name yet; return version and entry."""
    version = import_model(upload=sent(zipped(files)), by=by, segment="agricole")
    return version, AuditEntry.objects.get(action="model.import").after


def refused(files, by, message):
    before = kept()
    with pytest.raises(ModelRefused) as refusal:
        import_model(upload=sent(zipped(files)), by=by, segment="agricole")
    assert refusal.value.message == gettext(message)
    assert kept() == before


def manifest_of(files):
    return json.loads(files["manifest.json"])


def resigned(files, **changes):
    """Return the files with a changed manifest, signed by somebody else."""
    manifest = {**manifest_of(files), **changes}
    manifest.pop("signature")
    key = Ed25519PrivateKey.generate()
    value = key.sign(canonical(manifest))
    manifest["signature"] = {
        "algorithm": "ed25519",
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "value": base64.b64encode(value).decode(),
    }
    return {**files, "manifest.json": canonical(manifest)}


def test_anybody_can_check_a_signature(exported):
    manifest = manifest_of(exported)
    signature = manifest.pop("signature")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"]))

    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    public.verify(base64.b64decode(signature["value"]), text.encode())


def test_the_same_version_leaves_with_the_same_bytes(risks):
    assert len({export_model(version=champion_for(), by=risks)[1] for _each in range(2)}) == 1


def test_what_this_platform_signed_is_known_and_keeps_its_hash(risks, exported):
    public = base64.b64decode(manifest_of(exported)["signature"]["public_key"])

    version, entry = brought_in(exported, risks)

    assert version.signature == "platform"
    assert version.sha256 == champion_for().sha256
    assert (entry["signature"], entry["signing_key"]) == ("platform", fingerprint(public))
    assert unzipped(export_model(version=version, by=risks)[1]) == exported


def test_the_same_model_again_is_refused_with_its_signature_too(risks, exported):
    brought_in(exported, risks)

    refused(exported, risks, "This very model is in the registry already.")


def test_an_unsigned_folder_is_taken_and_leaves_unsigned(risks, exported):
    manifest = manifest_of(exported)
    del manifest["signature"]
    files = {**exported, "manifest.json": json.dumps(manifest).encode()}

    version, entry = brought_in(files, risks)

    assert (version.signature, entry["signature"], entry["signing_key"]) == ("none", "none", "")
    assert unzipped(export_model(version=version, by=risks)[1]) == files


def test_a_folder_signed_elsewhere_is_taken_told_apart_and_not_signed_again(risks, exported):
    files = resigned(exported, version="9")

    version, entry = brought_in(files, risks)

    assert (version.signature, entry["signature"]) == ("elsewhere", "elsewhere")
    assert entry["signing_key"] != fingerprint(
        base64.b64decode(manifest_of(exported)["signature"]["public_key"])
    )
    assert unzipped(export_model(version=version, by=risks)[1]) == files


def test_a_changed_manifest_with_its_old_signature_is_refused(risks, exported):
    manifest = {**manifest_of(exported), "metrics": {"auc": 0.99}}

    refused({**exported, "manifest.json": canonical(manifest)}, risks, CHANGED)


def test_a_changed_file_with_new_hashes_and_the_old_signature_is_refused(risks, exported):
    changed = {**exported, "card.md": b"# Another card\n"}

    refused(with_hashes(changed), risks, CHANGED)


def test_our_public_key_with_the_signature_of_another_is_refused(risks, exported):
    ours = manifest_of(exported)["signature"]["public_key"]
    manifest = manifest_of(resigned(exported))
    manifest["signature"]["public_key"] = ours

    refused({**exported, "manifest.json": canonical(manifest)}, risks, CHANGED)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "x",
        [],
        {"algorithm": "rsa", "public_key": "", "value": ""},
        {"algorithm": "ed25519", "public_key": 1, "value": ""},
        {"algorithm": "ed25519", "public_key": "é", "value": "_"},
    ],
)
def test_a_signature_that_cannot_be_read_is_refused(risks, exported, signature):
    manifest = {**manifest_of(exported), "signature": signature}

    refused({**exported, "manifest.json": canonical(manifest)}, risks, UNREADABLE)


@pytest.mark.parametrize(
    "signature", [{"public_key": "", "value": ""}, {"public_key": "AA==", "value": "AA=="}]
)
def test_a_signature_of_the_wrong_length_is_refused(risks, exported, signature):
    manifest = {**manifest_of(exported), "signature": {"algorithm": "ed25519", **signature}}

    refused({**exported, "manifest.json": canonical(manifest)}, risks, CHANGED)


def test_keys_rotate_without_breaking_what_was_signed(risks, exported, settings):
    before = manifest_of(exported)["signature"]["public_key"]
    settings.FIELD_ENCRYPTION_KEYS = [ANOTHER_KEY, *settings.FIELD_ENCRYPTION_KEYS]

    version, _entry = brought_in(exported, risks)
    again = manifest_of(unzipped(export_model(version=version, by=risks)[1]))

    assert version.signature == "platform"
    assert again["signature"]["public_key"] != before


def test_a_key_that_is_gone_is_not_this_platforms_any_more(risks, exported, settings):
    settings.FIELD_ENCRYPTION_KEYS = [ANOTHER_KEY]

    version, _entry = brought_in(exported, risks)

    assert version.signature == "elsewhere"
    assert ModelVersion.objects.get(pk=version.pk).signature == "elsewhere"


def test_the_private_key_is_not_the_key_of_fields(settings, exported):
    secret = base64.urlsafe_b64decode(settings.FIELD_ENCRYPTION_KEYS[0])
    naive = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    assert base64.b64decode(manifest_of(exported)["signature"]["public_key"]) != naive
