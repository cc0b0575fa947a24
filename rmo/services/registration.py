"""A promise from a form: every field read at once, every problem told at once."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, count

from sqlmodel import Session, col, select

from rmo.domain.errors import ConflictError
from rmo.domain.exact import kept
from rmo.domain.parsing import parse_number
from rmo.domain.values import EVERYTHING, BenefitClass, Lifecycle, Problem, Ramp
from rmo.drawing import words
from rmo.services.benefits import Terms, approve_promise, register_benefit
from rmo.services.evaluation import evaluate
from rmo.services.panel import rhythm_of
from rmo.services.people import people
from rmo.storage import measures, register
from rmo.storage.tables import BenefitRow, KpiRow, ProgrammeRow, ProjectRow

REFERENCE = re.compile(r"[A-Z]{2,6}-\d{2,6}", re.ASCII)
EARLIEST, LATEST = 1950, 2150  # years in which a promise may lie
SMALLEST_SHARE = Decimal("0.0001")  # per cent: a millionth is what can be kept
RAMP_WORDS = {
    Ramp.LINEAR: "Evenly",
    Ramp.STEP: "All at once",
    Ramp.S_CURVE: "Slowly, then faster, then slowly",
    Ramp.FRONT_LOADED: "Most of it early",
    Ramp.BACK_LOADED: "Most of it late",
}


@dataclass(frozen=True)
class Choices:
    """What the form offers."""

    kpis: list[tuple[str, str]]
    owners: list[tuple[str, str]]
    projects: list[str]
    programmes: list[str]
    classes: list[tuple[str, str]]
    ramps: list[tuple[str, str]]
    next_reference: str


@dataclass(frozen=True)
class Registration:
    """A benefit and its promise, as read from a form."""

    reference: str
    title: str
    description: str
    programme: str
    project: str
    owner: str
    benefit_class: BenefitClass
    disbenefit: bool
    why: str
    terms: Terms


def choices(session: Session) -> Choices:
    """Return what there is to choose from."""
    references = session.exec(select(BenefitRow.reference).order_by(col(BenefitRow.reference))).all()
    return Choices(
        kpis=[(row.slug, f"{row.name}, {row.unit}") for row in measures.kpis(session, scope=EVERYTHING)],
        owners=[(row.email, row.position) for row in people(session).values() if row.active],
        projects=[row.name for row in register.projects(session, scope=EVERYTHING).values()],
        programmes=[row.name for row in register.programmes(session, scope=EVERYTHING).values()],
        classes=[(kind.value, words.class_word(kind)) for kind in BenefitClass],
        ramps=[(ramp.value, text) for ramp, text in RAMP_WORDS.items()],
        next_reference=_next_reference(references[-1] if references else "BEN-0000"),
    )


def _next_reference(newest: str) -> str:
    prefix, _, number = newest.rpartition("-")
    return f"{prefix}-{int(number) + 1:0{len(number)}d}" if number.isdigit() else ""


class _Reader:
    """Reads the fields of a form and remembers what is wrong with each."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.problems: list[Problem] = []

    def text(self, name: str, ask: str, *, longest: int = 200) -> str:
        value = self.form.get(name, "").strip()
        if not value:
            self.problems.append(Problem(name, ask))
        elif len(value) > longest:
            self.problems.append(Problem(name, f"Keep it under {longest} characters; it has {len(value)}."))
        return value

    def number(self, name: str, ask: str = "") -> Decimal | None:
        value = self.form.get(name, "").strip()
        if not value:
            if ask:
                self.problems.append(Problem(name, ask))
            return None
        try:
            return kept(parse_number(value))
        except ValueError as error:
            self.problems.append(Problem(name, str(error)))
            return None

    def day(self, name: str, ask: str) -> date | None:
        try:
            day = date.fromisoformat(self.form.get(name, "").strip())
        except ValueError:
            self.problems.append(Problem(name, ask))
            return None
        if not EARLIEST <= day.year <= LATEST:
            self.problems.append(Problem(name, f"Give a day between {EARLIEST} and {LATEST}."))
            return None
        return day

    def one_of(self, name: str, allowed: set[str], ask: str) -> str:
        value = self.form.get(name, "")
        if value not in allowed:
            self.problems.append(Problem(name, ask))
        return value


