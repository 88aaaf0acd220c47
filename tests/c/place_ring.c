/* Places of the ends of a spsc: the contract at atoll_ring_place in atoll.h, taken at its word, and
 * what atoll/inline.h makes of it. Either way goes with the calls. */

#include "atoll/inline.h"
#include "process.h"

enum { CAPACITY = 4 };

static const atoll_type number_type = ATOLL_TYPE_U64;
static const char *name;
static atoll_segment *segment;
static atoll_spsc *ring;
static atoll_ring_place producer, consumer;

/* Both roles are ours, and their places known. */
static void set_up(void) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    uint64_t number = 7;
    options.capacity = CAPACITY;
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_spsc_create(segment, "r", &number_type, &options, &ring));
    EXPECT(ATOLL_OK, atoll_spsc_push(ring, &number, sizeof number));
    EXPECT(ATOLL_OK, atoll_spsc_pop(ring, &number, sizeof number, NULL));
    EXPECT(ATOLL_OK,
           atoll_spsc_place(ring, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT, &producer));
    EXPECT(ATOLL_OK,
           atoll_spsc_place(ring, ATOLL_CONSUMERS, ATOLL_PLACE_CONTRACT, &consumer));
    CHECK(producer.counter != NULL && producer.most == NULL && producer.mask == CAPACITY - 1);
    CHECK(consumer.counter != NULL && consumer.most != NULL && consumer.record == 8);
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_spsc_close(ring));
    end_segment(segment, name);
}

/* By hand: what the contract says, and nothing else. */

static uint64_t look(const uint64_t *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }

static bool is_ours(const atoll_ring_place *place) {
    return __atomic_load_n(place->process, __ATOMIC_SEQ_CST) == 2 &&
           look(place->member) == place->mine;
}

static bool count_by_hand(const atoll_ring_place *place) {
    const uint64_t next = look(place->own) + 1;
    __atomic_store_n(place->saying, next, __ATOMIC_SEQ_CST);
    if (look(place->watch) >> 30 & 15) {
        __atomic_store_n(place->saying, next - 1, __ATOMIC_SEQ_CST);
        return false;
    }
    *place->own = next;
    __atomic_store_n(place->counter, next, __ATOMIC_SEQ_CST);
    return true;
}

static atoll_place_answer push_by_hand(uint64_t number) {
    const uint64_t now = look(producer.own);
    if (!is_ours(&producer)) return ATOLL_PLACE_CALL;
    if (now - look(producer.other) == CAPACITY) {
        return look(producer.ends) >> 32 & 3 ? ATOLL_PLACE_CALL : ATOLL_PLACE_NOTHING;
    }
    ((uint64_t *)producer.places)[now & producer.mask] = number;
    return count_by_hand(&producer) ? ATOLL_PLACE_DONE : ATOLL_PLACE_CALL;
}

static atoll_place_answer pop_by_hand(uint64_t *out) {
    const uint64_t now = look(consumer.own);
    const uint64_t there = look(consumer.other) - now;
    if (!is_ours(&consumer)) return ATOLL_PLACE_CALL;
    if (there == 0) {
        return look(consumer.ends) >> 32 & 3 ? ATOLL_PLACE_CALL : ATOLL_PLACE_NOTHING;
    }
    if (there > look(consumer.most)) *consumer.most = there;
    *out = ((const uint64_t *)consumer.places)[now & consumer.mask];
    return count_by_hand(&consumer) ? ATOLL_PLACE_DONE : ATOLL_PLACE_CALL;
}

/* Whoever sleeps would believe otherwise that something is about to come. */
static bool says_nothing(const atoll_ring_place *place) {
    return look(place->saying) == look(place->counter);
}

/* By inline.h, by hand, or by a call. */
enum { WAYS = 3 };

static atoll_place_answer as_answer(atoll_status status) {
    if (status == ATOLL_OK) return ATOLL_PLACE_DONE;
    return status == ATOLL_FULL || status == ATOLL_EMPTY ? ATOLL_PLACE_NOTHING : ATOLL_PLACE_CALL;
}

static atoll_place_answer push_in_way(int way, uint64_t number) {
    if (way == 0) return atoll_place_push(&producer, &number, sizeof number);
    if (way == 1) return push_by_hand(number);
    return as_answer(atoll_spsc_push(ring, &number, sizeof number));
}

static atoll_place_answer pop_in_way(int way, uint64_t *out) {
    if (way == 0) return atoll_place_pop(&consumer, out, sizeof *out);
    if (way == 1) return pop_by_hand(out);
    return as_answer(atoll_spsc_pop(ring, out, sizeof *out, NULL));
}

static void all_ways_go_together(void) {
    uint64_t pushed = 0, popped = 0, number = 0;
    atoll_ring_info info;
    set_up();
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < round % 6; i++) {
            const bool room = pushed - popped < CAPACITY;
            CHECK(push_in_way((round + i) % WAYS, pushed) ==
                  (room ? ATOLL_PLACE_DONE : ATOLL_PLACE_NOTHING));
            CHECK(says_nothing(&producer));
            pushed += room;
        }
        for (int i = 0; i < round % 5; i++) {
            const bool some = popped < pushed;
            CHECK(pop_in_way((round / 2 + i) % WAYS, &number) ==
                  (some ? ATOLL_PLACE_DONE : ATOLL_PLACE_NOTHING));
            if (some) CHECK(number == popped++);
            CHECK(says_nothing(&consumer));
        }
    }
    EXPECT(ATOLL_OK, atoll_spsc_info(ring, &info));
    CHECK(info.pushed == pushed + 1 && info.popped == popped + 1);
    CHECK(info.high_water == CAPACITY);
    tear_down();
}

