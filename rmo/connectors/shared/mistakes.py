"""What pydantic found wrong, as sentences that say what to write instead."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rmo.connectors.shared.marked_yaml import Place
from rmo.connectors.shared.numbers import shown

NUMBER = "write a number of at most 38 digits and 12 places"
REMEDIES = {
    "enum": "write {expected}",
    "literal_error": "write {expected}",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "int_parsing_size": "write a whole number",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "decimal_parsing": NUMBER,
    "decimal_type": NUMBER,
    "decimal_max_digits": NUMBER,
    "decimal_max_places": NUMBER,
    "decimal_whole_digits": NUMBER,
    "finite_number": NUMBER,
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "string_type": "write a text",
    "string_too_short": "write at least {min_length} characters",
    "string_too_long": "write at most {max_length} characters",
    "path_type": "write a path",
    "date_from_datetime_parsing": "write a day as YYYY-MM-DD",
    "date_parsing": "write a day as YYYY-MM-DD",
    "date_type": "write a day as YYYY-MM-DD",
    "dict_type": "write keys under it, one a line",
    "model_type": "write keys under it, one a line",
    "tuple_type": "write a list, such as [a, b]",
}


def any_of(words: Sequence[str]) -> str:
    """Return words as a choice: a, b or c."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


def mistakes(error: ValidationError, model: type[BaseModel], within: Place = ()) -> list[tuple[Place, str]]:
    """Return each mistake's place and a sentence about it; `within` is where the model itself stands."""
    return [
        ((*within, *found["loc"]), _sentence(found, model, within))
        for found in error.errors(include_url=False)
    ]


def _sentence(found: ErrorDetails, model: type[BaseModel], within: Place) -> str:
    place, kind, context = found["loc"], found["type"], found.get("ctx", {})
    name = ".".join(map(str, (*within, *place)))
    if kind == "missing":
        return f"{name} is missing; add a line `{place[-1]}: …`."
    if kind == "extra_forbidden":
        return _unknown_key(str(place[-1]), _keys(model, place[:-1]))
    if kind == "value_error":
        return f"{context['error']}."
    given = found["input"]
    is_what = "is blank" if given is None or given == "" else f"is {shown(given)}"
    remedy = REMEDIES[kind].format(**context) if kind in REMEDIES else found["msg"]
    if kind == "enum":
        remedy = remedy.replace("'", "")
    return f"{name} {is_what}; {remedy}."


def _unknown_key(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"the keys here are {', '.join(known)}."
    return f"There is no key {shown(key)}; {remedy}"


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that may stand at a place."""
    for step in place:
        annotation: Any = model.model_fields[str(step)].annotation
        choices = [annotation, *get_args(annotation)]
        model = next(
            choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)
        )
    return list(model.model_fields)
