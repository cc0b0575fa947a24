"""The office's page: people, sources and runs, jobs, mails, and the trail."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmo.domain.errors import ConflictError
from rmo.domain.values import Role
from rmo.services import people
from rmo.services.office import office as office_page
from rmo.web.context import OFFICE, allow, house, now, person, read, write

bp = Blueprint("organisation", __name__, url_prefix="/office")
ROLES = [(role.value, role.value.replace("_", " ").capitalize()) for role in Role]


@bp.get("")
@allow(OFFICE)
def office() -> ResponseReturnValue:
    """Show the state of the machine."""
    return _office({}, "")


@bp.post("/people")
@allow(OFFICE)
def add_person() -> ResponseReturnValue:
    """Add a person and show the link with which they sign in, once."""
    form = request.form
    try:
        if form.get("role") not in {value for value, _ in ROLES}:
            raise ConflictError("Choose a role.")
        if not form.get("position", "").strip():
            raise ConflictError("Say the person’s position, such as Director of operations.")
        with write() as session:
            row = people.add_person(
                session,
                email=form.get("email", ""),
                name=form.get("name", "").strip() or form["position"].strip(),
                position=form["position"].strip(),
                role=Role(form["role"]),
                now=now(),
                by=person().email,
            )
            session.flush()
            token = people.make_link(session, row.email, now=now())
    except ConflictError as error:
        return _office(form.to_dict(), str(error)), 422
    link = f"{house().settings.base_url}{url_for('account.show_link', token=token)}"
    flash(f"{row.position} is added. Their link, good once and for a day: {link}")
    return redirect(url_for(".office") + "#people", 303)


def _office(form: dict[str, str], problem: str) -> str:
    with read() as session:
        page = office_page(session)
    return render_template(
        "organisation/office.html",
        page=page,
        roles=ROLES,
        form=form,
        problem=problem,
        zone=house().settings.tz,
    )
