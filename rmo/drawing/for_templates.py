"""What templates may call by name: filters that write values, and the drawings that stand inside a line."""

from collections.abc import Callable
from typing import Any

from rmo.drawing import icons, notation, words

FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        words.figure_value,
        words.money,
        words.millions,
        words.to_the_penny,
        words.percent,
        words.points,
        words.chance,
        words.long_day,
        words.short_day,
        words.column_day,
        words.long_month,
        words.short_month,
        words.moment,
        words.count,
        words.count_word,
        words.capital,
        words.state_word,
        words.direction_words,
        words.frequency_word,
        words.class_word,
        words.lifecycle_word,
        words.reading_word,
        icons.state_class,
        notation.swatch_word,
    )
}
GLOBALS: dict[str, Any] = {
    "definitions": icons.definitions(),
    "mark": icons.mark,
    "swatch": notation.swatch,
    "variation_icon": icons.variation_icon,
    "assurance_icon": icons.assurance_icon,
}
