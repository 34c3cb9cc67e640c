"""The style sheets and templates ask nothing of a browser that Chrome 109, Firefox 115 or Safari 15 lacks.

Chrome 109 is the last for Windows 7 and 8.1, which branch offices still have. Beside each feature stands
the browser that brought it. `:has` and `@container` are left out: where they are missing, a page must only
look plainer, which no pattern can judge.
"""

import re

import pytest
from django.conf import settings

SHEETS = sorted((settings.BASE_DIR / "static").rglob("*.css"))
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))

IN_SHEETS = {
    "nested rules (Chrome 112)": r"(?:^|[{};,>+~\s])&[\s.:#\[>+~{]|&\s*\{",
    "oklch, oklab, lch, lab, color() (Chrome 111)": r"\b(?:oklch|oklab|lch|lab|color)\(",
    "color-mix (Chrome 111)": r"\bcolor-mix\(",
    "relative colours (Chrome 119)": r"\b(?:rgb|hsl)a?\(\s*from\b",
    "light-dark (Chrome 123)": r"\blight-dark\(",
    "@property (Firefox 128)": r"@property\b",
    "@scope (Chrome 118)": r"@scope\b",
    "@starting-style (Chrome 117)": r"@starting-style\b",
    "@view-transition (Chrome 126)": r"@view-transition\b|\bview-transition-name\s*:",
    "anchors (Chrome 125)": r"@position-try\b|\banchor(?:-name|-scope)?\s*[:(]|\bposition-anchor\b",
    "container style queries (Chrome 111)": r"@container[^{]*\bstyle\(",
    "text-wrap (Chrome 114)": r"\btext-wrap(?:-style|-mode)?\s*:",
    "subgrid (Chrome 117)": r"\bsubgrid\b",
    "scroll-driven animations (Chrome 115)": r"\b(?:animation|view|scroll)-timeline\b|\banimation-range\b",
    "field-sizing (Chrome 123)": r"\bfield-sizing\s*:",
    "interpolate-size, calc-size (Chrome 129)": r"\binterpolate-size\s*:|\bcalc-size\(",
    "transition-behavior (Chrome 117)": r"\ballow-discrete\b|\btransition-behavior\s*:",
    "linear() easing (Chrome 113)": r"\blinear\(",
    "arithmetic (Chrome 111 to 125)": r"[\s(:,](?:round|rem|mod|sin|cos|tan|pow|sqrt|hypot|exp|log)\(",
    ":user-valid, :user-invalid (Chrome 119)": r":user-(?:in)?valid\b",
    ":popover-open (Chrome 114)": r":popover-open\b",
    ":dir() (Chrome 120)": r":dir\(",
    ":state() (Chrome 125)": r":state\(",
    "::details-content (Chrome 131)": r"::details-content\b",
    "customizable select (Chrome 135)": r"\bbase-select\b",
    "range media queries (Safari 16.4)": r"@media[^{]*[<>]",
    "dvh, svh, lvh units (Safari 15.4)": r"\b\d+(?:\.\d+)?[dsl]v[hwib]\b",
    "cap, rcap, rlh, lh, ric units (Chrome 118, 111, 109)": r"\b\d+(?:\.\d+)?(?:r?cap|rlh|r?ic)\b",
    "if() (Chrome 137)": r"[\s:]if\(",
    "mask shorthand without prefix (Chrome 120)": r"(?<![-\w])mask(?:-image|-size)?\s*:",
    "scrollbar-color, scrollbar-gutter (Chrome 121, Safari 18)": r"\bscrollbar-(?:color|width|gutter)\s*:",
    "white-space-collapse (Chrome 114)": r"\bwhite-space-collapse\s*:",
    "word-break: auto-phrase (Chrome 119)": r"\bauto-phrase\b",
}
IN_TEMPLATES = {
    "popover (Chrome 114)": r"<[^>]*\spopover(?:target)?(?:[=\s>])",
    "exclusive details (Chrome 120)": r"<details[^>]*\sname=",
    "the search element (Chrome 118)": r"<search\b",
    "invokers (Chrome 135)": r"\scommand(?:for)?=",
    "a style attribute, which the policy refuses": r"<[^>{]*\sstyle=",
    "a script in the page, which the policy refuses": r"<script(?![^>]*\ssrc=)[^>]*>",
}


def code(sheet):
    """Return a sheet without comments and quoted texts."""
    return re.sub(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", " ", sheet, flags=re.DOTALL)


def asked(text, features):
    return [name for name, pattern in features.items() if re.search(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_a_sheet_is_understood_by_old_browsers(sheet):
    assert asked(code(sheet.read_text()), IN_SHEETS) == []


def test_templates_are_understood_by_old_browsers():
    markup = {path: re.sub(r"\{#.*?#\}", "", path.read_text()) for path in TEMPLATES}

    assert [(str(path), found) for path, text in markup.items() if (found := asked(text, IN_TEMPLATES))] == []


@pytest.mark.parametrize(
    "sheet",
    [
        ".a { &:hover { color: red } }",
        ".a { .b & { color: red } }",
        "a { color: oklch(50% 0 0) }",
        "a { color: color-mix(in srgb, red, blue) }",
        "a { color: light-dark(red, blue) }",
        "@property --x { syntax: '*' }",
        "h1 { text-wrap: balance }",
        "@media (width < 40em) { a { color: red } }",
        "a { height: 100dvh }",
        "a { grid-template-columns: subgrid }",
        "a { animation-timeline: view() }",
    ],
)
def test_what_is_too_new_is_seen(sheet):
    assert asked(code(sheet), IN_SHEETS)
