"""Categories: a code is the place of the level by falling frequency, −1 for a rare or unseen one."""

from __future__ import annotations

from medcore.features.category.encoder import MIN_CATEGORY_ROWS as MIN_CATEGORY_ROWS
from medcore.features.category.kind import CATEGORY as CATEGORY
from medcore.features.category.kind import MAX_LEVELS as MAX_LEVELS
