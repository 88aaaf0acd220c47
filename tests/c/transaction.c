/* Transactions: all of it or nothing, whoever ends it and however. */

#include "vault.h"

/* --- the ends --------------------------------------------------------------------------------- */

static void a_commit_makes_everything_so(void) {
    atoll_transaction *transaction;
    set_up();
    transaction = begin();
    change_everything(transaction);
    CHECK(is_as_after()); /* its own thread sees what it did */
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    CHECK(is_as_after());
    is_free(mutex);
    tear_down();
}

static void an_abort_undoes_everything(void) {
    set_up();
    for (int i = 0; i < 3; i++) {
        atoll_transaction *transaction = begin();
        change_everything(transaction);
        EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
        CHECK(is_as_before());
        is_free(mutex);
    }
    tear_down();
}

static void an_empty_one_is_one(void) {
    void *lent = NULL;
    atoll_transaction *transaction;
    set_up();
    EXPECT(ATOLL_OK, atoll_transaction_commit(begin()));
    EXPECT(ATOLL_OK, atoll_transaction_abort(begin()));
    transaction = begin();
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, accounts, ACCOUNTS, 0, &lent));
    CHECK(lent == account + ACCOUNTS);
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    CHECK(is_as_before());
    tear_down();
}

static void what_others_do_beside_it_stays(void) {
    void *lent = NULL;
    atoll_transaction *transaction;
    set_up();
    transaction = begin();
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, bytes, 8, 3, &lent));
    memset(lent, 255, 3);
    byte[7] = byte[11] = 77; /* in the same words as the range */
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    CHECK(byte[7] == 77 && byte[11] == 77);
    byte[7] = 7, byte[11] = 11;
    CHECK(is_as_before());
    tear_down();
}

static void *change_and_end(void *unused) {
    (void)unused;
    change_everything(begin());
    return NULL;
}

static void a_thread_that_ends_aborts_it(void) {
    set_up();
    in_thread(change_and_end, NULL);
    CHECK(is_as_before());
    is_free(mutex);
    tear_down();
}

static void change_and_exit(void *unused) {
    change_and_end(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void a_process_that_exits_aborts_it(void) {
    set_up();
    in_child(change_and_exit, NULL);
    CHECK(is_as_before());
    is_free(mutex);
    tear_down();
}

/* --- death ------------------------------------------------------------------------------------ */

static void change(void *unused) {
    change_and_end(unused);
}

static void change_and_commit(void *unused) {
    atoll_transaction *transaction = begin();
    (void)unused;
    change_everything(transaction);
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
}

static void killed_before_the_commit_nothing_happened(void) {
    set_up();
    for (int i = 0; i < 3; i++) {
        atoll_transaction *next;
        kill_victim(start_victim(change, NULL));
        next = begin(); /* which is OK: there is nothing to repair */
        CHECK(is_as_before());
        EXPECT(ATOLL_OK, atoll_transaction_abort(next));
    }
    kill_victim(start_victim(change, NULL));
    EXPECT(ATOLL_OWNER_DIED, atoll_mutex_lock(mutex, 0)); /* who knows what it did besides? */
    CHECK(is_as_before());
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    is_free(mutex);
    tear_down();
}

static void killed_after_the_commit_all_of_it_happened(void) {
    set_up();
    kill_victim(start_victim(change_and_commit, NULL));
    is_free(mutex);
    CHECK(is_as_after());
    tear_down();
}

static void change_large(void *unused) {
    char all[LARGE] = {0};
    (void)unused;
    EXPECT(ATOLL_OK, atoll_transaction_store(begin(), large, all, sizeof all, 0));
}

/* Whoever comes first undoes it, even for a value, by its own lock. */
static void a_writer_of_a_large_value_undoes_it_too(void) {
    char all_a[LARGE];
    set_up();
    kill_victim(start_victim(change_large, NULL));
    memset(all_a, 'a', sizeof all_a);
    all_a[0] = 'x';
    EXPECT(ATOLL_OK, atoll_value_store(large, all_a, sizeof all_a, 0));
    EXPECT(ATOLL_OK, atoll_transaction_abort(begin()));
    CHECK(!large_is_all('a') && !large_is_all(0));
    all_a[0] = 'a';
    EXPECT(ATOLL_OK, atoll_value_store(large, all_a, sizeof all_a, 0));
    CHECK(is_as_before());
    tear_down();
}

static void die_with_the_lock(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, ATOLL_FOREVER));
}

