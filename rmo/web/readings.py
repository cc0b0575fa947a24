"""What I owe: one grid to give and correct readings."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmo.domain.errors import ConflictError
from rmo.domain.values import Problem
from rmo.drawing import words
from rmo.services.my_month import LONGEST, hand_in, my_month, parse_cells
from rmo.web.context import EVERYBODY, allow, now, person, read, today, write

bp = Blueprint("readings", __name__, url_prefix="/readings")


@bp.get("")
@allow(EVERYBODY)
def grid() -> ResponseReturnValue:
    """Show everything that the person owes."""
    return _grid({}, [])


@bp.post("")
@allow(EVERYBODY)
def keep() -> ResponseReturnValue:
    """Keep the readings, or show the grid again with every problem beside its cell and nothing kept."""
    typed = {name: value[: LONGEST + 1] for name, value in request.form.items() if "." in name}
    try:
        with write() as session:
            given, problems = parse_cells(session, typed, person().email, today=today())
            count = sum(len(readings) for readings in given.values())
            if not problems:
                changes = hand_in(session, given, by=person().email, now=now(), today=today())
    except ConflictError as error:
        return _grid(typed, [Problem("", str(error))]), 422
    if problems:
        return _grid(typed, problems), 422
    flash(_told(count, changes.verdicts) if count else "There was nothing new to keep.")
    return redirect(url_for(".grid"), 303)


def _told(count: int, verdicts: int) -> str:
    kept = f"{words.capital(words.count_word(count))} {'reading is' if count == 1 else 'readings are'} kept"
    if verdicts == 0:
        return f"{kept}; no verdict changed."
    return f"{kept}; {words.count(verdicts, 'verdict')} {'was' if verdicts == 1 else 'were'} written anew."


def _grid(typed: dict[str, str], problems: list[Problem]) -> str:
    with read() as session:
        page = my_month(session, person().email, today=today())
    return render_template(
        "readings/grid.html",
        page=page,
        typed=typed,
        problems=problems,
        wrong={problem.place: problem.message for problem in problems},
        today=today(),
    )
