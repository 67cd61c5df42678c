"""What changed values do to a risk, as one small table that is quick to draw again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from medcore.data.shown import Naming, Shown
from medcore.explanation.patient import wording
from medcore.explanation.patient.visits import Moved
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.i18n import _, number
from medcore.ui.kit.shown import components
from medcore.ui.kit.text import markup

SHOWN = 3


def change_table(before: Explanation, after: Explanation, naming: Naming, measure: Measure = RISK) -> str:
    """Write risk, or number, and contributions before and after as HTML: those that matter most, the others as one line."""
    both = zip(before.contributions, after.contributions, strict=True)
    pairs = [pair for pair in both if _moved(pair) or any(c.contribution != 0 for c in pair)]
    order = sorted(pairs, key=lambda p: -max(abs(p[0].contribution), abs(p[1].contribution), _moved(p) * 2))
    widest = max((abs(c.contribution) for pair in pairs for c in pair), default=0.0) or 1.0
    number_of = partial(_number, scale=after.scale, measure=measure)
    lines = [_line(a, b, number_of, widest, naming(a.column)) for a, b in order[:SHOWN]]
    rest = order[SHOWN:]
    if rest:
        sums = [sum(pair[i].contribution for pair in rest) for i in (0, 1)]
        cells = "".join(f"<td>{number_of(s)}</td>" for s in sums)
        others = _("{n} other columns", n=len(rest))
        lines.append(f"<tr><th scope=row>{markup(others)}</th>{cells}</tr>")
    heads = [_("Column"), _("As it is"), _("As changed")]
    risks = [_prediction(e, measure) for e in (before, after)]
    head = "".join(f"<th scope=col>{markup(h)}</th>" for h in heads)
    first = "".join(f"<td>{markup(r)}</td>" for r in risks)
    look = " mc-value" if measure.of_number else ""
    return (
        f'<table class="mc-moves{look}"><thead><tr>{head}</tr></thead><tbody>'
        f'<tr class="mc-total"><th scope=row>{markup(measure.name or _total(after))}</th>{first}</tr>{"".join(lines)}</tbody></table>'
    )


def change_rows(
    before: Explanation, after: Explanation, naming: Naming, measure: Measure = RISK
) -> list[dict[str, str | float]]:
    """Return what the table says of every column, a line each, for its files: values, and contributions as numbers."""
    heads, absent = [_("Column"), _("As it is"), _("As changed")], _("missing")
    unit = _contribution_unit(after, measure)
    effects = [_("Contribution as it is"), _("Contribution as changed")]
    if unit:
        effects = [_("Contribution as it is ({unit})", unit=unit), _("Contribution as changed ({unit})", unit=unit)]
    times = 1.0 if after.scale == "log_odds" else measure.times
    total = [measure.name or _total(after), *(_prediction(e, measure) for e in (before, after))]
    rows: list[dict[str, str | float]] = [dict(zip(heads, total, strict=True))]
    for pair in zip(before.contributions, after.contributions, strict=True):
        column = naming(pair[0].column)
        values = [column.measured(c.value, unit=pair[0].unit or "") or absent for c in pair]
        told = dict(zip(heads, [str(column), *values], strict=True))
        rows.append(told | dict(zip(effects, (round(times * c.contribution, 4) for c in pair), strict=True)))
    return rows


def moved_table(found: Moved, naming: Naming, measure: Measure = RISK, *, shown: int) -> str:
    """Write what moved a prediction between two visits as HTML: each value before and after with its contribution."""
    widest = max((abs(c.contribution) for _was, c in found.largest), default=0.0) or 1.0
    number_of = partial(_number, scale=found.explanation.scale, measure=measure)
    lines = [
        f"<tr><th scope=row>{components.column(naming(c.column))} <span>{markup(_from_to(was, c, naming))}</span></th>"
        f"<td>{_bar(c.contribution, widest)}{number_of(c.contribution, error=c.standard_error)}</td></tr>"
        for was, c in found.largest[:shown]
    ]
    rest = found.largest[shown:]
    if rest:
        others = markup(_("{n} other columns", n=len(rest)))
        their_sum = number_of(sum(c.contribution for _was, c in rest))
        lines.append(f"<tr><th scope=row>{others}</th><td>{their_sum}</td></tr>")
    names, whole = (_("Column"), _("Moved it by")), _("Altogether")
    heads = "".join(f"<th scope=col>{markup(name)}</th>" for name in names)
    total = f'<tr class="mc-total"><th scope=row>{markup(whole)}</th><td>{number_of(found.change)}</td></tr>'
    look = " mc-value" if measure.of_number else ""
    body = f"{total}{''.join(lines)}"
    return f'<table class="mc-moves{look}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def moved_rows(found: Moved, naming: Naming, measure: Measure = RISK) -> list[dict[str, str | float]]:
    """Return the same a line a column, for files."""
    absent, unit = _("missing"), _contribution_unit(found.explanation, measure)
    moved = _("Moved it by ({unit})", unit=unit) if unit else _("Moved it by")
    return [
        {
            _("Column"): str(naming(c.column)),
            _("Before"): naming(c.column).measured(was, unit=c.unit or "") or absent,
            _("Now"): naming(c.column).measured(c.value, unit=c.unit or "") or absent,
            moved: round(measure.times * c.contribution, 4),
        }
        for was, c in found.largest
    ]


def _from_to(was: str | None, now: Contribution, naming: Naming) -> str:
    column, absent = naming(now.column), _("missing")
    after = column.measured(now.value, unit=now.unit or "") or absent
    return after if was == now.value else f"{column.value(was) or absent} → {after}"


def _contribution_unit(found: Explanation, measure: Measure) -> str:
    """Name what contributions are counted in, as the table and its files write them."""
    if measure.of_number:
        return measure.unit
    return _("log odds") if found.scale == "log_odds" else _("percentage points")


def _moved(pair: tuple[Contribution, Contribution]) -> bool:
    return pair[0].value != pair[1].value


def _total(found: Explanation) -> str:
    return _("Risk") if found.scale == "probability" else _("Log odds")


def _prediction(found: Explanation, measure: Measure) -> str:
    if found.scale == "value":
        return measure.write(found.prediction)
    if found.scale == "probability":
        return wording.percent(found.prediction, digits=1)
    return number(found.prediction, ".2f")


def _line(
    before: Contribution, after: Contribution, number_of: Callable[..., str], widest: float, column: Shown
) -> str:
    values = [column.value(c.value) or _("missing") for c in (before, after)]
    told = column.measured(after.value, unit=before.unit) or values[1]
    shown = told if values[0] == values[1] else f"{values[0]} → {told}"
    name = f"{components.column(column)} <span>{markup(shown)}</span>"
    mark = ' class="mc-moved"' if values[0] != values[1] else ""
    cells = "".join(
        f"<td>{_bar(c.contribution, widest)}{number_of(c.contribution, error=c.standard_error)}</td>"
        for c in (before, after)
    )
    return f"<tr{mark}><th scope=row>{name}</th>{cells}</tr>"


def _bar(value: float, widest: float) -> str:
    """Draw a bar from the middle: to the right raises the risk."""
    width = 50 * abs(value) / widest
    left = 50 if value >= 0 else 50 - width
    kind = "mc-up" if value >= 0 else "mc-down"
    return f'<i aria-hidden="true"><b class="{kind}" style="left:{left:.1f}%;width:{width:.1f}%"></b></i>'


def _number(value: float, *, scale: str, measure: Measure, error: float = 0.0) -> str:
    """Write a contribution, in percentage points, log odds or the number's unit, with its 95 % range."""
    times, digits = (1.0, 2) if scale == "log_odds" else (measure.times, measure.decimals)
    text = number(times * value, f"+,.{digits}f")
    return text if error == 0 else f"{text} <small>± {1.96 * times * error:.{digits}f}</small>"