static void who_listens_is_told_by_a_call(void) {
    uint64_t number = 0;
    int descriptor;
    set_up();
    EXPECT(ATOLL_OK, atoll_spsc_descriptor(ring, ATOLL_CONSUMERS, &descriptor));
    for (int way = 0; way < 2; way++) {
        CHECK(push_in_way(way, 1) == ATOLL_PLACE_CALL && says_nothing(&producer));
        CHECK(pop_in_way(way, &number) == ATOLL_PLACE_NOTHING);
    }
    CHECK(push_in_way(2, 1) == ATOLL_PLACE_DONE);
    for (int i = 0; i < CAPACITY - 1; i++) CHECK(push_in_way(2, 2) == ATOLL_PLACE_DONE);
    EXPECT(ATOLL_OK, atoll_spsc_descriptor(ring, ATOLL_PRODUCERS, &descriptor));
    for (int way = 0; way < 2; way++) {
        CHECK(pop_in_way(way, &number) == ATOLL_PLACE_CALL && says_nothing(&consumer));
        CHECK(push_in_way(way, 2) == ATOLL_PLACE_NOTHING);
    }
    CHECK(pop_in_way(2, &number) == ATOLL_PLACE_DONE && number == 1);
    tear_down();
}

static void an_end_is_told_by_a_call(void) {
    uint64_t number = 0;
    set_up();
    CHECK(push_in_way(0, 1) == ATOLL_PLACE_DONE);
    EXPECT(ATOLL_OK, atoll_spsc_shutdown(ring, ATOLL_PRODUCERS));
    CHECK(push_in_way(0, 2) == ATOLL_PLACE_CALL && push_in_way(1, 2) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(0, &number) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(1, &number) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(2, &number) == ATOLL_PLACE_DONE && number == 1);
    CHECK(pop_in_way(0, &number) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(1, &number) == ATOLL_PLACE_CALL);
    tear_down();
}

static void a_child_makes_calls(void *unused) {
    uint64_t number = 0;
    (void)unused;
    CHECK(push_in_way(0, 2) == ATOLL_PLACE_CALL && push_in_way(1, 2) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(0, &number) == ATOLL_PLACE_CALL);
    CHECK(pop_in_way(1, &number) == ATOLL_PLACE_CALL);
    EXPECT(ATOLL_NOT_OWNER, atoll_spsc_push(ring, &number, sizeof number));
    CHECK(push_in_way(0, 2) == ATOLL_PLACE_CALL && push_in_way(1, 2) == ATOLL_PLACE_CALL);
}

static void a_place_is_no_place_in_a_child(void) {
    set_up();
    in_child(a_child_makes_calls, NULL);
    CHECK(push_in_way(0, 1) == ATOLL_PLACE_DONE);
    tear_down();
}

static void a_child_takes_no_role(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_spsc_leave(ring, ATOLL_PRODUCERS));
    EXPECT(ATOLL_NOT_OWNER, atoll_spsc_push(ring, &(uint64_t){1}, 8));
}

/* A role that was given up leaves no place; who takes it over finds what was pushed so. */
static void the_place_goes_with_the_role(void) {
    atoll_ring_place none;
    uint64_t number = 0;
    set_up();
    CHECK(push_in_way(0, 5) == ATOLL_PLACE_DONE && push_in_way(0, 6) == ATOLL_PLACE_DONE);
    in_child(a_child_takes_no_role, NULL);
    EXPECT(ATOLL_OK, atoll_spsc_leave(ring, ATOLL_PRODUCERS));
    EXPECT(ATOLL_OK, atoll_spsc_place(ring, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT, &none));
    CHECK(none.counter == NULL && atoll_place_push(&none, &number, 8) == ATOLL_PLACE_CALL);
    number = 7;
    EXPECT(ATOLL_OK, atoll_spsc_push(ring, &number, sizeof number));
    for (uint64_t i = 5; i < 8; i++) {
        CHECK(pop_in_way(0, &number) == ATOLL_PLACE_DONE && number == i);
    }
    tear_down();
}

static void *get_one(void *unused) {
    uint64_t out = 0;
    (void)unused;
    EXPECT(ATOLL_OK, atoll_spsc_get(ring, &out, sizeof out, NULL, ATOLL_FOREVER));
    CHECK(out == 5);
    return NULL;
}

/* Who slept once, and was woken, leaves the way free. */
static void a_sleeper_that_is_gone_is_in_nobodys_way(void) {
    pthread_t getter;
    uint64_t number = 5, out;
    set_up();
    CHECK(pthread_create(&getter, NULL, get_one, NULL) == 0);
    while (!(look(producer.watch) >> 30 & 15)) usleep(100);
    EXPECT(ATOLL_OK, atoll_spsc_push(ring, &number, sizeof number));
    CHECK(pthread_join(getter, NULL) == 0);
    /* The next one to be told finds nobody. */
    EXPECT(ATOLL_OK, atoll_spsc_push(ring, &number, sizeof number));
    EXPECT(ATOLL_OK, atoll_spsc_pop(ring, &out, sizeof out, NULL));
    CHECK(look(producer.watch) != 0 && push_by_hand(6) == ATOLL_PLACE_DONE);
    CHECK(atoll_place_push(&producer, &number, sizeof number) == ATOLL_PLACE_DONE);
    tear_down();
}

int main(void) {
    RUN(all_ways_go_together);
    RUN(who_listens_is_told_by_a_call);
    RUN(an_end_is_told_by_a_call);
    RUN(a_place_is_no_place_in_a_child);
    RUN(the_place_goes_with_the_role);
    RUN(a_sleeper_that_is_gone_is_in_nobodys_way);
    return any_failed;
}
