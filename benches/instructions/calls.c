/* calls SEGMENT: what operations take through the C interface. */
#include "marks.h"

static const char *segment_name;
static atoll_segment *segment;
static atoll_mutex *mutex, *recursive;
static atoll_value *one, *two;
static atoll_event *event, *unset;
static atoll_latch *latch;
static atoll_rwlock *rwlock;
static atoll_semaphore *semaphore, *tracked;
static atoll_lock *lock;
static atoll_condvar *condvar;
static atoll_barrier *barrier;
static atoll_spsc *spsc;
static atoll_fanin *fanin;
static atoll_mpmc *mpmc, *messages;
static const atoll_type number = ATOLL_TYPE_I64, message = ATOLL_TYPE_MESSAGE;

static void remove_segment(void) {
    atoll_segment_unlink(segment_name);
}

static void set_up(void) {
    const atoll_mutex_options again = {.struct_size = sizeof again, .recursive = true};
    const atoll_semaphore_options one_permit = {.struct_size = sizeof one_permit, .value = 1};
    const atoll_semaphore_options one_tracked = {
        .struct_size = sizeof one_tracked, .value = 1, .tracked = 1};
    atoll_ring_options ring = {.struct_size = sizeof ring, .capacity = 64};
    need(atoll_segment_create(segment_name, NULL, &segment));
    atexit(remove_segment);
    need(atoll_mutex_create(segment, NULL, NULL, &mutex));
    need(atoll_mutex_create(segment, NULL, &again, &recursive));
    need(atoll_value_create(segment, NULL, &number, &one));
    need(atoll_value_create(segment, NULL, &number, &two));
    need(atoll_event_create(segment, NULL, &event));
    need(atoll_event_set(event));
    need(atoll_event_create(segment, NULL, &unset));
    need(atoll_latch_create(segment, NULL, 0, &latch));
    need(atoll_rwlock_create(segment, NULL, &rwlock));
    need(atoll_semaphore_create(segment, NULL, &one_permit, &semaphore));
    need(atoll_semaphore_create(segment, NULL, &one_tracked, &tracked));
    need(atoll_lock_create(segment, NULL, &lock));
    need(atoll_condvar_create(segment, NULL, &condvar));
    need(atoll_barrier_create(segment, NULL, 1, &barrier));
    need(atoll_spsc_create(segment, NULL, &number, &ring, &spsc));
    need(atoll_mpmc_create(segment, NULL, &number, &ring, &mpmc));
    need(atoll_mpmc_create(segment, NULL, &message, &ring, &messages));
    ring.lanes = 4;
    need(atoll_fanin_create(segment, NULL, &number, &ring, &fanin));
}

static void lock_unlock(long operations) {
    while (operations-- > 0) {
        need(atoll_mutex_lock(mutex, ATOLL_FOREVER));
        need(atoll_mutex_unlock(mutex));
    }
}

static void lock_unlock_recursive(long operations) {
    while (operations-- > 0) {
        need(atoll_mutex_lock(recursive, ATOLL_FOREVER));
        need(atoll_mutex_unlock(recursive));
    }
}

static void lock_unlock_again(long operations) {
    need(atoll_mutex_lock(recursive, ATOLL_FOREVER));
    lock_unlock_recursive(operations);
    need(atoll_mutex_unlock(recursive));
}

static void load(long operations) {
    int64_t loaded;
    while (operations-- > 0)
        need(atoll_value_load(one, &loaded, sizeof loaded, NULL));
}

static void store(long operations) {
    while (operations-- > 0)
        need(atoll_value_store(one, &operations, sizeof operations, ATOLL_FOREVER));
}

static void fetch_add(long operations) {
    const int64_t operand = 1;
    int64_t old;
    while (operations-- > 0)
        need(atoll_value_fetch_add(one, &operand, sizeof operand, &old, sizeof old, NULL));
}

static void read_lock_unlock(long operations) {
    while (operations-- > 0) {
        need(atoll_rwlock_read_lock(rwlock, ATOLL_FOREVER));
        need(atoll_rwlock_read_unlock(rwlock));
    }
}

static void write_lock_unlock(long operations) {
    while (operations-- > 0) {
        need(atoll_rwlock_write_lock(rwlock, ATOLL_FOREVER));
        need(atoll_rwlock_write_unlock(rwlock));
    }
}

static void acquire_release(atoll_semaphore *from, long operations) {
    while (operations-- > 0) {
        need(atoll_semaphore_acquire(from, ATOLL_FOREVER));
        need(atoll_semaphore_release(from, 1));
    }
}

static void acquire_release_plain(long operations) {
    acquire_release(semaphore, operations);
}

static void acquire_release_tracked(long operations) {
    acquire_release(tracked, operations);
}

static void acquire_release_lock(long operations) {
    while (operations-- > 0) {
        need(atoll_lock_acquire(lock, ATOLL_FOREVER, NULL));
        need(atoll_lock_release(lock));
    }
}

static void notify_nobody(long operations) {
    while (operations-- > 0)
        need(atoll_condvar_notify_one(condvar));
}