static void an_owner_that_died_outside_is_told(void) {
    atoll_mutex *both[2];
    atoll_transaction *transaction;
    atoll_owner dead;
    pid_t victim;
    set_up();
    both[0] = other_mutex, both[1] = mutex;
    victim = start_victim(die_with_the_lock, NULL);
    kill_victim(victim);
    for (int marked = 0; marked <= 1; marked++) { /* an abort undoes the mark as well */
        EXPECT(ATOLL_OWNER_DIED, atoll_transaction_begin(both, 2, 0, &transaction));
        EXPECT(ATOLL_OK, atoll_mutex_dead_owner(mutex, &dead));
        CHECK(dead.pid == (uint32_t)victim);
        EXPECT(ATOLL_OK, atoll_mutex_dead_owner(other_mutex, &dead));
        CHECK(dead.generation == 0);
        if (marked) EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
        store(transaction, left, 11);
        EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    }
    CHECK(is_as_before());
    EXPECT(ATOLL_OWNER_DIED, atoll_transaction_begin(both, 2, 0, &transaction));
    EXPECT(ATOLL_OK, atoll_mutex_mark_consistent(mutex));
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    EXPECT(ATOLL_OK, atoll_transaction_commit(begin()));
    is_free(mutex);
    tear_down();
}

/* --- forked children -------------------------------------------------------------------------- */

static void use_the_parents(void *transaction) {
    atoll_transaction *theirs = (atoll_transaction *)transaction, *ours = NULL;
    const int64_t number = 7;
    void *lent = NULL;
    REFUSED(ATOLL_NOT_OWNER, "parent", atoll_transaction_store(theirs, left, &number, 8, 0));
    REFUSED(ATOLL_NOT_OWNER, "parent", atoll_transaction_modify(theirs, accounts, 0, 1, &lent));
    CHECK(lent == NULL);
    REFUSED(ATOLL_NOT_OWNER, "parent", atoll_transaction_commit(theirs));
    REFUSED(ATOLL_NOT_OWNER, "parent", atoll_transaction_abort(theirs));
    REFUSED(ATOLL_NOT_OWNER, "parent", atoll_transaction_commit(theirs)); /* as often as you ask */
    EXPECT(ATOLL_TIMED_OUT, atoll_transaction_begin(&mutex, 1, 0, &ours));
    CHECK(ours == NULL);

    EXPECT(ATOLL_OK, atoll_transaction_begin(&other_mutex, 1, 0, &ours)); /* one of its own */
    CHECK(ours != theirs);
    REFUSED(ATOLL_INVALID_ARGUMENT, "ended", atoll_transaction_commit(theirs));
    store(ours, right, 21);
    EXPECT(ATOLL_OK, atoll_transaction_abort(ours));
    EXPECT(ATOLL_TIMED_OUT, atoll_transaction_begin(&mutex, 1, 0, &ours));
    fflush(stdout);
    exit(failures != 0); /* which ends nothing of the parent's either */
}

static void a_forked_child_does_not_have_it(void) {
    atoll_transaction *transaction;
    set_up();
    transaction = begin();
    change_everything(transaction);
    store(transaction, right, 20);
    in_child(use_the_parents, transaction);
    store(transaction, right, 25);
    CHECK(is_as_after());
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    CHECK(is_as_before());
    tear_down();
}

/* --- what else the mutexes do ----------------------------------------------------------------- */

static void mutexes_stay_locked_until_it_ends(void) {
    atoll_transaction *transaction;
    set_up();
    transaction = begin();
    REFUSED(ATOLL_DEADLOCK, "transaction", atoll_mutex_unlock(mutex));
    REFUSED(ATOLL_DEADLOCK, "transaction", atoll_mutex_lock(mutex, 0));
    is_free(other_mutex); /* those that are not in it are as ever */
    store(transaction, left, 11);
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    CHECK(is_as_before());
    is_free(mutex);
    tear_down();
}

