/* What transactions refuse, and that nothing has happened then. */

#include "vault.h"

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
    RUN(there_is_one_at_a_time);
    RUN(it_takes_one_to_eight_mutexes_once_each);
    RUN(bad_input_is_refused);
    RUN(handles_are_of_this_thread_and_of_now);
    RUN(it_stays_in_one_segment);
    RUN(it_needs_room_to_note_what_was_there);
    RUN(a_read_only_segment_has_none);
    return any_failed;
}
