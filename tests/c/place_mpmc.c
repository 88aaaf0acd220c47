/* Code in other people's programs that puts into a ring for many, and gets, without a call. */

#include "atoll/inline.h"
#include "mpmc.h"

static atoll_mpmc_way way;

static void find_way(void) {
    EXPECT(ATOLL_OK, atoll_mpmc_place(ring, ATOLL_PLACE_CONTRACT, &way));
}

static bool put(uint64_t number) { return atoll_place_put_to_many(&way, &number, sizeof number); }

static bool get(uint64_t *number) { return atoll_place_get_of_many(&way, number, sizeof *number); }

static void it_does_as_the_calls_do(void) {
    uint64_t number = 0, by_call = 0;
    set_up_with(8);
    find_way();
#ifdef __x86_64__
    CHECK(way.place.word != NULL && way.mask == 7 && way.record == 8);
#else
    CHECK(way.place.word == NULL);
#endif
    CHECK(!put(1) && !get(&number)); /* before the first call */
    EXPECT(ATOLL_OK, push(0));
    CHECK(popped() == 0);
    for (uint64_t i = 1; i < 1000; i++) {
        if (!put(i)) {
            EXPECT(ATOLL_OK, push(i));
            by_call++;
        }
        if (!get(&number)) {
            number = popped();
            by_call++;
        }
        CHECK(number == i);
    }
    /* Now and then a get notes how many there are. */
    if (way.place.word) CHECK(by_call > 0 && by_call < 40);
    tear_down();
}

static void in_all_other_cases_the_call_does_it(void) {
    uint64_t number = 7;
    atoll_transaction *transaction;
    atoll_mutex *mutex;
    set_up();
    find_way();
    EXPECT(ATOLL_OK, push(1));
    CHECK(popped() == 1);
    CHECK(!get(&number) && number == 7); /* empty */
    for (uint64_t i = 0; i < 4; i++) CHECK(put(i) == (way.place.word != NULL));
    if (way.place.word) {
        CHECK(!put(4)); /* full */
        REFUSED(ATOLL_FULL, "full", push(4));
        for (uint64_t i = 0; i < 4; i++) CHECK(popped() == i);
    }
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction));
    CHECK(!put(5)); /* no short way in a transaction */
    EXPECT(ATOLL_OK, atoll_transaction_commit(transaction));
    EXPECT(ATOLL_OK, push(6));
    CHECK(popped() == 6);
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_mpmc_shutdown(ring, ATOLL_PRODUCERS));
    CHECK(!put(5)); /* closed */
    REFUSED(ATOLL_CLOSED, "closed", push(5));
    EXPECT(ATOLL_OK, atoll_mpmc_place(ring, ATOLL_PLACE_CONTRACT + 1, &way));
    CHECK(way.place.word == NULL && !put(1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_mpmc_place(ring, ATOLL_PLACE_CONTRACT, NULL));
    CHECK(!atoll_place_finish_push(ring, 0)); /* not on a short way */
    tear_down();
}

static void messages_have_no_short_way(void) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_type bytes = ATOLL_TYPE_U64;
    atoll_mpmc *messages;
    set_up();
    options.capacity = 4;
    bytes.code = ATOLL_BYTES;
    bytes.size = 0;
    EXPECT(ATOLL_OK, atoll_mpmc_create(segment, NULL, &bytes, &options, &messages));
    EXPECT(ATOLL_OK, atoll_mpmc_place(messages, ATOLL_PLACE_CONTRACT, &way));
    CHECK(way.place.word == NULL);
    EXPECT(ATOLL_OK, atoll_mpmc_close(messages));
    tear_down();
}

/* Puts numbers 1 to MANY, and gets as many, by turns without a call and by one. */
enum { MANY = 100000 };

static void a_producer(void) {
    find_way();
    for (uint64_t i = 1; i <= MANY; i++)
        if (!put(i)) EXPECT(ATOLL_OK, atoll_mpmc_put(ring, &i, sizeof i, ATOLL_FOREVER));
}

static uint64_t sum_of_all(uint64_t many) {
    uint64_t sum = 0, number = 0;
    find_way();
    for (uint64_t i = 0; i < many; i++) {
        if (!get(&number)) number = got();
        sum += number;
    }
    return sum;
}

static void a_consumer(void) {
    /* Not as many as were put, so that the parent gets some. */
    sum_of_all(MANY / 2);
}

static void who_waits_is_told(void) {
    static const uint32_t ways[] = {ATOLL_WAIT_SLEEP, ATOLL_WAIT_ADAPTIVE};
    for (int i = 0; i < 4; i++) {
        pid_t producers[2], consumer;
        atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
        options.capacity = i < 2 ? 4 : 256;
        options.waiting = ways[i % 2];
        name = fresh_name();
        segment = new_segment(name);
        EXPECT(ATOLL_OK, atoll_mpmc_create(segment, "ring", &number_type, &options, &ring));
        for (int n = 0; n < 2; n++) producers[n] = child_that(a_producer);
        consumer = child_that(a_consumer);
        sum_of_all(2 * MANY - MANY / 2);
        ended_well(producers[0]);
        ended_well(producers[1]);
        ended_well(consumer);
        tear_down();
    }
}

/* One process: what comes out is what went in. */
static void numbers_are_got_once(void) {
    pid_t producer;
    set_up_with(64);
    producer = child_that(a_producer);
    CHECK(sum_of_all(MANY) == (uint64_t)MANY * (MANY + 1) / 2);
    ended_well(producer);
    tear_down();
}

int main(void) {
    RUN(it_does_as_the_calls_do);
    RUN(in_all_other_cases_the_call_does_it);
    RUN(messages_have_no_short_way);
    RUN(who_waits_is_told);
    RUN(numbers_are_got_once);
    return any_failed;
}
