"""From a prepared table to numbers: rows → codes → matrix.

*Rows* are the common currency of every model: one code a predictor, so that an
explanation can mix the codes of two patients and one original column stays one
player; contents that no number holds lie beside the codes. A *matrix* is what one
linear model or network sees; everything in it that is estimated comes from the
training rows of that model alone. A *kind* (:mod:`medcore.features.kind`) says all
there is to know about columns of one sort; each is a folder here, and they never
import one another. This room knows data and statistics, and no model.
"""

from __future__ import annotations

from medcore.features.category import MAX_LEVELS as MAX_LEVELS
from medcore.features.category import MIN_CATEGORY_ROWS as MIN_CATEGORY_ROWS
from medcore.features.codebook import CodeBook as CodeBook
from medcore.features.kind import Scaling as Scaling
from medcore.features.matrix import FeatureMaker as FeatureMaker
from medcore.features.matrix import Layout as Layout
from medcore.features.registry import cautions as cautions
from medcore.features.registry import kind_named as kind_named
from medcore.features.registry import kinds as kinds
from medcore.features.registry import register as register
from medcore.features.rows import UNSEEN as UNSEEN
from medcore.features.rows import AnyRows as AnyRows
from medcore.features.rows import CodedColumn as CodedColumn
from medcore.features.rows import Codes as Codes
from medcore.features.rows import Payload as Payload
from medcore.features.rows import Rows as Rows
from medcore.features.rows import stack as stack
from medcore.features.series import steps_of as steps_of

FeatureKind = str
