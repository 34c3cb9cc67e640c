"""Models from outside: a zip of a declarative folder or a scorecard in JSON; nothing that runs code.

A file is read in memory under limits, rebuilt, replayed on its golden rows, and only then kept. What is
refused leaves nothing behind.
"""

import hashlib
import io
import json
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.queries.dictionary import dictionary_in_force, known_variables, model_dictionary
from apps.engine.dictionary import STANDARD
from apps.engine.expert import ExpertCard, ScorecardRefused, card_from, parse_scorecard
from apps.institutions.queries import get_institution
from apps.registry.enums import GENERAL_SEGMENT, ModelOrigin, ModelSignature, ModelStatus, TrainingData
from apps.registry.errors import ModelRefused
from apps.registry.models import LONGEST_NAME, LONGEST_VERSION, ModelVersion
from apps.registry.services.gates import measure
from apps.registry.services.signing import Signed, canonical, check, unsigned
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.four_eyes import require_member
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from apps.engine.model import Artefact

MOST_BYTES = 16 * 1024 * 1024
MOST_UNPACKED = 64 * 1024 * 1024
MOST_FILES = 40
#: JSON and CSV shrink to a tenth; a bomb to a thousandth.
MOST_RATIO = 100
MOST_TREES = 10_000
MOST_NODES = 300_000
_BLOCK = 1 << 16
_LARGEST = 1e15
_DAY = re.compile(r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.(json|md|csv)\Z")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}\Z")
_PRINTABLE = re.compile(r"[\w][\w .+-]*\Z")
#: Endings of files of objects or programs.
_PROGRAMS = re.compile(
    r"\.(pkl|pickle|joblib|dill|cloudpickle|skops|sav|npy|npz|pt|pth|ckpt|bin|h5|hdf5|keras|pb|onnx|pmml"
    r"|py|pyc|so|dll|exe|sh|bat|jar|rds|rdata)\Z",
    re.IGNORECASE,
)
#: What a broken or crafted zip makes the reader raise.
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, KeyError),
)
#: Names of a model folder; the engine, which is slow to load, has the same.
MANIFEST, SCORECARDS = "manifest.json", "scorecards.json"
_ZIP = b"PK\x03\x04"
_UNSIGNED = Signed(ModelSignature.NONE)


def import_model(*, upload: BinaryIO, by: Actor, segment: str = GENERAL_SEGMENT) -> ModelVersion:
    """Keep a model received as a zip or as a scorecard in JSON; it is a candidate, never in production.

    Raises ``NotAllowed``, ``InvalidValues`` for the segment, or ``ModelRefused`` with what to do instead.
    """
    _require(by, segment)
    content = upload.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ModelRefused(_("The file is larger than 16 MB: a model folder holds JSON, CSV and text only."))
    _refuse_programs(getattr(upload, "name", "") or "", content)
    if content.startswith(_ZIP):
        return _keep_folder(_unpacked(content), by=by, segment=segment)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        card = _declared(content)
        return _keep_card(card, by=by, segment=segment, origin=ModelOrigin.IMPORTED)
    raise ModelRefused(_("This file is neither a zip of a model folder nor a scorecard in JSON."))


def import_scorecard(*, document: Any, by: Actor, segment: str = GENERAL_SEGMENT) -> ModelVersion:
    """Keep a scorecard given as a JSON document; raise as ``import_model`` does."""
    _require(by, segment)
    return _keep_card(_checked(document), by=by, segment=segment, origin=ModelOrigin.IMPORTED)


def write_scorecard(*, card: ExpertCard, by: Actor, segment: str = GENERAL_SEGMENT) -> ModelVersion:
    """Keep a scorecard of the editor as a new version; raise as ``import_model`` does."""
    _require(by, segment)
    return _keep_card(card, by=by, segment=segment, origin=ModelOrigin.WRITTEN)


def next_version(name: str) -> str:
    """Return the first whole number that no version of that name has."""
    taken = ModelVersion.objects.filter(name=name).values_list("version", flat=True)
    return str(max((int(each) for each in taken if each.isdecimal()), default=0) + 1)


