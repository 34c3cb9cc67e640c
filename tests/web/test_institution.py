"""The logo of an institution: sent by its administrator, judged by content, on its documents only."""

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from django.utils.translation import gettext
from PIL import Image, PngImagePlugin

from apps.audit.models import AuditEntry
from apps.institutions.models import Institution
from apps.institutions.queries import logo_of
from apps.institutions.services import remove_logo, set_logo
from apps.institutions.validators import LARGEST_BYTES, LARGEST_KEPT
from apps.reports.renderers import pdf
from apps.reports.services.making import ask_report, make_at_once, wish_for
from apps.scoring.models import Prediction
from apps.tenancy.errors import NotAllowed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

PAGE, LOGO, REMOVE = "/institution", "/institution/logo", "/institution/logo/retirer"
SECRET = b"Taken at 4.0511 N, 9.7679 E"


@pytest.fixture
def admin(page):
    return page("admin@horizon.demo")


def picture(kind="PNG", size=(600, 200), *, mode="RGB", colour=(200, 30, 40), **more):
    target = BytesIO()
    Image.new(mode, size, colour).save(target, kind, **more)
    return target.getvalue()


def send(client, content, captured, *, name="logo.png", kind="image/png"):
    with captured(execute=True):
        return client.post(PAGE, {"logo": SimpleUploadedFile(name, content, kind)})


def kept(code="horizon"):
    return logo_of(Institution.objects.get(code=code))


def entries(world, action):
    with world.scope():
        return list(AuditEntry.objects.filter(action=action).values_list("before", "after"))


