/*
 * transaction SEGMENT
 *
 * Stores to two values, in a transaction or just under the mutex.
 */
#include "lane.h"

static const char *segment_name;
static atoll_mutex *mutex;
static atoll_value *one, *two;

static void remove_segment(void) {
    atoll_segment_unlink(segment_name);
}

static void in_a_transaction(long operations) {
    for (int64_t n = 0; n < operations; n++) {
        atoll_transaction *transaction;
        atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction);
        atoll_transaction_store(transaction, one, &n, sizeof n, ATOLL_FOREVER);
        atoll_transaction_store(transaction, two, &n, sizeof n, ATOLL_FOREVER);
        atoll_transaction_commit(transaction);
    }
}

static void under_the_mutex(long operations) {
    for (int64_t n = 0; n < operations; n++) {
        atoll_mutex_lock(mutex, ATOLL_FOREVER);
        atoll_value_store(one, &n, sizeof n, ATOLL_FOREVER);
        atoll_value_store(two, &n, sizeof n, ATOLL_FOREVER);
        atoll_mutex_unlock(mutex);
    }
}

static const struct lane_side sides[] = {
    {"ours", in_a_transaction, 100},
    {"peer", under_the_mutex, 100},
    {NULL, NULL, 0},
};

int main(int argc, char **argv) {
    atoll_segment *segment;
    const atoll_type number = ATOLL_TYPE_I64;
    lane_need(argc == 2, "usage: transaction SEGMENT");
    segment_name = argv[1];
    lane_check(atoll_segment_create(segment_name, NULL, &segment));
    atexit(remove_segment);
    lane_check(atoll_mutex_create(segment, "mutex", NULL, &mutex));
    lane_check(atoll_value_create(segment, "one", &number, &one));
    lane_check(atoll_value_create(segment, "two", &number, &two));
    lane_serve(sides);
    return 0;
}
