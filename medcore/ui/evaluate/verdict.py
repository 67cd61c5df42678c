"""What Evaluate opens with: three figures, one sentence, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.readings import of_100
from medcore.evaluation.verdict import Answer, Verdict
from medcore.i18n import N_, _, number, span
from medcore.ui.kit.text import markup

_LOOKS: dict[Answer, tuple[str, str]] = {
    "yes": ("✓", N_("yes")),
    "no": ("✗", N_("no")),
    "unclear": ("?", N_("not shown")),
}


def verdict_html(metrics: Mapping[str, Estimate], found: Verdict) -> str:
    """Write the verdict on a model with these ``metrics`` as HTML, quick to draw again when the threshold moves."""
    auroc, ici, chance = metrics["auroc"], metrics["ici"], metrics.get("ici_chance")
    gain = found.gain
    against = _("than treating everyone") if found.over_all else _("than treating no one")
    tiles = (
        tile(
            _("Does it tell patients apart?"),
            found.ranks,
            _("{n} of 100", n=of_100(auroc.value)),
            _("times the patient with the outcome gets the higher risk; AUROC {auroc}", auroc=f"{auroc:.2f}"),
        ),
        tile(
            _("Do its risks come true?"),
            found.comes_true,
            _("± {n} points", n=number(100 * ici.value, ".1f")),
            _("mean error of a risk; chance alone gives up to {chance}", chance=number(100 * chance.value, ".1f"))
            if chance is not None and chance.exists
            else _("mean error of a risk"),
        ),
        tile(
            _("Does acting on it help?"),
            found.helps,
            _("{n} per 100", n=number(gain.value, "+.1f")),
            _(
                "true positives more {against} ({span}), from a risk of {threshold} % on",
                against=against,
                span=span(gain.low, gain.high, "+.1f"),
                threshold=number(100 * found.threshold, ".1f"),
            ),
        ),
    )
    return (
        f'<section class="mc-verdict mc-{found.level}"><div>{"".join(tiles)}</div>'
        f"<h2>{markup(found.sentence)}</h2><p>{markup(found.next_step)}</p></section>"
    )


def tile(question: str, answer: Answer, figure: str, small: str) -> str:
    """Write one question with its answer, the figure that bears it, and what that figure is."""
    sign, word = _LOOKS[answer]
    return (
        f"<dl><dt>{markup(question)} <em class=mc-{answer}>{sign} {markup(_(word))}</em></dt>"
        f"<dd>{markup(figure)}</dd><dd><small>{markup(small)}</small></dd></dl>"
    )
