/* Transactions: all of it or nothing, whoever ends it and however. */

#include "process.h"

enum { ACCOUNTS = 100, BYTES = 100, LARGE = 40 };

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex, *other_mutex;
static atoll_value *left, *right, *large; /* two numbers, and a value with two copies */
static atoll_array *accounts, *bytes;
static int64_t *account;
static unsigned char *byte;

static int64_t number_in(atoll_value *value) {
    int64_t number = -1;
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, sizeof number, NULL));
    return number;
}

static bool large_is_all(char c) {
    char is[LARGE], wanted[LARGE];
    EXPECT(ATOLL_OK, atoll_value_load(large, is, sizeof is, NULL));
    memset(wanted, c, sizeof wanted);
    return memcmp(is, wanted, sizeof is) == 0;
}

static void set_up(void) {
    const atoll_type i64 = ATOLL_TYPE_I64, u8 = ATOLL_TYPE_U8;
    const uint64_t shape[] = {ACCOUNTS};
    const int64_t ten = 10, twenty = 20;
    atoll_type block = {0};
    char all_a[LARGE];
    block.code = ATOLL_BYTES;
    block.size = LARGE;
    memset(all_a, 'a', sizeof all_a);
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "guard", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "other", NULL, &other_mutex));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "left", &i64, &ten, 8, &left));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "right", &i64, &twenty, 8, &right));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "large", &block, all_a, LARGE, &large));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "accounts", &i64, 1, shape, &accounts));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "bytes", &u8, 1, shape, &bytes));
    account = atoll_array_data(accounts);
    byte = atoll_array_data(bytes);
    for (int i = 0; i < ACCOUNTS; i++) account[i] = i;
    for (int i = 0; i < BYTES; i++) byte[i] = (unsigned char)i;
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_close(other_mutex));
    EXPECT(ATOLL_OK, atoll_value_close(left));
    EXPECT(ATOLL_OK, atoll_value_close(right));
    EXPECT(ATOLL_OK, atoll_value_close(large));
    EXPECT(ATOLL_OK, atoll_array_close(accounts));
    EXPECT(ATOLL_OK, atoll_array_close(bytes));
    end_segment(segment, name);
}

static bool is_as_before(void) {
    bool same = number_in(left) == 10 && number_in(right) == 20 && large_is_all('a');
    for (int i = 0; i < ACCOUNTS; i++) same &= account[i] == i;
    for (int i = 0; i < BYTES; i++) same &= byte[i] == i;
    return same;
}

static bool is_as_after(void) {
    bool same = number_in(left) == 5 && number_in(right) == 25 && large_is_all('c');
    for (int i = 0; i < ACCOUNTS; i++) same &= account[i] == i + 1000;
    for (int i = 0; i < BYTES; i++) same &= byte[i] == (i >= 3 && i < 44 ? 255 : i);
    return same;
}

static atoll_transaction *begin(void) {
    atoll_transaction *transaction = NULL;
    EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction));
    CHECK(transaction != NULL);
    return transaction;
}

static void store(atoll_transaction *transaction, atoll_value *value, int64_t number) {
    EXPECT(ATOLL_OK, atoll_transaction_store(transaction, value, &number, sizeof number, 0));
}

/* Changes everything: what is noted in the log itself, and what needs more room. */
static void change_everything(atoll_transaction *transaction) {
    char all[LARGE];
    void *lent = NULL;
    for (char c = 'b'; c <= 'c'; c++) { /* the second one over its own copy */
        memset(all, c, sizeof all);
        EXPECT(ATOLL_OK, atoll_transaction_store(transaction, large, all, sizeof all, 0));
    }
    store(transaction, left, 5);
    store(transaction, right, 25);
    for (int i = 0; i < ACCOUNTS / 2; i++) { /* one by one */
        EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, accounts, (uint64_t)i, 1, &lent));
        CHECK(lent == &account[i]);
        *(int64_t *)lent += 1000;
    }
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, accounts, 40, 60, &lent)); /* and more */
    for (int i = 50; i < ACCOUNTS; i++) ((int64_t *)lent)[i - 40] += 1000;
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, bytes, 3, 41, &lent)); /* half words */
    memset(lent, 255, 41);
}

