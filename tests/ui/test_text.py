"""Texts of tables are harmless wherever they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from medcore.ui.kit.text import markup, one_line, plain


@given(st.text(max_size=200))
def test_markup_has_no_tag_and_one_line(text: str) -> None:
    shown = markup(text)
    assert "<" not in shown
    assert ">" not in shown
    assert '"' not in shown
    assert "\n" not in shown


@given(st.text(max_size=60))
def test_plain_escapes_every_sign_of_markdown(text: str) -> None:
    shown = plain(text)
    bare = "".join(b for a, b in zip(" " + shown, shown, strict=False) if a != "\\" and b != "\\")
    assert not set(bare) & set("`*_{}[]()<>~$:@/&")


def test_an_image_in_a_name_loads_nothing() -> None:
    assert plain("![x](http://evil.example/x.png)").startswith("\\!\\[x\\]\\(http\\:\\/\\/")


def test_direction_marks_and_controls_are_dropped() -> None:
    assert one_line("a\u202eb\x00c\td") == "a b c d"


def test_long_texts_are_cut() -> None:
    assert len(one_line("x" * 5000)) == 2000
