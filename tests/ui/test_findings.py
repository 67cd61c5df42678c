"""A finding is answered on the page: by one click for all of its columns, or by one for each."""

from streamlit.testing.v1 import AppTest


def _listed() -> None:
    import streamlit as st

    from medcore.data.findings import Finding, Fix
    from medcore.i18n import Message
    from medcore.ui.kit.shown import components

    told = {name: Message(name) for name in ("message", "why", "remedy")}
    fix = Fix(label=Message("Read as categories"), action="set_column", columns=("slope", "c*a"), each=True)
    found = Finding(code="categories.amounts", severity="warning", columns=fix.columns, fix=fix, **told)

    def answer(finding: Finding) -> None:
        st.session_state["answered"] = finding.fix.columns

    components.findings([found], key="data.findings", on_fix=answer)


def test_each_of_several_columns_has_a_click_of_its_own():
    page = AppTest.from_function(_listed).run()
    assert [button.label for button in page.button] == ["slope · Read as categories", r"c\*a · Read as categories"]
    page.button[1].click().run()
    assert page.session_state["answered"] == ("c*a",)
