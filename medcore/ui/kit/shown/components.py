"""The pieces that pages are made of; ``from medcore.ui import components``.

Frame
    ``header(title, purpose)`` begins a page; ``section(title, text)`` a part of it;
    ``empty(title, text, page="data", label=…)`` says there is nothing yet and links
    the next step; ``note(text, look="info"|"success"|"warning"|"error")``;
    ``facts([(label, value), …])`` a row of figures; ``card(title, text, badge=, look=)``;
    ``caption(text)``; ``undo(text, key=, on_click=)``;
    ``last_change(study, where=)`` the study's last change, to be taken back.
Results
    ``figure(chart, key="page.chart", caption="")`` draws a chart of ``medcore.charts``
    (headline as wrapping text, ink of the page, words for screen readers);
    ``marked_figure(chart, key=)`` one over which ``.mark(marks, words)`` moves marks;
    ``metric_table({"Network": evaluation.metrics, …})`` measures with intervals;
    ``table(frame_or_rows)`` a small table with its files; ``downloads(frame, name=, key=)``
    a table as CSV and XLSX; ``with_interval(estimate)`` one figure as
    text; ``download(label, data, file_name=, mime=, key=)``.
Trouble
    ``findings(found, key=, on_fix=None)`` lists findings with one-click fixes
    (``on_fix(finding)``); ``mends(found)`` says in a line that opens what was mended; ``error(medcore_error)``; ``with errors_shown(): …`` shows
    what goes wrong in a part and keeps the rest of the page.
Questions
    ``threshold_input(run_id, key=)`` → probability; ``choice(label, options, key=,
    show=)`` → one of a few, instead of tabs.
Waiting
    ``waited(lambda task: jobs.call(…, stop=task.stop), *identity, key=, doing=)`` what may take more
    than a second: its result, or None while it shows how long it takes and a way to stop it;
    ``begun(work, *identity)`` begins it before it is asked for.
By themselves
    ``fragment(function, every=1.0 or None)(…)`` a part that reruns alone.
Text of tables
    ``plain(name)`` for labels and cells (markdown), ``one_line(name)`` for the options of
    selects (they read no markdown), ``markup(text)`` for HTML,
    ``theme.escape(name)`` for charts; ``column(shown)`` a column in words, its name small beside it. Everything above escapes what it is given,
    except the cells of ``table``.

Callbacks (``on_click=``) run before the page: begin them with ``state.speak()`` when
they make a text. Widget keys are ``page.widget`` with ``persist_state="session"``.
"""

from medcore.ui.kit.layout import caption, card, empty, facts, header, note, section, undo
from medcore.ui.kit.navigation import go, link
from medcore.ui.kit.notices import error, errors_shown, findings, mends
from medcore.ui.kit.shown.figures import MarkedFigure, dark_page, figure, marked_figure
from medcore.ui.kit.shown.fragments import fragment
from medcore.ui.kit.shown.inputs import choice, day_input, threshold_input
from medcore.ui.kit.shown.tables import METRICS, download, downloads, metric_table, table, take_along, with_interval
from medcore.ui.kit.shown.undoing import last_change
from medcore.ui.kit.shown.waiting import SessionTask, begun, waited
from medcore.ui.kit.text import column, markup, one_line, plain

__all__ = [
    "METRICS",
    "MarkedFigure",
    "SessionTask",
    "begun",
    "caption",
    "card",
    "choice",
    "column",
    "dark_page",
    "day_input",
    "download",
    "downloads",
    "empty",
    "error",
    "errors_shown",
    "facts",
    "figure",
    "findings",
    "fragment",
    "go",
    "header",
    "last_change",
    "link",
    "marked_figure",
    "markup",
    "mends",
    "metric_table",
    "note",
    "one_line",
    "plain",
    "section",
    "table",
    "take_along",
    "threshold_input",
    "undo",
    "waited",
    "with_interval",
]
