"""Three roles, and three kinds of access to one study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from medcore.i18n import N_

Role = Literal["reader", "modeller", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most; each may do what the ones before it may."""
ROLE_WORDS: Mapping[str, str] = {
    "reader": N_("Reader: looks at studies that were shared"),
    "modeller": N_("Modeller: makes studies and trains models"),
    "administrator": N_("Administrator: also sees the audit trail"),
}
Access = Literal["read", "change", "own"]
ACCESS: tuple[Access, ...] = get_args(Access)
"""From the least to the most."""
Share = Literal["reader", "modeller"]
SHARES: Mapping[str, str] = {"reader": N_("to read"), "modeller": N_("to change and train")}
"""As what a study may be shared with somebody."""
