"""Days of the week beside dates, and times that stand before them."""

import pyarrow as pa
import pyarrow.compute as pc

_REWRITTEN = (
    (
        r"^(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?),?\s+(.*[0-9].*)$",
        r"\1",
    ),
    (r"^(.*[0-9日])\s*(?:\((?:周|星期|礼拜)?[一二三四五六日天]\)|(?:周|星期|礼拜)[一二三四五六日天])(.*)$", r"\1\2"),
    (r"^([A-Za-z]{3,9} [0-9]{1,2}) ([0-9]{1,2}:[0-9:]+)(?: [A-Z]{3,4})? ([12][0-9]{3})$", r"\1 \3 \2"),
    (r"^([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?),? ([0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})$", r"\2 \1"),
)
"""Days of the week, and times that stand before the date or its year."""


def without_weekday(texts: pa.Array) -> pa.Array:
    """Take the day of the week off, and put the time behind the date: Thu Feb 25 07:30:00 2023, 19:16 24/06/2023.

    >>> without_weekday(pa.array(["Thu Jan 05 07:30:00 2023", "Friday, March 3, 2023", "2023/1/5 星期四"])).to_pylist()
    ['Jan 05 2023 07:30:00', 'March 3, 2023', '2023/1/5']
    >>> without_weekday(pa.array(["19:16 24/06/2023", "2023-01-05 10:00"])).to_pylist()
    ['24/06/2023 19:16', '2023-01-05 10:00']
    """
    for pattern, plain in _REWRITTEN:
        if pc.any(pc.match_substring_regex(texts, pattern)).as_py():
            texts = pc.replace_substring_regex(texts, pattern, plain)
    return texts
