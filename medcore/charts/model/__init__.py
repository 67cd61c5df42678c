"""A model as a whole, as pictures: what it uses, how it is written down, how it learnt."""
