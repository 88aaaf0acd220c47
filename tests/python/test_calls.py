"""Which calls keep the threads of Python from running: only what never waits, or is told not to."""

import re
from pathlib import Path

import atoll
from atoll import _lanes

#: What a call of the package looks like that does so.
KEEPING = re.compile(
    r'quick\.(atoll_\w+)|bare\("(\w+)"\)|getattr\(quick, (\w+)\)|(?:bare\(|getattr\(quick, )f"(.*?)"'
)

NEVER_WAIT = """
    atoll_array_data atoll_array_info atoll_barrier_abort atoll_barrier_arrive
    atoll_barrier_release atoll_barrier_reset atoll_barrier_stat atoll_condvar_cancel_wait atoll_condvar_notify_all
    atoll_condvar_notify_many atoll_condvar_notify_one atoll_condvar_prepare_wait atoll_event_clear atoll_event_is_set atoll_event_set
    atoll_event_sets atoll_last_error atoll_latch_count atoll_latch_count_down atoll_mutex_dead_owner
    atoll_mutex_mark_consistent atoll_mutex_owner atoll_mutex_place atoll_mutex_unlock
    atoll_event_place atoll_waiter_finish atoll_rwlock_dead_owner atoll_rwlock_mark_consistent atoll_rwlock_owner
    atoll_rwlock_read_unlock atoll_rwlock_readers atoll_rwlock_write_unlock atoll_semaphore_release atoll_semaphore_stat
    atoll_transaction_abort atoll_value_data atoll_value_load atoll_value_type
    atoll_value_fetch_add atoll_value_fetch_and atoll_value_fetch_max atoll_value_fetch_min
    atoll_value_fetch_or atoll_value_fetch_sub atoll_value_fetch_xor
    atoll_{noun}_{verb} atoll_{self._noun}_info atoll_{self._noun}_leave
"""

#: Verbs of rings.
NEVER_WAIT_IN_RINGS = "push push_n pop pop_n claim commit abandon peek advance"

#: Called with a time-out of 0 first, and without keeping anybody if that was not enough. `name`
#: is what writes large values.
NOT_TO_WAIT = """
    atoll_mutex_lock atoll_rwlock_read_lock atoll_rwlock_write_lock atoll_semaphore_acquire
    atoll_transaction_begin atoll_transaction_store name
"""


def test_what_waits_lets_other_threads_run():
    sources = [source.read_text() for source in Path(atoll.__file__).parent.glob("*.py")]
    found = {word for text in sources for hit in KEEPING.findall(text) for word in hit if word}
    assert found == {*NEVER_WAIT.split(), *NOT_TO_WAIT.split()}
    assert _lanes.LaneCalls.VERBS == tuple(NEVER_WAIT_IN_RINGS.split())
