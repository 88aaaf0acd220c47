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

/* Tells through a pipe what the home of this process is called, with a ticket to a value in it. */
struct news {
    char home[208];
    atoll_ticket ticket;
};

static int pipe_ends[2];

static void make_oneself_at_home(void *unused) {
    const atoll_type i64 = ATOLL_TYPE_I64;
    const int64_t seven = 7;
    atoll_segment_info info;
    atoll_segment *home;
    atoll_value *value;
    struct news news;
    (void)unused;
    EXPECT(ATOLL_OK, atoll_segment_home(&home));
    EXPECT(ATOLL_OK, atoll_segment_stat(home, &info));
    EXPECT(ATOLL_OK, atoll_value_create_with(home, NULL, &i64, &seven, 8, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &news.ticket));
    EXPECT(ATOLL_OK, atoll_segment_close(home)); /* it stays: the process is at home in it */
    memcpy(news.home, info.name, sizeof news.home);
    CHECK(write(pipe_ends[1], &news, sizeof news) == sizeof news);
}

static struct news hear(void) {
    struct news news;
    CHECK(read(pipe_ends[0], &news, sizeof news) == sizeof news);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return news;
}

static bool is_there(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", segment_folder(), name);
    return access(path, F_OK) == 0;
}

static void make_oneself_at_home_and_exit(void *unused) {
    make_oneself_at_home(unused);
    fflush(stdout);
    exit(failures != 0);
}

static void make_oneself_at_home_and_leave(void *unused) {
    make_oneself_at_home(unused);
    EXPECT(ATOLL_OK, atoll_process_leave());
    EXPECT(ATOLL_OK, atoll_process_leave()); /* twice is no harm */
}

static void a_home_goes_with_its_process(void) {
    void (*const ends[])(void *) = {make_oneself_at_home_and_exit, make_oneself_at_home_and_leave};
    for (int i = 0; i < 2; i++) {
        CHECK(pipe(pipe_ends) == 0);
        in_child(ends[i], NULL);
        CHECK(!is_there(hear().home));
    }
}

static void whoever_comes_with_a_ticket_keeps_it(void) {
    uint64_t reclaimed = 99;
    int64_t number = 0;
    atoll_value *value;
    struct news news;
    pid_t victim;
    CHECK(pipe(pipe_ends) == 0);
    victim = start_victim(make_oneself_at_home, NULL);
    news = hear();
    EXPECT(ATOLL_OK, atoll_value_import(&news.ticket, &value));
    kill_victim(victim);
    EXPECT(ATOLL_OK, atoll_gc(&reclaimed));
    CHECK(reclaimed == 0 && is_there(news.home));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 8, NULL));
    CHECK(number == 7);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    CHECK(!is_there(news.home));
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

static void leaving_aborts_a_transaction(void) {
    const atoll_type i64 = ATOLL_TYPE_I64;
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    int64_t number = 7;
    atoll_transaction *transaction;
    atoll_mutex *mutex;
    atoll_value *value;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &i64, &value));
    EXPECT(ATOLL_OK, atoll_transaction_begin(&mutex, 1, 0, &transaction));
    EXPECT(ATOLL_OK, atoll_transaction_store(transaction, value, &number, 8, 0));
    EXPECT(ATOLL_OK, atoll_process_leave());
    REFUSED(ATOLL_INVALID_ARGUMENT, "ended", atoll_transaction_commit(transaction));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 8, NULL));
    CHECK(number == 0);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

int main(void) {
    RUN(it_goes_with_its_last_handle);
    RUN(who_was_killed_leaves_it_to_be_collected);
    RUN(a_process_has_a_home);
    RUN(a_home_goes_with_its_process);
    RUN(whoever_comes_with_a_ticket_keeps_it);
    RUN(who_leaves_does_not_die);
    RUN(leaving_aborts_a_transaction);
    return any_failed;
}