def png_of_size(width, height):
    """Return a PNG that says its size and holds no pixel: decoding it is what must not be tried."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_logo_is_sent_shown_and_removed(world, admin, django_capture_on_commit_callbacks):
    first = admin.get(PAGE).content.decode()
    assert "Aucun logo" in first or "No logo" in first
    assert admin.get(LOGO).status_code == 404

    answer = send(admin, picture(), django_capture_on_commit_callbacks)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    shown = admin.get(LOGO)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert shown["Cache-Control"] == "private, no-store"
    assert Image.open(BytesIO(shown.content)).getpixel((10, 10)) == (200, 30, 40)
    assert f'src="{LOGO}?v=' in admin.get(PAGE).content.decode()
    assert kept().stat().st_mode & 0o777 == 0o600

    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post(REMOVE).status_code == 302
    assert (kept(), admin.get(LOGO).status_code) == (None, 404)
    ((before, after),) = entries(world, "institution.logo")
    assert (before, after["width"], after["height"]) == (None, 600, 200)
    assert entries(world, "institution.logo_remove") == [({"sha256": after["sha256"]}, None)]
    assert admin.post(REMOVE).status_code == 302
    assert len(entries(world, "institution.logo_remove")) == 1


OTHER = "This file is neither a PNG nor a JPEG picture."
DAMAGED = "This picture is damaged: save it again and send it."
PIXELS = "This picture has too many pixels: %(side)d a side at most."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", OTHER),
        (picture("GIF"), OTHER),
        (picture("WEBP"), OTHER),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", DAMAGED),
        (picture()[:200], DAMAGED),
        (picture("JPEG")[:100], DAMAGED),
        (png_of_size(50_000, 50_000), PIXELS),
        (png_of_size(4_001, 40), PIXELS),
        (picture(size=(31, 200)), "This picture is too small: %(side)d pixels a side at least."),
        (picture() + b"\0" * LARGEST_BYTES, "This picture is too large: 2 MB at most."),
        (b"", "This file is empty."),
    ],
    ids=["svg", "gif", "webp", "named", "cut", "jpeg cut", "bomb", "wide", "small", "heavy", "empty"],
)
def test_what_is_no_picture_within_the_limits_is_refused(
    admin, content, said, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _picture: pytest.fail("decoded"))
    answer = send(admin, content, django_capture_on_commit_callbacks)

    assert answer.status_code == 422
    with translation.override("fr"):
        expected = gettext(said) % {"side": 4_000 if said == PIXELS else 32}
    assert answer.context["form"].errors["logo"] == [expected]
    assert kept() is None


def test_nothing_sent_is_refused(admin):
    assert admin.post(PAGE, {}).status_code == 422


def test_a_picture_is_drawn_anew(admin, django_capture_on_commit_callbacks):
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x0112] = 6  # the camera was held upright: the long side stands
    for content in (picture(pnginfo=told), picture("JPEG", (600, 200), exif=exif, comment=SECRET)):
        assert SECRET in content
        send(admin, content + SECRET, django_capture_on_commit_callbacks)
        assert SECRET not in kept().read_bytes()
    with Image.open(kept()) as upright:
        assert (upright.format, upright.size) == ("PNG", (100, 300))


def test_a_heavy_picture_still_fits_the_documents(admin, django_capture_on_commit_callbacks):
    noise = Image.effect_noise((1_000, 400), 90).convert("RGB")
    content = BytesIO()
    noise.save(content, "JPEG", quality=95)
    send(admin, content.getvalue(), django_capture_on_commit_callbacks, name="x.jpg", kind="image/jpeg")

    assert kept().stat().st_size <= LARGEST_KEPT
    assert pdf._logo_address(kept()).startswith("data:image/png;base64,")
    with Image.open(kept()) as small:
        assert small.size == (750, 300)


def test_a_transparent_ground_stays_transparent(admin, django_capture_on_commit_callbacks):
    send(admin, picture(mode="RGBA", colour=(0, 90, 60, 0)), django_capture_on_commit_callbacks)

    with Image.open(kept()) as found:
        assert found.convert("RGBA").getpixel((5, 5))[3] == 0


def test_the_picture_of_an_operator_gives_way(admin, django_capture_on_commit_callbacks):
    folder = kept_folder()
    folder.mkdir(parents=True)
    (folder / "logo.jpg").write_bytes(picture("JPEG"))
    assert admin.get(LOGO)["Content-Type"] == "image/jpeg"

    send(admin, picture(), django_capture_on_commit_callbacks)

    assert sorted(path.name for path in folder.glob("logo*")) == ["logo.png"]


def kept_folder():
    from apps.institutions.queries import institution_folder

    return institution_folder(Institution.objects.get(code="horizon"))


def test_another_institution_knows_nothing_of_it(admin, page, django_capture_on_commit_callbacks):
    send(admin, picture(), django_capture_on_commit_callbacks)
    other = page("admin@ngwa.demo")

    assert other.get(LOGO).status_code == 404
    assert LOGO not in other.get(PAGE).content.decode().replace(REMOVE, "")
    with django_capture_on_commit_callbacks(execute=True):
        other.post(REMOVE)
    assert kept() is not None
    assert kept("ngwa") is None


@pytest.mark.parametrize("local", ["analyste", "risques", "auditeur", "commercial"])
def test_other_roles_neither_see_nor_change_it(world, page, local, django_capture_on_commit_callbacks):
    client, by = page(f"{local}@horizon.demo"), world.actor(f"{local}@horizon.demo")

    assert [client.get(path).status_code for path in (PAGE, LOGO)] == [403, 403]
    assert send(client, picture(), django_capture_on_commit_callbacks).status_code == 403
    assert client.post(REMOVE).status_code == 403
    with world.scope():
        with pytest.raises(NotAllowed):
            set_logo(upload=SimpleUploadedFile("x.png", picture()), by=by)
        with pytest.raises(NotAllowed):
            remove_logo(by=by)
    assert kept() is None


def test_what_is_rolled_back_changes_no_picture(world, admin, django_capture_on_commit_callbacks):
    send(admin, picture(), django_capture_on_commit_callbacks)
    before = kept().read_bytes()
    with django_capture_on_commit_callbacks(execute=False):
        admin.post(PAGE, {"logo": SimpleUploadedFile("x.png", picture(colour=(1, 2, 3)))})

    assert kept().read_bytes() == before


@pytest.mark.skipif(not pdf.can_write_pdf(), reason="WeasyPrint or Pango is not on this machine")
def test_a_document_bears_the_picture(world, admin, django_capture_on_commit_callbacks, tmp_path):
    by = world.actor(world.risk_manager)

    def sheet():
        with world.scope():
            score = Prediction.objects.filter(client__isnull=False).first()
            asked = wish_for(kind="fiche-client", by=by, language="fr", subject=score.uid)
            report = make_at_once(report=ask_report(wish=asked, format="pdf"), wish=asked)
            return (kept_folder() / "files" / report.file.path).read_bytes()

    bare = sheet()
    send(admin, picture(), django_capture_on_commit_callbacks)
    borne = sheet()

    assert b"/Subtype /Image" not in bare
    assert b"/Subtype /Image" in borne
    assert b"/Width 600" in borne
