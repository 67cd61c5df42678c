"""Identifiers: found before anything else sees the rows, then dropped, replaced, or kept with a reason.

Sources: HIPAA Safe Harbor, 45 CFR 164.514(b)(2); the check digits of GB
11643-1999, ISO/IEC 7812 and ISO 3779. Finding nothing is never proof.
"""

from __future__ import annotations

from medcore.data.privacy.actions import ACTIONS, Action, Decision, protect, pseudonymise, with_pseudonyms
from medcore.data.privacy.keys import installation_key
from medcore.data.privacy.kinds import IDENTIFIERS, Identifier
from medcore.data.privacy.screen import screen

__all__ = [
    "ACTIONS",
    "IDENTIFIERS",
    "Action",
    "Decision",
    "Identifier",
    "installation_key",
    "protect",
    "pseudonymise",
    "with_pseudonyms",
    "screen",
]