def read_registration(session: Session, form: Mapping[str, str]) -> tuple[Registration | None, list[Problem]]:
    """Return what a form says, or every problem in it."""
    offered = choices(session)
    reader = _Reader(form)
    reference = reader.text("reference", "Give a reference, such as NH-0041.").upper()
    if reference and not REFERENCE.fullmatch(reference):
        reader.problems.append(Problem("reference", "Write letters, a hyphen and digits, such as NH-0041."))
    elif session.get(BenefitRow, reference) is not None:
        reader.problems.append(Problem("reference", f"{reference} is taken; references are never reused."))
    title = reader.text("title", "Say what will change: Shorter stays on medical wards.")
    programme = reader.text("programme", "Name the programme.")
    project = reader.text("project", "Name the project that pays for it.")
    owner = reader.one_of("owner", {e for e, _ in offered.owners}, "Choose who answers for it.")
    kind = reader.one_of("benefit_class", {c for c, _ in offered.classes}, "Choose the class.")
    kpi = reader.one_of("kpi", {slug for slug, _ in offered.kpis}, "Choose the KPI that shows it.")
    ramp = reader.one_of("ramp", {r for r, _ in offered.ramps}, "Choose how the change arrives.")
    terms = _read_terms(session, reader, kpi, ramp)
    if reader.problems or terms is None:
        return None, reader.problems
    return (
        Registration(
            reference=reference,
            title=title,
            description=form.get("description", "").strip()[:2000],
            programme=programme,
            project=project,
            owner=owner,
            benefit_class=BenefitClass(kind),
            disbenefit=form.get("disbenefit") == "yes",
            why=form.get("why", "").strip()[:500] or "First approved case.",
            terms=terms,
        ),
        [],
    )


def _read_terms(session: Session, reader: _Reader, kpi: str, ramp: str) -> Terms | None:
    target = reader.number("target", "Give the level that is promised.")
    baseline = reader.number("baseline")
    unit_value = reader.number("unit_value")
    share = reader.number("claim_share", "Give the share of the KPI’s movement, in per cent.")
    first = reader.day("first", "Give the first day on which it counts.")
    full = reader.day("full", "Give the day on which the target is reached.")
    last = reader.day("last", "Give the day on which the promise ends.")
    if share is not None and not SMALLEST_SHARE <= share <= 100:
        told = f"Give a share of at least {SMALLEST_SHARE} and at most 100."
        reader.problems.append(Problem("claim_share", told))
    if first and full and full < first:
        reader.problems.append(Problem("full", "The target is reached before the promise starts."))
    if first and last and last < first:
        reader.problems.append(Problem("last", "The promise ends before it starts."))
    elif full and last and last < full:
        reader.problems.append(Problem("last", "The promise ends before its target is reached."))
    if reader.problems or first is None or full is None or last is None or target is None or share is None:
        return None
    row = measures.kpi_by_slug(session, kpi)
    window = _window(session, row, first) if baseline is None else None
    if baseline is None and window is None:
        ask = f"{row.name} has no reading before the start; state the baseline."
        reader.problems.append(Problem("baseline", ask))
        return None
    rhythm = rhythm_of(row)
    return Terms(
        kpi=kpi,
        first=first,
        last=last,
        target=target,
        ramp=Ramp(ramp),
        ramp_periods=rhythm.index(full) - rhythm.index(first) + 1,
        baseline=baseline,
        baseline_first=window[0] if window else None,
        baseline_last=window[1] if window else None,
        claim_share=share / 100,
        unit_value=unit_value,
    )


def _window(session: Session, kpi: KpiRow, first: date) -> tuple[date, date] | None:
    """Return the year before a start, as far as it has readings."""
    rhythm = rhythm_of(kpi)
    start = rhythm.period_of(first)
    year_ago = date(start.year - 1, start.month, 1)
    known = [p for p in measures.readings(session, [kpi.slug])[kpi.slug] if year_ago <= p < start]
    return (min(known), max(known)) if known else None


def register_promise(session: Session, given: Registration, *, by: str, now: datetime, today: date) -> None:
    """Keep a benefit with its approved promise, and judge it at once.

    Raises ConflictError when its claim does not fit beside the others.
    """
    project = _project(session, given)
    row = BenefitRow(
        reference=given.reference,
        title=given.title,
        description=given.description,
        benefit_class=given.benefit_class,
        disbenefit=given.disbenefit,
        project=project.slug,
        owner=given.owner,
        lifecycle=Lifecycle.VALIDATED,
        created_at=now,
    )
    register_benefit(session, row, now=now, by=by)
    approve_promise(session, given.reference, given.terms, by=by, why=given.why, now=now)
    evaluate(session, now=now, today=today, kpis={given.terms.kpi})


def _project(session: Session, given: Registration) -> ProjectRow:
    """Return the project of a name, made anew where there is none yet."""
    programmes = {row.name.casefold(): row for row in register.programmes(session, scope=EVERYTHING).values()}
    projects = {row.name.casefold(): row for row in register.projects(session, scope=EVERYTHING).values()}
    programme = programmes.get(given.programme.casefold())
    if programme is None:
        taken = {row.slug for row in programmes.values()}
        programme = ProgrammeRow(slug=_slug(given.programme, taken), name=given.programme)
        session.add(programme)
        session.flush()
    project = projects.get(given.project.casefold())
    if project is None:
        taken = {row.slug for row in projects.values()}
        project = ProjectRow(slug=_slug(given.project, taken), name=given.project, programme=programme.slug)
        session.add(project)
        session.flush()
    elif project.programme != programme.slug:
        raise ConflictError(f"{project.name} belongs to another programme; name that one.")
    return project


def _slug(name: str, taken: Collection[str]) -> str:
    """Return a name as it is written in an address, with a number where another has it already."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:70] or "unnamed"
    numbered = (f"{plain}-{number}" for number in count(2))
    return next(slug for slug in chain([plain], numbered) if slug not in taken)