static void a_mutex_that_is_held_is_refused(void) {
    atoll_transaction *transaction;
    atoll_mutex *both[2];
    set_up();
    both[0] = mutex, both[1] = other_mutex;
    for (int held = 0; held < 2; held++) {
        EXPECT(ATOLL_OK, atoll_mutex_lock(both[held], 0));
        REFUSED(ATOLL_DEADLOCK, "holds", atoll_transaction_begin(both, 2, 0, &transaction));
        CHECK(transaction == NULL);
        is_free(both[1 - held]);
        EXPECT(ATOLL_OK, atoll_mutex_unlock(both[held])); /* which is still held */
    }
    tear_down();
}

struct handshake {
    atoll_mutex *held;
    pthread_barrier_t barrier;
};

static void *hold_for_a_while(void *argument) {
    struct handshake *handshake = (struct handshake *)argument;
    EXPECT(ATOLL_OK, atoll_mutex_lock(handshake->held, 0));
    pthread_barrier_wait(&handshake->barrier);
    pthread_barrier_wait(&handshake->barrier);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(handshake->held));
    return NULL;
}

static void in_vain_it_holds_nothing(void) {
    atoll_transaction *transaction;
    atoll_mutex *both[2];
    set_up();
    both[0] = mutex, both[1] = other_mutex;
    for (int held = 0; held < 2; held++) {
        struct handshake handshake;
        pthread_t holder;
        handshake.held = both[held];
        CHECK(pthread_barrier_init(&handshake.barrier, NULL, 2) == 0);
        CHECK(pthread_create(&holder, NULL, hold_for_a_while, &handshake) == 0);
        pthread_barrier_wait(&handshake.barrier);
        for (int64_t timeout_ns = 0; timeout_ns <= 1000000; timeout_ns += 500000) {
            int64_t began = now_ns();
            REFUSED(ATOLL_TIMED_OUT, "",
                    atoll_transaction_begin(both, 2, timeout_ns, &transaction));
            CHECK(transaction == NULL && now_ns() - began >= timeout_ns);
            is_free(both[1 - held]);
        }
        pthread_barrier_wait(&handshake.barrier);
        CHECK(pthread_join(holder, NULL) == 0);
        pthread_barrier_destroy(&handshake.barrier);
        EXPECT(ATOLL_OK, atoll_transaction_begin(both, 2, 0, &transaction));
        EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    }
    tear_down();
}

enum { MANY = 6, ROUNDS = 2000 };
static atoll_mutex *many[MANY];

static void transfer(void *argument) {
    unsigned seed = (unsigned)(uintptr_t)&argument;
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned from = (unsigned)rand_r(&seed) % MANY;
        unsigned to = (from + 1 + (unsigned)rand_r(&seed) % (MANY - 1)) % MANY;
        atoll_mutex *both[2]; /* in whatever order */
        atoll_transaction *transaction;
        void *lent;
        both[0] = many[from], both[1] = many[to];
        EXPECT(ATOLL_OK, atoll_transaction_begin(both, 2, ATOLL_FOREVER, &transaction));
        EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, accounts, from, 1, &lent));
        --*(int64_t *)lent;
        EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, accounts, to, 1, &lent));
        ++*(int64_t *)lent;
        if (i % 3 == 0) EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
        else EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    }
}

static void threads_that_transfer_lose_nothing(void) {
    int64_t sum = 0;
    set_up();
    for (int i = 0; i < MANY; i++) {
        EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &many[i]));
    }
    in_crowd(3, transfer, NULL);
    for (int i = 0; i < MANY; i++) {
        sum += account[i];
        EXPECT(ATOLL_OK, atoll_mutex_close(many[i]));
    }
    CHECK(sum == MANY * (MANY - 1) / 2);
    tear_down();
}

static void recursive_mutexes_take_part(void) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    atoll_transaction *transaction;
    atoll_mutex *recursive;
    set_up();
    options.recursive = 1;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, &options, &recursive));
    for (int i = 0; i < 2; i++) {
        EXPECT(ATOLL_OK, atoll_transaction_begin(&recursive, 1, 0, &transaction));
        REFUSED(ATOLL_DEADLOCK, "transaction", atoll_mutex_lock(recursive, 0));
        store(transaction, left, 11);
        EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
        EXPECT(ATOLL_OK, atoll_mutex_lock(recursive, 0));
        EXPECT(ATOLL_OK, atoll_mutex_lock(recursive, 0));
        REFUSED(ATOLL_DEADLOCK, "holds",
                atoll_transaction_begin(&recursive, 1, 0, &transaction));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(recursive));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(recursive));
        REFUSED(ATOLL_NOT_OWNER, "", atoll_mutex_unlock(recursive));
    }
    CHECK(is_as_before());
    EXPECT(ATOLL_OK, atoll_mutex_close(recursive));
    tear_down();
}

