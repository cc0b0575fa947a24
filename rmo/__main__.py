"""`python -m rmo` is `rmo`."""

from rmo.cli import main

main()