static void is_free(atoll_mutex *it) {
    EXPECT(ATOLL_OK, atoll_mutex_lock(it, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(it));
}

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

/* --- what is refused -------------------------------------------------------------------------- */

static void there_is_one_at_a_time(void) {
    atoll_transaction *transaction, *second;
    set_up();
    transaction = begin();
    REFUSED(ATOLL_INVALID_ARGUMENT, "nest",
            atoll_transaction_begin(&other_mutex, 1, 0, &second));
    CHECK(second == NULL);
    REFUSED(ATOLL_INVALID_ARGUMENT, "nest", atoll_transaction_begin(&mutex, 1, 0, &second));
    is_free(other_mutex);
    store(transaction, left, 11); /* the first goes on */
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    CHECK(number_in(left) == 11);
    tear_down();
}

static void it_takes_one_to_eight_mutexes_once_each(void) {
    atoll_transaction *transaction;
    atoll_mutex *nine[9], *with_flaw[8];
    set_up();
    for (int i = 0; i < 9; i++) {
        EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &nine[i]));
        if (i > 0) with_flaw[8 - i] = nine[i]; /* from high to low */
    }
    EXPECT(ATOLL_OK, atoll_transaction_begin(with_flaw, 8, 0, &transaction));
    for (int i = 0; i < 8; i++) REFUSED(ATOLL_DEADLOCK, "", atoll_mutex_unlock(with_flaw[i]));
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    REFUSED(ATOLL_INVALID_ARGUMENT, "n is 9", atoll_transaction_begin(nine, 9, 0, &transaction));
    REFUSED(ATOLL_INVALID_ARGUMENT, "n is 0", atoll_transaction_begin(nine, 0, 0, &transaction));
    REFUSED(ATOLL_INVALID_ARGUMENT, "n is",
            atoll_transaction_begin(nine, SIZE_MAX, 0, &transaction));
    with_flaw[4] = with_flaw[1];
    REFUSED(ATOLL_INVALID_ARGUMENT, "twice",
            atoll_transaction_begin(with_flaw, 8, 0, &transaction));
    with_flaw[4] = NULL;
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL",
            atoll_transaction_begin(with_flaw, 8, 0, &transaction));
    CHECK(transaction == NULL);
    for (int i = 0; i < 9; i++) {
        is_free(nine[i]);
        EXPECT(ATOLL_OK, atoll_mutex_close(nine[i]));
    }
    tear_down();
}

