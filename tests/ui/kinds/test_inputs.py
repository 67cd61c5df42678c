"""Each kind of column is asked for in its own way; a toy kind brings its own file."""

from streamlit.testing.v1 import AppTest


def page():
    """Ask for a number, a category and a blood pressure, and for another value of each."""
    import numpy as np
    import pandas as pd
    import streamlit as st

    from medcore.data.cohort import Column, Schema
    from medcore.explanation.patient.reference import Reference
    from medcore.features import CodeBook, register
    from medcore.ui.kinds import registry
    from medcore.ui.kinds.field import Field
    from tests.features.toy_kind import PRESSURE
    from tests.features.toy_kind.input import PressureInput

    register(PRESSURE)
    registry.register("pressure", PressureInput())
    table = pd.DataFrame(
        {"age": np.arange(40.0, 60.0), "sex": ["f", "m"] * 10, "bp": [f"{120 + k % 4}/80" for k in range(20)]}
    )
    book = CodeBook.fit(table, {"age": "numeric", "sex": "category", "bp": "pressure"})
    rows = book.transform(table)
    reference = Reference.from_arrays(book, ("no", "yes"), rows, np.zeros(20, int), np.zeros((20, 2)), np.arange(20))
    kinds = {"age": "numeric", "sex": "category", "bp": "blood pressure"}
    typed, changed = {}, {}
    for place, name in enumerate(table):
        schema = Schema((Column(name=name, kind=kinds[name], unit="years" if name == "age" else None),))
        if name == "sex":
            schema = schema.change("sex", label="Sex at birth", level_labels={"f": "female"})
        asked = Field.of(reference, schema[name], schema.shown(name))
        given, own = registry.input_of(asked.encoder.kind), rows.take(3).column(place)
        typed[name] = given.typed(asked, key=f"in.{name}")
        shown = str(asked.encoder.values(own)[0])
        changed[name] = asked.encoder.values(given.changed(asked, own, shown, key=f"to.{name}"))[0]
        assert given.changeable(asked, own)
    st.session_state["typed"], st.session_state["changed"] = typed, changed


def test_every_kind_is_typed_in_as_the_text_of_a_cell():
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert app.session_state["typed"] == {"age": None, "sex": None, "bp": None}
    app.number_input(key="in.age").set_value(61.5)
    app.selectbox(key="in.sex").set_value("m")
    app.number_input(key="in.bp.systolic").set_value(150)
    app.number_input(key="in.bp.diastolic").set_value(95)
    app.run()
    assert app.session_state["typed"] == {"age": "61.5", "sex": "m", "bp": "150/95"}
    assert app.number_input(key="in.age").label.startswith("age")
    assert app.selectbox(key="in.sex").label == "Sex at birth :small[sex]"
    assert app.selectbox(key="in.sex").options == ["female", "m"]


def test_another_value_is_chosen_in_the_kinds_own_way():
    app = AppTest.from_function(page, default_timeout=60).run()
    assert app.session_state["changed"] == {"age": 43.0, "sex": "m", "bp": "123/80"}
    app.slider(key="to.age").set_value(55.0)
    app.selectbox(key="to.sex").set_value(0)
    app.selectbox(key="to.bp").set_value(0)
    app.run()
    assert app.session_state["changed"]["age"] == 55.0
    assert app.session_state["changed"]["sex"] == "f"
    assert app.session_state["changed"]["bp"] in {"120/80", "121/80", "122/80", "123/80"}
