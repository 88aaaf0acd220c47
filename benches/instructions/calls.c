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
static const atoll_type number = ATOLL_TYPE_I64;

static void remove_segment(void) {
    atoll_segment_unlink(segment_name);
}

static void set_up(void) {
    const atoll_mutex_options again = {.struct_size = sizeof again, .recursive = true};
    const atoll_semaphore_options one_permit = {.struct_size = sizeof one_permit, .value = 1};
    const atoll_semaphore_options one_tracked = {
        .struct_size = sizeof one_tracked, .value = 1, .tracked = 1};
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
    count("value create, close", create_close, 500);
    return 0;
}