static void arrive_alone(long operations) {
    while (operations-- > 0)
        need(atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
}

static void is_set(long operations) {
    bool answer;
    while (operations-- > 0)
        need(atoll_event_is_set(event, &answer));
}

static void wait_for_event(long operations) {
    while (operations-- > 0)
        need(atoll_event_wait(event, ATOLL_FOREVER));
}

static void set_clear(long operations) {
    while (operations-- > 0) {
        need(atoll_event_set(unset));
        need(atoll_event_clear(unset));
    }
}

static void wait_for_latch(long operations) {
    while (operations-- > 0)
        need(atoll_latch_wait(latch, ATOLL_FOREVER));
}

static void store_both(long operations) {
    while (operations-- > 0) {
        atoll_transaction *transaction;
        need(atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction));
        need(atoll_transaction_store(transaction, one, &operations, 8, ATOLL_FOREVER));
        need(atoll_transaction_store(transaction, two, &operations, 8, ATOLL_FOREVER));
        need(atoll_transaction_commit(transaction));
    }
}

static void create_close(long operations) {
    while (operations-- > 0) {
        atoll_value *value;
        need(atoll_value_create(segment, NULL, &number, &value));
        need(atoll_value_close(value));
    }
}

static void push_pop_spsc(long operations) {
    int64_t out;
    while (operations-- > 0) {
        need(atoll_spsc_push(spsc, &operations, sizeof out));
        need(atoll_spsc_pop(spsc, &out, sizeof out, NULL));
    }
}

static void push_pop_spsc_32(long operations) {
    int64_t records[32] = {0};
    size_t n;
    while (operations-- > 0) {
        need(atoll_spsc_push_n(spsc, records, 32, &n));
        need(atoll_spsc_pop_n(spsc, records, 32, &n));
    }
}

static void push_pop_spsc_in_place(long operations) {
    void *places;
    const void *records;
    size_t n;
    while (operations-- > 0) {
        need(atoll_spsc_claim(spsc, 1, &places, &n));
        need(atoll_spsc_commit(spsc, 1));
        need(atoll_spsc_peek(spsc, 1, &records, &n));
        need(atoll_spsc_advance(spsc, 1));
    }
}

static void push_pop_fanin(long operations) {
    int64_t out;
    while (operations-- > 0) {
        need(atoll_fanin_push(fanin, &operations, sizeof out));
        need(atoll_fanin_pop(fanin, &out, sizeof out, NULL));
    }
}

static void push_pop(atoll_mpmc *ring, long operations) {
    int64_t out;
    while (operations-- > 0) {
        need(atoll_mpmc_push(ring, &operations, sizeof out));
        need(atoll_mpmc_pop(ring, &out, sizeof out, NULL, NULL));
    }
}

static void push_pop_mpmc(long operations) {
    push_pop(mpmc, operations);
}

static void push_pop_message(long operations) {
    push_pop(messages, operations);
}

static void push_pop_mpmc_32(long operations) {
    int64_t records[32] = {0};
    size_t n;
    while (operations-- > 0) {
        need(atoll_mpmc_push_n(mpmc, records, 32, &n));
        need(atoll_mpmc_pop_n(mpmc, records, 32, &n, NULL));
    }
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    segment_name = argv[1];
    set_up();
    count("mutex lock, unlock", lock_unlock, 1000);
    count("recursive mutex lock, unlock", lock_unlock_recursive, 1000);
    count("recursive mutex lock, unlock while held", lock_unlock_again, 1000);
    count("value load", load, 1000);
    count("value store", store, 1000);
    count("value fetch_add", fetch_add, 1000);
    count("rwlock read_lock, read_unlock", read_lock_unlock, 1000);
    count("rwlock write_lock, write_unlock", write_lock_unlock, 1000);
    count("semaphore acquire, release", acquire_release_plain, 1000);
    count("tracked semaphore acquire, release", acquire_release_tracked, 1000);
    count("lock acquire, release", acquire_release_lock, 1000);
    count("condvar notify_one with nobody waiting", notify_nobody, 1000);
    count("barrier of one", arrive_alone, 1000);
    count("event is_set", is_set, 1000);
    count("event wait for one that is set", wait_for_event, 1000);
    count("event set, clear", set_clear, 1000);
    count("latch wait for one that is open", wait_for_latch, 1000);
    count("transaction of two stores", store_both, 1000);
    count("spsc push, pop", push_pop_spsc, 1000);
    count("spsc push_n, pop_n of 32", push_pop_spsc_32, 1000);
    count("spsc claim, commit, peek, advance", push_pop_spsc_in_place, 1000);
    count("fanin push, pop", push_pop_fanin, 1000);
    count("mpmc push, pop", push_pop_mpmc, 1000);
    count("mpmc push_n, pop_n of 32", push_pop_mpmc_32, 1000);
    count("mpmc push, pop of a message", push_pop_message, 1000);
    count("value create, close", create_close, 500);
    return 0;
}
