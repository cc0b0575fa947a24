"""The demo's portfolio: who is in it, which projects are paid for, and what was promised. The promises are ours."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from rmo.domain.values import BenefitClass, Lifecycle, Ramp, Role
from rmo.services.benefits import Terms

C = BenefitClass
PEOPLE: Final = (
    ("executive@example.org", "Chief executive", Role.EXECUTIVE),
    ("operations@example.org", "Director of operations", Role.OWNER),
    ("nursing@example.org", "Chief nurse", Role.OWNER),
    ("transport@example.org", "Head of licensing", Role.OWNER),
    ("growth@example.org", "Director of growth", Role.OWNER),
    ("measurer@example.org", "Head of patient flow", Role.MEASURER),
    ("analyst@example.org", "RMO analyst", Role.ANALYST),
    ("finance@example.org", "Finance validator", Role.FINANCE),
    ("sponsor@example.org", "Programme sponsor", Role.SPONSOR),
    ("auditor@example.org", "Internal auditor", Role.AUDITOR),
    ("projects@example.org", "Project manager", Role.PROJECT_MANAGER),
    ("administrator@example.org", "Administrator", Role.ADMINISTRATOR),
)
PROGRAMMES: Final = (
    ("emergency-care", "Emergency care"),
    ("digital-growth", "Digital growth"),
    ("city-transport", "City transport"),
)
# Names of the first six and their whole-life costs in million pounds: NISTA Major Projects data 2024-25, OGL v3.0.
PROJECTS: Final = (
    ("frontline-digitisation", "Frontline Digitisation", "emergency-care", Decimal("2035.2")),
    ("federated-data-platform", "Federated Data Platform", "emergency-care", Decimal("1042.0")),
    ("digitising-social-care", "Digitising Social Care", "emergency-care", Decimal("598.0")),
    ("new-hospital-programme", "New Hospital Programme", "emergency-care", Decimal("60008")),
    ("project-gigabit", "Project Gigabit", "digital-growth", Decimal("5404.0")),
    ("shared-rural-network", "Shared Rural Network", "digital-growth", Decimal("512.0")),
    ("evening-licences", "Evening licences", "city-transport", None),
    ("station-ranks", "Station ranks", "city-transport", None),
)


@dataclass(frozen=True)
class Promised:
    """A benefit of the demo and what was promised of it."""

    reference: str
    title: str
    description: str
    project: str
    owner: str
    benefit_class: BenefitClass
    terms: Terms
    disbenefit: bool = False
    lifecycle: Lifecycle = Lifecycle.REALISING


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _monthly(
    kpi: str,
    first: str,
    last: str,
    target: str,
    worth: str | None,
    *,
    ramp: Ramp = Ramp.LINEAR,
    over: int = 12,
    window: tuple[str, str] = ("2016-04", "2017-03"),
    share: str = "1",
) -> Terms:
    """Return a monthly promise whose baseline is the mean of a window."""
    return Terms(
        kpi=kpi,
        first=_month(first),
        last=_month(last),
        target=Decimal(target),
        ramp=ramp,
        ramp_periods=over,
        baseline_first=_month(window[0]),
        baseline_last=_month(window[1]),
        claim_share=Decimal(share),
        unit_value=Decimal(worth) if worth else None,
    )


PROMISES: Final = (
    Promised(
        "DEM-0001",
        "More patients seen within four hours at Chelsea",
        "Rapid assessment at the door, so that fewer patients wait for a first decision.",
        "frontline-digitisation",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly("ae_four_hours_chelsea", "2017-04", "2018-06", "92.5", "40000"),
    ),
    Promised(
        "DEM-0002",
        "Fewer emergency admissions at Leeds",
        "Same-day care replaces short stays.",
        "federated-data-platform",
        "operations@example.org",
        C.CASHABLE,
        _monthly(
            "ae_admissions_leeds", "2016-10", "2018-03", "5200", "150", over=6, window=("2016-04", "2016-09")
        ),
    ),
    Promised(
        "DEM-0003",
        "Shorter waits at Barking",
        "A second assessment team on evenings and weekends.",
        "frontline-digitisation",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly("ae_waits_barking", "2017-04", "2018-03", "12.0", "30000", over=9),
    ),
    Promised(
        "DEM-0004",
        "Fewer emergency admissions at Pennine",
        "Community teams take over care that led to short stays.",
        "digitising-social-care",
        "operations@example.org",
        C.CASHABLE,
        _monthly("ae_admissions_pennine", "2017-04", "2018-06", "4700", "150"),
    ),
    Promised(
        "DEM-0005",
        "Shorter waits at King’s",
        "Bed availability is known by the hour, across both sites.",
        "federated-data-platform",
        "operations@example.org",
        C.NON_CASHABLE,
        _monthly("ae_waits_kings", "2017-10", "2019-09", "18.0", "45000"),
    ),
    Promised(
        "DEM-0006",
        "Shorter waits at Leicester",
        "A new emergency building opens in stages.",
        "new-hospital-programme",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly(
            "ae_waits_leicester",
            "2017-04",
            "2019-06",
            "25.0",
            "50000",
            ramp=Ramp.S_CURVE,
            over=18,
            share="0.7",
        ),
    ),
    Promised(
        "DEM-0007",
        "Shorter waits at Leeds",
        "Streaming at the front door from April 2017.",
        "frontline-digitisation",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly("ae_waits_leeds", "2017-04", "2019-03", "13.5", "35000", ramp=Ramp.STEP, over=1),
    ),
    Promised(
        "DEM-0008",
        "More patients seen within four hours at Frimley",
        "Paperless handover from the ambulance.",
        "frontline-digitisation",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly(
            "ae_four_hours_frimley", "2018-07", "2020-06", "93.0", "30000", window=("2017-07", "2018-06")
        ),
    ),
    Promised(
        "DEM-0009",
        "Fewer attendances at Barts",
        "Urgent cases are booked elsewhere before they travel.",
        "digitising-social-care",
        "operations@example.org",
        C.COST_AVOIDANCE,
        _monthly("ae_attendances_barts", "2018-05", "2020-04", "26500", "95", window=("2017-05", "2018-04")),
    ),
    Promised(
        "DEM-0010",
        "More attendances at Chelsea, as its neighbours close",
        "Patients who went elsewhere come here; each costs the department more than it is paid.",
        "new-hospital-programme",
        "operations@example.org",
        C.CASHABLE,
        _monthly("ae_attendances_chelsea", "2017-04", "2019-03", "17000", "30"),
        disbenefit=True,
    ),
    Promised(
        "DEM-0011",
        "Discharge before noon at Leicester",
        "Beds are free when the evening’s patients need them.",
        "federated-data-platform",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly(
            "ae_waits_leicester", "2017-10", "2018-06", "29.0", "50000", ramp=Ramp.STEP, over=1, share="0.6"
        ),
    ),
    Promised(
        "DEM-0012",
        "Shorter waits at Hillingdon",
        "A clinical decision unit beside the department.",
        "new-hospital-programme",
        "nursing@example.org",
        C.NON_CASHABLE,
        _monthly("ae_waits_hillingdon", "2018-01", "2019-12", "36.0", "20000", over=8),
    ),
    Promised(
        "DEM-0013",
        "More taxi trips after ten in the evening",
        "More evening licences; the fee is a fixed sum a trip.",
        "evening-licences",
        "transport@example.org",
        C.CASHABLE,
        Terms(
            kpi="nyc_taxi_trips_day",
            first=date(2014, 10, 1),
            last=date(2015, 9, 30),
            target=Decimal(770000),
            ramp_periods=120,
            baseline_first=date(2014, 7, 1),
            baseline_last=date(2014, 9, 30),
            unit_value=Decimal("0.05"),
        ),
    ),
    Promised(
        "DEM-0014",
        "More taxi trips from the stations",
        "Ranks at four stations are open all day.",
        "station-ranks",
        "transport@example.org",
        C.QUANTIFIED,
        Terms(
            kpi="nyc_taxi_trips_week",
            first=date(2014, 9, 1),
            last=date(2014, 12, 15),
            target=Decimal(5200000),
            ramp=Ramp.STEP,
            ramp_periods=1,
            baseline_first=date(2014, 7, 7),
            baseline_last=date(2014, 8, 31),
        ),
    ),
    Promised(
        "DEM-0015",
        "A larger economy with fast lines everywhere",
        "What the country produces a year, with the network built out.",
        "project-gigabit",
        "growth@example.org",
        C.QUANTIFIED,
        Terms(
            kpi="uk_gdp",
            first=date(2012, 1, 1),
            last=date(2018, 1, 1),
            target=Decimal(1850000000000),
            ramp_periods=7,
            baseline_first=date(2011, 1, 1),
            baseline_last=date(2011, 1, 1),
        ),
    ),
    Promised(
        "DEM-0016",
        "More patients seen within four hours in England",
        "Remote consultations take pressure from emergency departments.",
        "shared-rural-network",
        "growth@example.org",
        C.QUANTIFIED,
        _monthly("ae_four_hours_england", "2017-10", "2019-09", "92.0", None),
    ),
    Promised(
        "DEM-0017",
        "Fewer patients admitted from emergency at Leeds",
        "Senior doctors decide at the front door.",
        "federated-data-platform",
        "operations@example.org",
        C.NON_CASHABLE,
        _monthly("ae_admitted_share_leeds", "2017-10", "2019-09", "30.0", "25000", over=9),
    ),
    Promised(
        "DEM-0018",
        "Fewer attendances at King’s",
        "Urgent treatment centres open beside the main site.",
        "digitising-social-care",
        "operations@example.org",
        C.COST_AVOIDANCE,
        _monthly("ae_attendances_kings", "2017-10", "2019-09", "16300", "95"),
    ),
)
BY_HAND: Final = ("ae_admitted_share_leeds", "RR8", "measurer@example.org")
ANSWERS: Final = (  # reference, reason, action, who acts, days until due
    ("DEM-0005", "The second site came on line five months late.", "Open the missing feed and repeat the training", "operations@example.org", 24),
    ("DEM-0007", "Streaming stops whenever the evening shift is short of a senior nurse.", "Fill two senior posts on evenings", "nursing@example.org", 45),
    ("DEM-0010", "The neighbour’s closure came a year earlier than planned.", "Agree a transfer of funds with the neighbour", "operations@example.org", 12),
    ("DEM-0013", "", "Ask the licensing system’s supplier for the feed", "transport@example.org", 30),
)  # fmt: skip
