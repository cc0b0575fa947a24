"""Values in, values out: what a promise, a reading and a verdict are, and the arithmetic between them."""
