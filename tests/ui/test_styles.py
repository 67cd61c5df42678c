"""The stylesheet: what a change of the page makes the browser look at again."""

import re

from medcore.settings import ASSETS


def test_no_rule_that_looks_through_the_page_is_about_every_element():
    """Each element that comes or goes would have the styles of all others reckoned anew: half of the time of Evaluate."""
    css = re.sub(r"/\*.*?\*/", "", (ASSETS / "styles" / "medcore.css").read_text(), flags=re.DOTALL)
    selectors = [s.strip() for heads in re.findall(r"([^{}]+)\{", css) for s in re.split(r",(?![^(]*\))", heads)]
    looking = [s for s in selectors if ":has(" in s]
    assert looking
    assert [s for s in looking if s.endswith("*")] == []
