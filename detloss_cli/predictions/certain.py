"""How sure the heads are that know the answers."""

CERTAIN = 1e-6  # how near to 0 and 1 their probabilities come
