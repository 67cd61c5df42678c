"""The Patient page: who, why, what if, who is alike, many at once, the whole model."""
