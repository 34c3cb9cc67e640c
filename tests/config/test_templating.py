"""Sources of pages lose their indentation, and nothing that shows."""

from django.template.loader import get_template

from config.templating import dense


def test_lines_go_to_the_margin():
    assert dense("<ul>\n  <li>\n    a b\n  </li>\n</ul>\n") == "<ul>\n<li>\na b\n</li>\n</ul>\n"


def test_texts_of_the_catalogue_and_what_is_shown_as_written_stay():
    kept = "{% blocktranslate %}\n   a\n{% endblocktranslate %}<pre>\n  x</pre><textarea>\n  y</textarea>"
    assert dense(f"<p>\n  {kept}\n  </p>") == f"<p>\n{kept}\n</p>"


def test_the_sites_pages_are_read_so(db):
    assert "\n  <" not in get_template("scoring/detail.html").template.source
