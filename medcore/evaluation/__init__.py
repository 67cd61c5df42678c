"""How good predicted risks are: outcomes and risks in, frozen results out."""
