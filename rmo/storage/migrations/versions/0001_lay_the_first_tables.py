"""Lay the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
EXACT = sa.String(54).with_variant(sa.Numeric(), "postgresql")
MOMENT = sa.String(32).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(254), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("period_key", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(998), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("queued_at", MOMENT, nullable=False),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("worker", sa.String(200), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "kind", "recipient", "period_key", name=op.f("uq_delivery_kind_recipient_period_key")
        ),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_state"), ["state"], unique=False)

    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("period_key", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("worker", sa.String(200), nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "period_key", name=op.f("uq_job_run_job_period_key")),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_table(
        "setting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sa.UniqueConstraint(
            "name", "effective_from", "known_at", name=op.f("uq_setting_name_effective_from_known_at")
        ),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    with op.batch_alter_table("sign_in_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_attempt_address_at", ["address", "at"], unique=False)
        batch_op.create_index("ix_sign_in_attempt_email_at", ["email", "at"], unique=False)

    op.create_table(
        "unit",
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("parent", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["unit.slug"], name=op.f("fk_unit_parent")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_unit")),
    )
    op.create_table(
        "person",
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("position", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(80), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("theme", sa.String(8), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.slug"], name=op.f("fk_person_unit")),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_person")),
    )
    op.create_table(
        "kpi",
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(200), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(32), nullable=False),
        sa.Column("range_low", EXACT, nullable=True),
        sa.Column("range_high", EXACT, nullable=True),
        sa.Column("frequency", sa.String(32), nullable=False),
        sa.Column("year_start", sa.Integer(), nullable=False),
        sa.Column("behaviour", sa.String(32), nullable=False),
        sa.Column("per", EXACT, nullable=False),
        sa.Column("valid_low", EXACT, nullable=True),
        sa.Column("valid_high", EXACT, nullable=True),
        sa.Column("due_working_days", sa.Integer(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("measurer", sa.String(254), nullable=True),
        sa.Column("connector", sa.String(80), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("from_file", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("part_of", sa.String(80), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["measurer"], ["person.email"], name=op.f("fk_kpi_measurer")),
        sa.ForeignKeyConstraint(["part_of"], ["kpi.slug"], name=op.f("fk_kpi_part_of")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_kpi")),
    )
    op.create_table(
        "programme",
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("sponsor", sa.String(254), nullable=True),
        sa.Column("unit", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["sponsor"], ["person.email"], name=op.f("fk_programme_sponsor")),
        sa.ForeignKeyConstraint(["unit"], ["unit.slug"], name=op.f("fk_programme_unit")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_programme")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.String(254), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.email"], name=op.f("fk_sign_in_link_person")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.String(254), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.email"], name=op.f("fk_web_session_person")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_session_person"), ["person"], unique=False)

    op.create_table(
        "kpi_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kpi", sa.String(80), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["kpi"], ["kpi.slug"], name=op.f("fk_kpi_version_kpi")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_version")),
        sa.UniqueConstraint("kpi", "known_at", name=op.f("uq_kpi_version_kpi_known_at")),
    )
    op.create_table(
        "project",
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("programme", sa.String(80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("go_live", sa.Date(), nullable=True),
        sa.Column("cost_pennies", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["programme"], ["programme.slug"], name=op.f("fk_project_programme")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_project")),
    )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_programme"), ["programme"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kpi", sa.String(80), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("corrected", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["kpi"], ["kpi.slug"], name=op.f("fk_run_kpi")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_kpi"), ["kpi"], unique=False)

    op.create_table(
        "benefit",
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("benefit_class", sa.String(32), nullable=False),
        sa.Column("disbenefit", sa.Boolean(), nullable=False),
        sa.Column("project", sa.String(80), nullable=False),
        sa.Column("unit", sa.String(80), nullable=True),
        sa.Column("owner", sa.String(254), nullable=False),
        sa.Column("lifecycle", sa.String(32), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by", sa.String(254), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.email"], name=op.f("fk_benefit_confirmed_by")),
        sa.ForeignKeyConstraint(["owner"], ["person.email"], name=op.f("fk_benefit_owner")),
        sa.ForeignKeyConstraint(["project"], ["project.slug"], name=op.f("fk_benefit_project")),
        sa.ForeignKeyConstraint(["unit"], ["unit.slug"], name=op.f("fk_benefit_unit")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_benefit")),
    )
    with op.batch_alter_table("benefit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_benefit_owner"), ["owner"], unique=False)
        batch_op.create_index(batch_op.f("ix_benefit_project"), ["project"], unique=False)

    op.create_table(
        "reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kpi", sa.String(80), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("value", EXACT, nullable=True),
        sa.Column("numerator", EXACT, nullable=True),
        sa.Column("denominator", EXACT, nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("entered_by", sa.String(254), nullable=True),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entered_by"], ["person.email"], name=op.f("fk_reading_entered_by")),
        sa.ForeignKeyConstraint(["kpi"], ["kpi.slug"], name=op.f("fk_reading_kpi")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_reading_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
        sa.UniqueConstraint("kpi", "period", "known_at", name=op.f("uq_reading_kpi_period_known_at")),
    )
    op.create_table(
        "gap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_period", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_by", sa.String(254), nullable=True),
        sa.Column("reason_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["benefit"], ["benefit.reference"], name=op.f("fk_gap_benefit")),
        sa.ForeignKeyConstraint(["reason_by"], ["person.email"], name=op.f("fk_gap_reason_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
    )
    with op.batch_alter_table("gap", schema=None) as batch_op:
        batch_op.create_index("ix_gap_benefit_kind", ["benefit", "kind"], unique=False)

    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kpi", sa.String(80), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("approved_by", sa.String(254), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("ramp", sa.String(32), nullable=False),
        sa.Column("ramp_periods", sa.Integer(), nullable=False),
        sa.Column("target", EXACT, nullable=False),
        sa.Column("baseline_first", sa.Date(), nullable=True),
        sa.Column("baseline_last", sa.Date(), nullable=True),
        sa.Column("baseline_method", sa.String(16), nullable=False),
        sa.Column("baseline_spread", EXACT, nullable=True),
        sa.Column("tolerance_ppm", sa.Integer(), nullable=False),
        sa.Column("claim_share_ppm", sa.Integer(), nullable=False),
        sa.Column("unit_value", EXACT, nullable=True),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.CheckConstraint("claim_share_ppm between 0 and 1000000", name=op.f("ck_promise_claim_share")),
        sa.CheckConstraint("last >= first", name=op.f("ck_promise_order")),
        sa.ForeignKeyConstraint(["approved_by"], ["person.email"], name=op.f("fk_promise_approved_by")),
        sa.ForeignKeyConstraint(["benefit"], ["benefit.reference"], name=op.f("fk_promise_benefit")),
        sa.ForeignKeyConstraint(["kpi"], ["kpi.slug"], name=op.f("fk_promise_kpi")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sa.UniqueConstraint("benefit", "version", name=op.f("uq_promise_benefit_version")),
    )
    with op.batch_alter_table("promise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promise_kpi"), ["kpi"], unique=False)

    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gap", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(254), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["gap"], ["gap.id"], name=op.f("fk_action_gap")),
        sa.ForeignKeyConstraint(["owner"], ["person.email"], name=op.f("fk_action_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_action_gap"), ["gap"], unique=False)

    op.create_table(
        "atoms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit", sa.String(80), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("promise", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["benefit"], ["benefit.reference"], name=op.f("fk_atoms_benefit")),
        sa.ForeignKeyConstraint(["promise"], ["promise.id"], name=op.f("fk_atoms_promise")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_atoms")),
        sa.UniqueConstraint("benefit", "known_at", name=op.f("uq_atoms_benefit_known_at")),
    )
    op.create_table(
        "promise_point",
        sa.Column("promise", sa.Integer(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("baseline", EXACT, nullable=False),
        sa.Column("planned", EXACT, nullable=False),
        sa.ForeignKeyConstraint(["promise"], ["promise.id"], name=op.f("fk_promise_point_promise")),
        sa.PrimaryKeyConstraint("promise", "period", name=op.f("pk_promise_point")),
    )
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("benefit", sa.String(80), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(32), nullable=True),
        sa.Column("data", sa.String(32), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("planned", EXACT, nullable=True),
        sa.Column("actual", EXACT, nullable=True),
        sa.Column("baseline", EXACT, nullable=True),
        sa.Column("planned_to_date", EXACT, nullable=True),
        sa.Column("realised_to_date", EXACT, nullable=True),
        sa.Column("chance", EXACT, nullable=True),
        sa.Column("short_since", EXACT, nullable=True),
        sa.Column("surprise", EXACT, nullable=True),
        sa.Column("concern", sa.Boolean(), nullable=False),
        sa.Column("alarm", sa.String(200), nullable=False),
        sa.Column("effect", EXACT, nullable=True),
        sa.Column("effect_low", EXACT, nullable=True),
        sa.Column("effect_high", EXACT, nullable=True),
        sa.Column("outlook", sa.LargeBinary(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("promise", sa.Integer(), nullable=False),
        sa.Column("reading", sa.Integer(), nullable=True),
        sa.Column("inputs_hash", sa.String(64), nullable=False),
        sa.Column("rules", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["benefit"], ["benefit.reference"], name=op.f("fk_verdict_benefit")),
        sa.ForeignKeyConstraint(["promise"], ["promise.id"], name=op.f("fk_verdict_promise")),
        sa.ForeignKeyConstraint(["reading"], ["reading.id"], name=op.f("fk_verdict_reading")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("benefit", "period", "known_at", name=op.f("uq_verdict_benefit_period_known_at")),
    )