def scorecard_message(refusal: ScorecardRefused) -> str:
    """Return why a scorecard cannot be used, and what to do."""
    about = known_variables([refusal.about])[refusal.about].label_fr
    texts = {
        "json": _("The file is no valid JSON text: check its commas, quotes and brackets."),
        "format": _("The scorecard must say “format”: “scorecard-1”."),
        "unknown_key": _("“%(about)s” is no field of a scorecard."),
        "name": _("Give a name in small letters, digits and hyphens, 60 characters at most."),
        "version": _("Give a version in digits, small letters, dots and hyphens, 16 characters at most."),
        "declared_rate": _("Give the declared default rate as a number between 0 and 1."),
        "variables": _("A scorecard holds between 1 and 40 variables."),
        "repeated": _("“%(about)s” stands there twice."),
        "unknown_variable": _("“%(about)s” is no variable of the dictionary."),
        "sensitive": _("“%(about)s” serves to check fairness only: no model may use it."),
        "codes": _("“%(about)s”: give the points of each code of the list, and of no other."),
        "bins": _("“%(about)s”: give one more number of points than there are limits."),
        "cuts": _("“%(about)s”: limits must rise, within what the variable may hold, 12 at most."),
        "points": _("“%(about)s”: points are whole numbers between -400 and 400."),
    }
    return texts[refusal.code] % {"about": about}


def _require(by: Actor, segment: str) -> None:
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    if not isinstance(segment, str) or segment not in {GENERAL_SEGMENT, *STANDARD["type_credit"].codes}:
        message = _("Choose all loans or a type of loan.")
        raise InvalidValues(message, fields={"segment": [message]})


def _refuse_programs(name: str, content: bytes) -> None:
    """Refuse what would run code when it is opened, by its name and by its first bytes."""
    pickled = content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05"
    if _PROGRAMS.search(name) or pickled or content[:2] in {b"\x1f\x8b", b"\x78\x9c", b"MZ"}:
        _refuse_program()


def _refuse_program() -> NoReturn:
    raise ModelRefused(
        _(
            "Files of Python objects (pickle, joblib, skops…) and programs are refused: opening one can run "
            "its code. Export the model as a folder of JSON and CSV files, write it as a scorecard, or train "
            "it here on your own history."
        )
    )


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip by name, within every limit; nothing is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_sizes(entries)
            names = _plain_names(entries)
            return {names[entry.filename]: _content(archive, entry) for entry in entries}
    except _DAMAGED as error:
        raise ModelRefused(_("This zip is damaged or written in a way that is not known.")) from error


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise ModelRefused(_("This zip holds too many files: a model folder has 40 at most."))
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(packed, 1):
        raise ModelRefused(_("Unpacked, this zip would be larger than a model can be."))
    if any(entry.flag_bits & 1 for entry in entries):
        raise ModelRefused(_("This zip is protected by a password: send it without one."))


