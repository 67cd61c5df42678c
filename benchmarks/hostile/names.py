"""Words that did harm elsewhere, as names of columns, files and studies, as cells and as addresses."""

from __future__ import annotations

CANARY = "canary-of-the-benchmark"
NAMES = (
    "=HYPERLINK(\"http://127.0.0.1:9/x\",\"a\")", "=cmd|'/c calc'!A0", "@SUM(1)", "<script>alert(1)</script>",
    "<img src=http://127.0.0.1:9/i.png onerror=alert(1)>", "![x](http://127.0.0.1:9/i.png)", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}",
    "../../../etc/passwd", "..\\..\\boot.ini", "a\0b", "a\u202egnp.exe", "%n%n%s", "{0.__class__}", f"$(touch /tmp/{CANARY})", "`id`",
    "'; DROP TABLE studies;--", "a" * 100_000, "\ud7ff\uffff", "\N{ZERO WIDTH SPACE}", "__proto__", "constructor", "", " ", "\r\nSet-Cookie: a=b",
)  # fmt: skip
