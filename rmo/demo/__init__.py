"""The demo: a portfolio on real public data, and a feed that serves it as its clock goes on."""