def _plain_names(entries: list[zipfile.ZipInfo]) -> dict[str, str]:
    """Return entry -> name; all stand at the top, or all in one folder."""
    found: dict[str, str] = {}
    tops = set()
    for entry in entries:
        top, separator, name = entry.filename.rpartition("/")
        tops.add(top)
        if _PROGRAMS.search(name):
            _refuse_program()
        plain = stat.S_IFMT(entry.external_attr >> 16) in {0, stat.S_IFREG}
        if not plain or not _NAME.match(name) or (separator and not _FOLDER.match(top)):
            shown = entry.filename[:80].encode("ascii", "replace").decode()
            raise ModelRefused(
                _("“%(name)s” has no place in a model folder: JSON, CSV and text files only, no paths.")
                % {"name": shown}
            )
        found[entry.filename] = name
    if len(tops) > 1 or len(set(found.values())) != len(entries) or not entries:
        raise ModelRefused(_("The files of the zip must stand together, each name once."))
    return found


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read one file; what holds more than it declares is refused as it is read."""
    read = io.BytesIO()
    with archive.open(entry) as opened:
        while block := opened.read(_BLOCK):
            if read.tell() + len(block) > entry.file_size:
                raise zipfile.BadZipFile
            read.write(block)
    return read.getvalue()


def _declared(content: bytes) -> ExpertCard:
    try:
        return parse_scorecard(content, dictionary_in_force())
    except ScorecardRefused as refusal:
        raise ModelRefused(scorecard_message(refusal)) from None


def _checked(document: Any) -> ExpertCard:
    try:
        return card_from(document, dictionary_in_force())
    except ScorecardRefused as refusal:
        raise ModelRefused(scorecard_message(refusal)) from None


def _keep_card(card: ExpertCard, *, by: Actor, segment: str, origin: ModelOrigin) -> ModelVersion:
    from apps.engine.expert_folder import expert_files

    return _keep(expert_files(card, dictionary_in_force()), by=by, segment=segment, origin=origin)


def _keep_folder(files: Mapping[str, bytes], *, by: Actor, segment: str) -> ModelVersion:
    if MANIFEST not in files:
        raise ModelRefused(_("The zip holds no manifest.json: export the model from the page of a version."))
    manifest = _object(files[MANIFEST])
    _check_hashes(manifest, files)
    signed = check(manifest)
    if signed.signature == ModelSignature.PLATFORM:
        files = {**files, MANIFEST: canonical(unsigned(manifest))}
    _check_variables(manifest)
    _check_trees(manifest, files)
    if manifest.get("training_data") == TrainingData.EXPERT:
        _check_declaration(manifest, files)
    return _keep(files, by=by, segment=segment, origin=ModelOrigin.IMPORTED, signed=signed)


def _check_hashes(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Refuse files that are not those of the manifest: the folder may stand there already."""
    listed = manifest.get("files")
    if not isinstance(listed, dict) or {*listed, MANIFEST} != files.keys():
        raise ModelRefused(_("The files of the zip are not those that the manifest lists."))
    if any(hashlib.sha256(files[name]).hexdigest() != told for name, told in listed.items()):
        raise ModelRefused(_("A file is not the one that the manifest lists: its hash differs."))


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ModelRefused(
            _("manifest.json cannot be read: it is no JSON object, or holds what is no number.")
        )
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _check_variables(manifest: Mapping[str, Any]) -> None:
    """Refuse variables that the dictionary does not know, or knows otherwise."""
    entries = manifest.get("variables")
    if not isinstance(entries, list) or not entries:
        raise ModelRefused(_("manifest.json does not list the variables of the model."))
    known, allowed = dictionary_in_force(), model_dictionary()
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in known:
            told = {"name": str(name)[:60]}
            raise ModelRefused(_("“%(name)s” is no variable of the dictionary.") % told)
        if name not in allowed:
            raise ModelRefused(
                _("“%(about)s” serves to check fairness only: no model may use it.")
                % {"about": known[name].label_fr}
            )
        if _shape(entry) != _shape(known[name].as_dict()):
            told = {"name": known[name].label_fr}
            raise ModelRefused(_("“%(name)s” is not what the dictionary says of it.") % told)


