/* What transactions are tried out on: two mutexes, numbers, a large value and arrays. */
#ifndef ATOLL_TESTS_VAULT_H
#define ATOLL_TESTS_VAULT_H

#include "process.h"

enum { ACCOUNTS = 100, BYTES = 100, LARGE = 40 };

static const char *name;
static atoll_segment *segment;
static atoll_mutex *mutex, *other_mutex;
static atoll_value *left, *right, *large; /* two numbers, and a value with two copies */
static atoll_array *accounts, *bytes;
static int64_t *account;
static unsigned char *byte;

static inline int64_t number_in(atoll_value *value) {
    int64_t number = -1;
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, sizeof number, NULL));
    return number;
}

static inline bool large_is_all(char c) {
    char is[LARGE], wanted[LARGE];
    EXPECT(ATOLL_OK, atoll_value_load(large, is, sizeof is, NULL));
    memset(wanted, c, sizeof wanted);
    return memcmp(is, wanted, sizeof is) == 0;
}

static inline void set_up(void) {
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

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_close(other_mutex));
    EXPECT(ATOLL_OK, atoll_value_close(left));
    EXPECT(ATOLL_OK, atoll_value_close(right));
    EXPECT(ATOLL_OK, atoll_value_close(large));
    EXPECT(ATOLL_OK, atoll_array_close(accounts));
    EXPECT(ATOLL_OK, atoll_array_close(bytes));
    end_segment(segment, name);
}

static inline bool is_as_before(void) {
    bool same = number_in(left) == 10 && number_in(right) == 20 && large_is_all('a');
    for (int i = 0; i < ACCOUNTS; i++) same &= account[i] == i;
    for (int i = 0; i < BYTES; i++) same &= byte[i] == i;
    return same;
}

static inline bool is_as_after(void) {
    bool same = number_in(left) == 5 && number_in(right) == 25 && large_is_all('c');
    for (int i = 0; i < ACCOUNTS; i++) same &= account[i] == i + 1000;
    for (int i = 0; i < BYTES; i++) same &= byte[i] == (i >= 3 && i < 44 ? 255 : i);
    return same;
}

static inline atoll_transaction *begin(void) {
    atoll_transaction *transaction = NULL;
    EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction));
    CHECK(transaction != NULL);
    return transaction;
}

static inline void store(atoll_transaction *transaction, atoll_value *value, int64_t number) {
    EXPECT(ATOLL_OK, atoll_transaction_store(transaction, value, &number, sizeof number, 0));
}

/* Changes everything: what is noted in the log itself, and what needs more room. */
static inline void change_everything(atoll_transaction *transaction) {
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

static inline void is_free(atoll_mutex *it) {
    EXPECT(ATOLL_OK, atoll_mutex_lock(it, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(it));
}

#endif