static void bad_input_is_refused(void) {
    const int64_t number = 1;
    atoll_transaction *transaction, *none;
    atoll_mutex *closed;
    atoll_value *closed_value;
    void *lent = NULL;
    set_up();
    EXPECT(ATOLL_OK, atoll_mutex_open(segment, "guard", NULL, &closed));
    EXPECT(ATOLL_OK, atoll_mutex_close(closed));
    EXPECT(ATOLL_OK, atoll_value_open(segment, "left", NULL, &closed_value));
    EXPECT(ATOLL_OK, atoll_value_close(closed_value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_transaction_begin(&closed, 1, 0, &none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "mutexes", atoll_transaction_begin(NULL, 1, 0, &none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "negative", atoll_transaction_begin(&mutex, 1, -1, &none));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_transaction_begin(&mutex, 1, 0, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "kind",
            atoll_transaction_begin((atoll_mutex **)&left, 1, 0, &none));
    is_free(mutex);

    transaction = begin();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed",
            atoll_transaction_store(transaction, closed_value, &number, 8, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL",
            atoll_transaction_store(transaction, NULL, &number, 8, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "bytes",
            atoll_transaction_store(transaction, left, NULL, 8, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "bytes",
            atoll_transaction_store(transaction, left, &number, 7, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "negative",
            atoll_transaction_store(transaction, left, &number, 8, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "100",
            atoll_transaction_modify(transaction, accounts, 100, 1, &lent));
    REFUSED(ATOLL_INVALID_ARGUMENT, "100",
            atoll_transaction_modify(transaction, accounts, UINT64_MAX, 2, &lent));
    REFUSED(ATOLL_INVALID_ARGUMENT, "100",
            atoll_transaction_modify(transaction, accounts, 1, UINT64_MAX, &lent));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL",
            atoll_transaction_modify(transaction, NULL, 0, 1, &lent));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out",
            atoll_transaction_modify(transaction, accounts, 0, 1, NULL));
    CHECK(lent == NULL);
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    CHECK(is_as_before());
    tear_down();
}

static void *use_anothers(void *transaction) {
    atoll_transaction *theirs = (atoll_transaction *)transaction, *ours = NULL;
    const int64_t number = 7;
    void *lent;
    const char *said = "another thread";
    for (int i = 0; i < 2; i++) { /* with no transaction of its own, and with one */
        REFUSED(ATOLL_INVALID_ARGUMENT, said,
                atoll_transaction_store(theirs, left, &number, 8, 0));
        REFUSED(ATOLL_INVALID_ARGUMENT, said,
                atoll_transaction_modify(theirs, accounts, 0, 1, &lent));
        REFUSED(ATOLL_INVALID_ARGUMENT, said, atoll_transaction_commit(theirs));
        REFUSED(ATOLL_INVALID_ARGUMENT, said, atoll_transaction_abort(theirs));
        if (i == 0) EXPECT(ATOLL_OK, atoll_transaction_begin(&other_mutex, 1, 0, &ours));
    }
    EXPECT(ATOLL_OK, atoll_transaction_commit(ours));
    return NULL;
}

static void handles_are_of_this_thread_and_of_now(void) {
    const int64_t number = 7;
    atoll_transaction *transaction = NULL, *ended;
    atoll_transaction *made_up = (atoll_transaction *)UINTPTR_MAX;
    void *lent;
    set_up();
    ended = begin();
    EXPECT(ATOLL_OK, atoll_transaction_abort(ended));
    for (int i = 0; i < 2; i++) { /* with none open, and with another one */
        REFUSED(ATOLL_INVALID_ARGUMENT, "ended", atoll_transaction_commit(ended));
        REFUSED(ATOLL_INVALID_ARGUMENT, "ended", atoll_transaction_abort(ended));
        REFUSED(ATOLL_INVALID_ARGUMENT, "ended",
                atoll_transaction_store(ended, left, &number, 8, 0));
        REFUSED(ATOLL_INVALID_ARGUMENT, "ended",
                atoll_transaction_modify(ended, accounts, 0, 1, &lent));
        REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_transaction_commit(NULL));
        REFUSED(ATOLL_INVALID_ARGUMENT, "no handle", atoll_transaction_commit(made_up));
        REFUSED(ATOLL_INVALID_ARGUMENT, "no handle",
                atoll_transaction_abort((atoll_transaction *)mutex));
        if (i == 0) transaction = begin();
    }
    CHECK(transaction != ended);
    REFUSED(ATOLL_INVALID_ARGUMENT, "no handle", atoll_mutex_unlock((atoll_mutex *)transaction));
    in_thread(use_anothers, transaction);
    store(transaction, left, 11);
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    CHECK(is_as_before());
    tear_down();
}

static void it_stays_in_one_segment(void) {
    const atoll_type i64 = ATOLL_TYPE_I64;
    const uint64_t shape[] = {4};
    const int64_t number = 7;
    const char *elsewhere_name = fresh_name();
    atoll_segment *elsewhere = new_segment(elsewhere_name);
    atoll_transaction *transaction;
    atoll_mutex *both[2];
    atoll_value *value;
    atoll_array *array;
    void *lent = NULL;
    set_up();
    EXPECT(ATOLL_OK, atoll_mutex_create(elsewhere, NULL, NULL, &both[1]));
    EXPECT(ATOLL_OK, atoll_value_create(elsewhere, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_array_create(elsewhere, NULL, &i64, 1, shape, &array));
    both[0] = mutex;
    REFUSED(ATOLL_WRONG_SEGMENT, "one segment", atoll_transaction_begin(both, 2, 0, &transaction));
    is_free(both[0]);
    is_free(both[1]);
    transaction = begin();
    REFUSED(ATOLL_WRONG_SEGMENT, "one segment",
            atoll_transaction_store(transaction, value, &number, 8, 0));
    REFUSED(ATOLL_WRONG_SEGMENT, "one segment",
            atoll_transaction_modify(transaction, array, 0, 1, &lent));
    CHECK(lent == NULL && number_in(value) == 0);
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    EXPECT(ATOLL_OK, atoll_mutex_close(both[1]));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(elsewhere, elsewhere_name);
    tear_down();
}

static void it_needs_room_to_note_what_was_there(void) {
    const atoll_type u8 = ATOLL_TYPE_U8;
    const uint64_t shape[] = {700000}; /* of a segment of 1 MiB */
    atoll_transaction *transaction;
    atoll_array *vast;
    void *lent = NULL;
    unsigned char *cells;
    set_up();
    EXPECT(ATOLL_OK, atoll_array_create(segment, NULL, &u8, 1, shape, &vast));
    cells = atoll_array_data(vast);
    transaction = begin();
    REFUSED(ATOLL_NO_SPACE, "", atoll_transaction_modify(transaction, vast, 0, shape[0], &lent));
    CHECK(lent == NULL);
    EXPECT(ATOLL_OK, atoll_transaction_modify(transaction, vast, 0, shape[0] / 4, &lent));
    CHECK(lent == cells);
    memset(lent, 1, shape[0] / 4);
    EXPECT(ATOLL_OK, atoll_transaction_abort(transaction));
    for (uint64_t i = 0; i < shape[0]; i++) failures += cells[i] != 0;
    EXPECT(ATOLL_OK, atoll_array_close(vast));
    tear_down();
}

static void a_read_only_segment_has_none(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *watched;
    atoll_mutex *seen;
    atoll_transaction *transaction;
    set_up();
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &watched));
    EXPECT(ATOLL_OK, atoll_mutex_open(watched, "guard", NULL, &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_transaction_begin(&seen, 1, 0, &transaction));
    EXPECT(ATOLL_OK, atoll_mutex_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(watched));
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
    RUN(there_is_one_at_a_time);
    RUN(it_takes_one_to_eight_mutexes_once_each);
    RUN(bad_input_is_refused);
    RUN(handles_are_of_this_thread_and_of_now);
    RUN(it_stays_in_one_segment);
    RUN(it_needs_room_to_note_what_was_there);
    RUN(a_read_only_segment_has_none);
    return any_failed;
}
