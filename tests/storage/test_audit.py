"""The revision counts every change, also of two transactions at once, and none that was taken back."""

import threading

import pytest
from sqlalchemy.engine import Engine

from rmo.storage.audit import count_up, revision
from rmo.storage.database import reading, transaction


def newest(engine: Engine) -> int:
    with reading(engine) as session:
        return revision(session)


def test_the_revision_counts_up_with_every_change(engine: Engine):
    seen = [newest(engine)]
    for _ in range(3):
        with transaction(engine) as session:
            count_up(session)
            count_up(session)
        seen.append(newest(engine))

    assert seen == sorted(set(seen))


def test_a_change_that_is_taken_back_does_not_count(engine: Engine):
    with transaction(engine) as session:
        count_up(session)
    before = newest(engine)

    with pytest.raises(LookupError), transaction(engine) as session:
        count_up(session)
        raise LookupError

    assert newest(engine) == before


def test_two_transactions_at_once_never_leave_the_same_number(engine: Engine):
    with transaction(engine) as session:
        count_up(session)
    before, times = newest(engine), 20

    def change() -> None:
        for _ in range(times):
            with transaction(engine) as session:
                revision(session)
                count_up(session)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert newest(engine) == before + 4 * times