def _shape(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what must be the same for numbers to mean the same; labels and spellings may differ."""
    categories = entry.get("categories")
    codes = (
        [each.get("code") for each in categories if isinstance(each, dict)]
        if isinstance(categories, list)
        else None
    )
    return (*(entry.get(key) for key in ("type", "unit", "direction", "sensitivity")), codes)


def _check_trees(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Count trees and nodes before anything is built of them."""
    folds = manifest.get("folds")
    if not isinstance(folds, int) or isinstance(folds, bool) or not 0 < folds <= MOST_FILES:
        raise ModelRefused(_("manifest.json does not say how many folds the model has."))
    trees = nodes = 0
    for fold in range(1, folds + 1):
        for tree in _trees(files.get(f"trees-{fold}.json", b"")):
            trees += 1
            nodes += len(tree) if isinstance(tree, list) else MOST_NODES
            if trees > MOST_TREES or nodes > MOST_NODES:
                raise ModelRefused(_("The model has more trees or nodes than can be scored with."))


def _trees(content: bytes) -> list[Any]:
    try:
        document = json.loads(content.decode("utf-8"))
        found = document["learner"]["gradient_booster"]["model"]["trees"]
        return [tree["left_children"] for tree in found]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelRefused(_("The trees of the model cannot be read.")) from None


def _check_declaration(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Refuse a scorecard whose tables are not those of its declaration."""
    from apps.engine.expert_folder import expert_files

    rebuilt = expert_files(_checked(manifest.get("scorecard")), dictionary_in_force())
    for name in (SCORECARDS, "trees-1.json"):
        if files.get(name) is None or _same(files[name], rebuilt[name]) is False:
            raise ModelRefused(_("The tables of the scorecard are not those of its declaration."))
    if manifest.get("calibration") != _object(rebuilt[MANIFEST])["calibration"]:
        raise ModelRefused(_("The tables of the scorecard are not those of its declaration."))


def _same(content: bytes, rebuilt: bytes) -> bool:
    try:
        return bool(json.loads(content) == json.loads(rebuilt))
    except (ValueError, RecursionError):
        return False


@transaction.atomic
def _keep(
    files: Mapping[str, bytes], *, by: Actor, segment: str, origin: ModelOrigin, signed: Signed = _UNSIGNED
) -> ModelVersion:
    """Write the folder, read it back, and add its row; both or neither."""
    manifest = _object(files[MANIFEST])
    sha256 = hashlib.sha256(files[MANIFEST]).hexdigest()
    if ModelVersion.objects.filter(sha256=sha256, segment=segment).exists():
        raise ModelRefused(_("This very model is in the registry already."))
    _check_identity(manifest.get("name"), manifest.get("version"), segment)
    folder = _folder(by) / sha256
    new = not folder.exists()
    artefact = _stored(folder, files, sha256)
    try:
        with transaction.atomic():
            row = _row(artefact, by=by, segment=segment, origin=origin, signed=signed)
    except BaseException:
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return row


def _check_identity(name: Any, version: Any, segment: str) -> None:
    for text, longest in ((name, LONGEST_NAME), (version, LONGEST_VERSION)):
        if not isinstance(text, str) or len(text) > longest or not _PRINTABLE.match(text):
            raise ModelRefused(_("The model gives no usable name and version."))
    if ModelVersion.objects.filter(name=name, version=version, segment=segment).exists():
        told = {"name": name, "version": version}
        raise ModelRefused(
            _("“%(name)s”, version %(version)s, is in the registry already: change the version.") % told
        )


def _stored(folder: Path, files: Mapping[str, bytes], sha256: str) -> "Artefact":
    from apps.engine.folders import ArtefactRefused, read, store_files

    try:
        if not folder.exists():
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            store_files(folder, files)
        return read(folder, expected_sha256=sha256)
    except (ArtefactRefused, MemoryError) as refusal:
        told = {"reason": getattr(refusal, "reason", "memory")}
        raise ModelRefused(_refusal_text(told["reason"])) from refusal


def _refusal_text(reason: str) -> str:
    """Return the engine's reason in the caller's words; what has none is said as the engine does."""
    known = (
        ("golden rows do not", _("The golden rows do not give the probabilities written beside them.")),
        ("too few golden", _("golden.csv must hold 20 rows at least.")),
        ("lacks its scorecards", _("scorecards.json, golden.csv or card.md is missing.")),
        ("format is not known", _("The format of this model folder is not known.")),
        ("what kind of data", _("The manifest does not say what kind of data the model was trained on.")),
        ("name or version", _("The model gives no usable name and version.")),
        ("usable number", _("A node of a tree holds what is no number.")),
    )
    for sign, text in known:
        if sign in reason:
            return text
    return _("The model cannot be rebuilt: %(reason)s") % {"reason": reason[:200]}


def _row(
    artefact: "Artefact", *, by: Actor, segment: str, origin: ModelOrigin, signed: Signed
) -> ModelVersion:
    manifest = artefact.manifest
    row = ModelVersion.objects.create(
        name=artefact.name,
        version=artefact.version,
        sha256=artefact.sha256,
        training_data=artefact.kind,
        trained_at=timezone.now(),
        metrics=_plain_metrics(manifest.get("metrics")),
        period=_period(manifest.get("training_period")),
        segment=segment,
        status=ModelStatus.CANDIDATE,
        origin=origin,
        signature=signed.signature,
        created_by_id=by.person_id,
    )
    row.metrics = {**row.metrics, "own": measure(row)}
    row.save(update_fields=["metrics"])
    after = {"name": row.name, "version": row.version, "sha256": row.sha256, "segment": segment}
    if origin == ModelOrigin.WRITTEN:
        record(by=by, action="model.write", target=row, after=after)
    else:
        told = {"signature": str(signed.signature), "signing_key": signed.key}
        record(by=by, action="model.import", target=row, after={**after, **told})
    return row


def _plain_metrics(told: Any) -> dict[str, float]:
    """Return the figures that a manifest claims; never what gates are judged on."""
    if not isinstance(told, dict):
        return {}
    return {
        str(name)[:40]: value
        for name, value in list(told.items())[:60]
        if name not in {"own", "gates", "run"}
        and isinstance(value, (int, float))
        and -_LARGEST < value < _LARGEST
    }


def _period(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    return {name: str(told[name]) for name in ("from", "to") if _DAY.match(str(told.get(name, "")))}


def _folder(by: Actor) -> Path:
    uid = get_institution(by.institution).uid
    return Path(settings.INSTITUTION_FILES_DIR) / str(uid) / "models"
