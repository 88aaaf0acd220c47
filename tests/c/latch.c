/* Latches: counted down by anybody, open for good. */

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_latch *latch;

static void set_up(uint32_t count) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_latch_create(segment, "latch", count, &latch));
}

static void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_latch_close(latch));
    end_segment(segment, name);
}

static uint32_t count(void) {
    uint32_t left = 99;
    EXPECT(ATOLL_OK, atoll_latch_count(latch, &left));
    return left;
}

static void it_opens_at_zero_for_good(void) {
    set_up(3);
    CHECK(count() == 3);
    EXPECT(ATOLL_TIMED_OUT, atoll_latch_wait(latch, 0));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 2));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 0));
    CHECK(count() == 1);
    REFUSED(ATOLL_TIMED_OUT, "zero", atoll_latch_wait(latch, 1000000));
    REFUSED(ATOLL_INVALID_ARGUMENT, "less", atoll_latch_count_down(latch, 2));
    CHECK(count() == 1);
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    CHECK(count() == 0);
    for (int i = 0; i < 2; i++) EXPECT(ATOLL_OK, atoll_latch_wait(latch, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "less", atoll_latch_count_down(latch, 1));
    tear_down();
}

static void counts_may_be_nothing_or_a_lot(void) {
    atoll_latch *other;
    set_up(0);
    EXPECT(ATOLL_OK, atoll_latch_wait(latch, 0));
    EXPECT(ATOLL_OK, atoll_latch_create(segment, NULL, INT32_MAX, &other));
    EXPECT(ATOLL_OK, atoll_latch_count_down(other, INT32_MAX));
    EXPECT(ATOLL_OK, atoll_latch_wait(other, 0));
    EXPECT(ATOLL_OK, atoll_latch_close(other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "at most",
            atoll_latch_create(segment, NULL, (uint32_t)INT32_MAX + 1, &other));
    CHECK(other == NULL);
    tear_down();
}

static void open_by_name(void) {
    atoll_latch *same;
    atoll_event *event;
    set_up(2);
    REFUSED(ATOLL_ALREADY_EXISTS, "latch", atoll_latch_create(segment, "latch", 2, &same));
    REFUSED(ATOLL_NOT_FOUND, "nobody", atoll_latch_open(segment, "nobody", &same));
    REFUSED(ATOLL_WRONG_KIND, "a latch", atoll_event_open(segment, "latch", &event));
    EXPECT(ATOLL_OK, atoll_latch_open_or_create(segment, "latch", 7, &same));
    EXPECT(ATOLL_OK, atoll_latch_count_down(same, 1));
    CHECK(count() == 1); /* of the two that it was made with */
    EXPECT(ATOLL_OK, atoll_latch_close(same));
    EXPECT(ATOLL_OK, atoll_latch_open(segment, "latch", &same));
    EXPECT(ATOLL_OK, atoll_latch_close(same));
    EXPECT(ATOLL_OK, atoll_latch_remove(segment, "latch"));
    REFUSED(ATOLL_NOT_FOUND, "latch", atoll_latch_open(segment, "latch", &same));
    tear_down();
}

static void bad_input_is_refused(void) {
    set_up(1);
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_latch_wait(latch, -1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_latch_count(latch, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_latch_count_down(NULL, 1));
    tear_down();
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_latch_count_down(latch, 1));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_latch_wait(latch, 0));
}

static void a_ticket_leads_to_it(void) {
    atoll_ticket ticket;
    atoll_latch *same;
    atoll_event *event;
    set_up(1);
    EXPECT(ATOLL_OK, atoll_latch_export(latch, &ticket));
    CHECK(ticket.words[0] == ATOLL_KIND_LATCH);
    REFUSED(ATOLL_WRONG_KIND, "ticket", atoll_event_import(&ticket, &event));
    EXPECT(ATOLL_OK, atoll_latch_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_latch_count_down(same, 1));
    EXPECT(ATOLL_OK, atoll_latch_wait(latch, 0));
    EXPECT(ATOLL_OK, atoll_latch_close(same));
    tear_down();
}

static void arrive_and_wait(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    EXPECT(ATOLL_OK, atoll_latch_wait(latch, ATOLL_FOREVER));
}

static void threads_meet(void) {
    set_up(8);
    in_crowd(8, arrive_and_wait, NULL);
    CHECK(count() == 0);
    tear_down();
}

static void arrive_and_be_killed(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
}

static void wait_as_a_process(void *unused) {
    (void)unused;
    EXPECT(ATOLL_OK, atoll_latch_wait(latch, ATOLL_FOREVER));
}

/* Who has counted down is not missed; who has not is replaced by whoever counts for it. */
static void deaths_take_nothing_back(void) {
    pid_t victim;
    set_up(2);
    victim = start_victim(arrive_and_be_killed, NULL);
    kill_victim(victim);
    CHECK(count() == 1);
    REFUSED(ATOLL_TIMED_OUT, "zero", atoll_latch_wait(latch, 1000000));
    EXPECT(ATOLL_OK, atoll_latch_count_down(latch, 1));
    in_child(wait_as_a_process, NULL);
    tear_down();
}

int main(void) {
    RUN(it_opens_at_zero_for_good);
    RUN(counts_may_be_nothing_or_a_lot);
    RUN(open_by_name);
    RUN(bad_input_is_refused);
    RUN(a_ticket_leads_to_it);
    RUN(threads_meet);
    RUN(deaths_take_nothing_back);
    return any_failed;
}
