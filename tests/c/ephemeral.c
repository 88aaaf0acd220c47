/* Segments that go by themselves, and processes that leave. */

#include "process.h"

static atoll_segment *new_ephemeral(const char *name) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment = NULL;
    options.ephemeral = 1;
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options, &segment));
    return segment;
}

static void it_goes_with_its_last_handle(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_ephemeral(name), *again;
    atoll_segment_info info;
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.ephemeral);
    EXPECT(ATOLL_OK, atoll_segment_open(name, NULL, &again));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
    EXPECT(ATOLL_OK, atoll_segment_verify(again));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    REFUSED(ATOLL_NOT_FOUND, name, atoll_segment_open(name, NULL, &again));
}

static void make_one(void *name) {
    new_ephemeral((const char *)name);
}

static void who_was_killed_leaves_it_to_be_collected(void) {
    const char *name = fresh_name();
    uint64_t reclaimed = 99;
    pid_t victim = start_victim(make_one, (void *)name);
    EXPECT(ATOLL_OK, atoll_gc(&reclaimed));
    CHECK(reclaimed == 0);
    kill_victim(victim);
    EXPECT(ATOLL_OK, atoll_gc(&reclaimed));
    CHECK(reclaimed == 1);
    REFUSED(ATOLL_INVALID_ARGUMENT, "out_reclaimed", atoll_gc(NULL));
}

static void a_process_has_a_home(void) {
    atoll_segment *home, *again;
    atoll_segment_info info, same;
    char prefix[32];
    EXPECT(ATOLL_OK, atoll_segment_home(&home));
    EXPECT(ATOLL_OK, atoll_segment_home(&again));
    CHECK(home != again);
    EXPECT(ATOLL_OK, atoll_segment_stat(home, &info));
    EXPECT(ATOLL_OK, atoll_segment_stat(again, &same));
    CHECK(info.ephemeral && info.mode == 0600 && strcmp(info.name, same.name) == 0);
    snprintf(prefix, sizeof prefix, "atoll-home-%d-", (int)getpid());
    CHECK(strncmp(info.name, prefix, strlen(prefix)) == 0);
    EXPECT(ATOLL_OK, atoll_segment_close(home));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    EXPECT(ATOLL_OK, atoll_segment_open(info.name, NULL, &again));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    EXPECT(ATOLL_OK, atoll_process_leave());
    REFUSED(ATOLL_NOT_FOUND, info.name, atoll_segment_open(info.name, NULL, &again));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_segment_home(NULL));
}

static void open_and_leave(void *name) {
    atoll_segment *segment;
    EXPECT(ATOLL_OK, atoll_segment_open((const char *)name, NULL, &segment));
    EXPECT(ATOLL_OK, atoll_process_leave());
}

static void who_leaves_does_not_die(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_member_info dead;
    uint64_t epoch;
    in_child(open_and_leave, (void *)name);
    EXPECT(ATOLL_TIMED_OUT, atoll_segment_wait_death(segment, 0, 0, &epoch, &dead));
    end_segment(segment, name);
}

int main(void) {
    RUN(it_goes_with_its_last_handle);
    RUN(who_was_killed_leaves_it_to_be_collected);
    RUN(a_process_has_a_home);
    RUN(who_leaves_does_not_die);
    return any_failed;
}