/* The last handle to something without a name is closed while it could still be put back. */
static void what_is_closed_meanwhile_is_kept(void) {
    const atoll_type i64 = ATOLL_TYPE_I64;
    const uint64_t shape[] = {50};
    const int64_t one = 1, two = 2;
    atoll_transaction *transaction;
    atoll_mutex *nameless, *next_mutex;
    atoll_value *value, *next_value;
    atoll_array *array, *next_array;
    atoll_segment_info info;
    void *lent;
    set_up();
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &nameless));
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, NULL, &i64, 1, shape, &array));
    EXPECT(ATOLL_OK, atoll_transaction_begin(&nameless, 1, 0, &transaction));
    EXPECT(ATOLL_OK, atoll_transaction_store(transaction, value, &one, 8, 0));
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, array, 0, 50, &lent));
    memset(lent, 1, 400);
    EXPECT(ATOLL_OK, atoll_mutex_close(nameless));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &next_mutex));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, NULL, &i64, &two, 8, &next_value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, NULL, &i64, 1, shape, &next_array));
    memset(atoll_array_data(next_array), 3, 400);
    is_free(next_mutex);
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    is_free(next_mutex);
    CHECK(number_in(next_value) == 2);
    for (int i = 0; i < 400; i++) failures += ((char *)atoll_array_data(next_array))[i] != 3;
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.objects == 7 + 3); /* and now they are gone */
    EXPECT(ATOLL_OK, atoll_mutex_close(next_mutex));
    EXPECT(ATOLL_OK, atoll_value_close(next_value));
    EXPECT(ATOLL_OK, atoll_array_close(next_array));
    tear_down();
}

static void it_outlives_the_handles_of_its_segment(void) {
    const char *elsewhere_name = fresh_name();
    atoll_segment *elsewhere;
    atoll_transaction *transaction;
    set_up();
    transaction = begin();
    change_everything(transaction);
    tear_down();
    elsewhere = new_segment(elsewhere_name); /* a moment at which what is closed is unmapped */
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    end_segment(elsewhere, elsewhere_name);
}

static void end_is_commit_or_abort(void) {
    atoll_transaction *transaction;
    set_up();
    EXPECT(ATOLL_OK, atoll_transaction_end(NULL, 0));
    EXPECT(ATOLL_OK, atoll_transaction_end(NULL, 1));
    for (uint32_t undo = 0; undo <= 1; undo++) {
        transaction = begin();
        store(transaction, left, 11 + undo);
        EXPECT(ATOLL_OK, atoll_transaction_end(transaction, undo));
        CHECK(number_in(left) == 11);
        REFUSED(ATOLL_INVALID_ARGUMENT, "ended", atoll_transaction_end(transaction, undo));
    }
    tear_down();
}

int main(void) {
    RUN(a_commit_makes_everything_so);
    RUN(an_abort_undoes_everything);
    RUN(an_empty_one_is_one);
    RUN(what_others_do_beside_it_stays);
    RUN(a_thread_that_ends_aborts_it);
    RUN(a_process_that_exits_aborts_it);
    RUN(killed_before_the_commit_nothing_happened);
    RUN(killed_after_the_commit_all_of_it_happened);
    RUN(a_writer_of_a_large_value_undoes_it_too);
    RUN(an_owner_that_died_outside_is_told);
    RUN(a_forked_child_does_not_have_it);
    RUN(mutexes_stay_locked_until_it_ends);
    RUN(a_mutex_that_is_held_is_refused);
    RUN(in_vain_it_holds_nothing);
    RUN(threads_that_transfer_lose_nothing);
    RUN(recursive_mutexes_take_part);
    RUN(what_is_closed_meanwhile_is_kept);
    RUN(it_outlives_the_handles_of_its_segment);
    RUN(end_is_commit_or_abort);
    return any_failed;
}
