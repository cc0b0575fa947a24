"""rmo: promises made to get money for projects, held against what the organisation's KPIs say."""

__version__ = "0.1.0"
