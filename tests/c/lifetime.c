/* How long objects live: names that are removed, tickets that are sent, what is left behind. */

#include "process.h"

static const char *name;
static atoll_segment *segment;
static const atoll_type i64 = ATOLL_TYPE_I64;
static const uint64_t shape[] = {3, 4};

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
}

static void tear_down(void) {
    end_segment(segment, name);
}

static uint64_t objects(void) {
    atoll_segment_info info;
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    return info.objects;
}

/* --- removal ---------------------------------------------------------------------------------- */

static void a_removed_name_is_free_for_something_else(void) {
    const int64_t seven = 7;
    int64_t number = 0;
    atoll_value *old, *seen;
    atoll_array *array;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "x", &i64, &seven, 8, &old));
    EXPECT(ATOLL_OK, atoll_value_remove(segment, "x"));
    REFUSED(ATOLL_NOT_FOUND, "x", atoll_value_remove(segment, "x"));
    REFUSED(ATOLL_NOT_FOUND, "x", atoll_value_open(segment, "x", NULL, &seen));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "x", &i64, 2, shape, &array));
    CHECK(objects() == 2);
    EXPECT(ATOLL_OK, atoll_value_load(old, &number, 8, NULL)); /* who has it open goes on */
    CHECK(number == 7);
    EXPECT(ATOLL_OK, atoll_value_close(old));
    CHECK(objects() == 1);
    EXPECT(ATOLL_OK, atoll_array_remove(segment, "x"));
    CHECK(objects() == 1);
    EXPECT(ATOLL_OK, atoll_array_close(array));
    CHECK(objects() == 0);
    tear_down();
}

static void a_mutex_goes_on_without_its_name(void) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    set_up();
    for (uint32_t recursive = 0; recursive <= 1; recursive++) {
        atoll_mutex *mutex;
        options.recursive = recursive;
        EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", &options, &mutex));
        EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
        EXPECT(ATOLL_OK, atoll_mutex_remove(segment, "m"));
        EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
        EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    }
    CHECK(objects() == 0);
    tear_down();
}

static void what_is_not_there_cannot_be_removed(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *watched, *closed;
    atoll_mutex *mutex;
    set_up();
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    REFUSED(ATOLL_NOT_FOUND, "n", atoll_mutex_remove(segment, "n"));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_value_remove(segment, "m"));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_array_remove(segment, "m"));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_mutex_remove(segment, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "empty", atoll_mutex_remove(segment, ""));
    REFUSED(ATOLL_INVALID_ARGUMENT, "/", atoll_mutex_remove(segment, "a/b"));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_mutex_remove(NULL, "m"));
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &watched));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mutex_remove(watched, "m"));
    EXPECT(ATOLL_OK, atoll_segment_close(watched));
    closed = watched;
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_mutex_remove(closed, "m"));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    CHECK(objects() == 1);
    tear_down();
}

static void open_by_name(void *unused) {
    atoll_value *value;
    (void)unused;
    EXPECT(ATOLL_OK, atoll_value_open(segment, "x", NULL, &value));
}

static void others_keep_what_is_removed_until_they_die(void) {
    atoll_value *value;
    pid_t victim;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, "x", &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    victim = start_victim(open_by_name, NULL);
    EXPECT(ATOLL_OK, atoll_value_remove(segment, "x"));
    CHECK(objects() == 1);
    kill_victim(victim);
    CHECK(objects() == 0);
    tear_down();
}

static void removal_gives_the_memory_back(void) {
    atoll_segment_info before, after;
    const uint64_t large[] = {50000};
    set_up();
    for (int i = 0; i < 30; i++) { /* 12 MB through a segment of 1 */
        atoll_array *array;
        EXPECT(ATOLL_OK, atoll_array_create(segment, "x", &i64, 1, large, &array));
        EXPECT(ATOLL_OK, atoll_array_remove(segment, "x"));
        EXPECT(ATOLL_OK, atoll_array_close(array));
        EXPECT(ATOLL_OK, atoll_segment_stat(segment, i == 0 ? &before : &after));
    }
    CHECK(after.used == before.used && after.committed == before.committed);
    CHECK(after.largest_free <= after.free && after.free <= after.committed);
    CHECK(after.largest_free >= 400000);
    tear_down();
}

/* --- tickets ---------------------------------------------------------------------------------- */

static int to_child[2], to_parent[2];

static void put(int fd, const void *bytes, size_t n) {
    CHECK(write(fd, bytes, n) == (ssize_t)n);
}

static void get(int fd, void *bytes, size_t n) {
    CHECK(read(fd, bytes, n) == (ssize_t)n);
}

/* Runs `body` in a process that has nothing of ours open. */
static pid_t start_stranger(void (*body)(void)) {
    pid_t child;
    CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        begin_child();
        body();
        fflush(stdout);
        exit(failures != 0);
    }
    return child;
}

static void end_stranger(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < 2; i++) close(to_child[i]), close(to_parent[i]);
}

struct tickets {
    atoll_ticket mutex, value, array;
};

static void receive_and_use(void) {
    struct tickets received;
    atoll_array_layout layout;
    atoll_type type;
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    int64_t number = 0;
    get(to_child[0], &received, sizeof received);
    EXPECT(ATOLL_OK, atoll_mutex_import(&received.mutex, &mutex));
    EXPECT(ATOLL_OK, atoll_value_import(&received.value, &value));
    EXPECT(ATOLL_OK, atoll_array_import(&received.array, &array));
    put(to_parent[1], "i", 1); /* imported; now the sender lets go */
    get(to_child[0], &type, 1);
    EXPECT(ATOLL_OK, atoll_value_type(value, &type));
    EXPECT(ATOLL_OK, atoll_array_info(array, &layout));
    CHECK(type.code == ATOLL_I64 && layout.ndim == 2 && layout.shape[1] == 4);
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0)); /* recursive, as it was made */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 8, NULL));
    CHECK(number == 7 && ((int64_t *)atoll_array_data(array))[11] == 11);
    EXPECT(ATOLL_OK, atoll_value_export(value, &received.value)); /* and back */
    put(to_parent[1], &received.value, sizeof received.value);
    get(to_child[0], &type, 1);
}

static void tickets_go_through_a_pipe(void) {
    atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
    const int64_t seven = 7;
    int64_t number = 0;
    struct tickets sent;
    atoll_ticket back;
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    char byte;
    pid_t stranger = start_stranger(receive_and_use); /* before there is anything to inherit */
    set_up();
    options.recursive = 1;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, &options, &mutex));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, NULL, &i64, &seven, 8, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, NULL, &i64, 2, shape, &array));
    ((int64_t *)atoll_array_data(array))[11] = 11;
    EXPECT(ATOLL_OK, atoll_mutex_export(mutex, &sent.mutex));
    EXPECT(ATOLL_OK, atoll_value_export(value, &sent.value));
    EXPECT(ATOLL_OK, atoll_array_export(array, &sent.array));
    CHECK(strcmp(sent.value.segment, name) == 0);
    /* The tickets keep them. */
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    CHECK(objects() == 3);
    put(to_child[1], &sent, sizeof sent);
    get(to_parent[0], &byte, 1);
    CHECK(objects() == 3);
    put(to_child[1], "u", 1);
    get(to_parent[0], &back, sizeof back);
    EXPECT(ATOLL_OK, atoll_value_import(&back, &value));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 8, NULL));
    CHECK(number == 7);
    put(to_child[1], "e", 1);
    end_stranger(stranger);
    CHECK(objects() == 1); /* its holds went with it */
    EXPECT(ATOLL_OK, atoll_value_close(value));
    CHECK(objects() == 0);
    tear_down();
}

static void a_ticket_holds_for_one_import(void) {
    atoll_ticket ticket;
    atoll_value *value, *first, *second;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &ticket));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_value_import(&ticket, &first));
    EXPECT(ATOLL_OK, atoll_value_import(&ticket, &second)); /* somebody has it open */
    EXPECT(ATOLL_OK, atoll_value_close(first));
    EXPECT(ATOLL_OK, atoll_value_close(second));
    REFUSED(ATOLL_NOT_FOUND, "gone", atoll_value_import(&ticket, &first));
    CHECK(first == NULL && objects() == 0);
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value)); /* where it was, perhaps */
    REFUSED(ATOLL_NOT_FOUND, "gone", atoll_value_import(&ticket, &first));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    tear_down();
}

static void export_and_wait(void *shared) {
    atoll_value *value;
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &((atoll_ticket *)shared)[0]));
    EXPECT(ATOLL_OK, atoll_value_export(value, &((atoll_ticket *)shared)[1]));
}

static void tickets_go_with_who_wrote_them(void) {
    atoll_array *space;
    atoll_ticket *tickets;
    atoll_value *value, *late;
    atoll_type u8 = ATOLL_TYPE_U8;
    const uint64_t room[] = {2 * sizeof(atoll_ticket)};
    pid_t victim;
    set_up();
    EXPECT(ATOLL_OK, atoll_array_create(segment, "tickets", &u8, 1, room, &space));
    tickets = atoll_array_data(space);
    victim = start_victim(export_and_wait, tickets);
    EXPECT(ATOLL_OK, atoll_value_import(&tickets[0], &value));
    kill_victim(victim);
    CHECK(objects() == 2);
    EXPECT(ATOLL_OK, atoll_value_import(&tickets[1], &late)); /* because we have it open */
    EXPECT(ATOLL_OK, atoll_value_close(late));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    CHECK(objects() == 1);
    REFUSED(ATOLL_NOT_FOUND, "gone", atoll_value_import(&tickets[1], &late));

    victim = start_victim(export_and_wait, tickets);
    kill_victim(victim);
    CHECK(objects() == 1);
    REFUSED(ATOLL_NOT_FOUND, "gone", atoll_value_import(&tickets[0], &late));
    EXPECT(ATOLL_OK, atoll_array_close(space));
    tear_down();
}

static void a_named_object_has_tickets_too(void) {
    atoll_ticket ticket;
    atoll_value *value, *same;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, "x", &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &ticket));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_value_remove(segment, "x"));
    EXPECT(ATOLL_OK, atoll_value_import(&ticket, &same));
    EXPECT(ATOLL_OK, atoll_value_close(same));
    CHECK(objects() == 0);
    tear_down();
}

static void what_is_no_ticket_is_refused(void) {
    atoll_ticket ticket, other;
    atoll_value *value, *got;
    atoll_mutex *mutex;
    atoll_array *array;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &ticket));
    REFUSED(ATOLL_WRONG_KIND, "mutex", atoll_mutex_import(&ticket, &mutex));
    REFUSED(ATOLL_WRONG_KIND, "array", atoll_array_import(&ticket, &array));
    CHECK(mutex == NULL && array == NULL);
    REFUSED(ATOLL_INVALID_ARGUMENT, "ticket is NULL", atoll_value_import(NULL, &got));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_value_import(&ticket, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_value_export(value, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_value_export(NULL, &other));
    REFUSED(ATOLL_INVALID_ARGUMENT, "kind", atoll_value_export((atoll_value *)segment, &other));
    memset(&other, 0, sizeof other);
    REFUSED(ATOLL_WRONG_KIND, "value", atoll_value_import(&other, &got));
    memset(&other, 255, sizeof other);
    REFUSED(ATOLL_INVALID_ARGUMENT, "segment", atoll_value_import(&other, &got));
    for (int i = 1; i < 6; i++) { /* words that lead anywhere */
        other = ticket;
        other.words[i] = UINT64_MAX - 7;
        if (atoll_value_import(&other, &got) == ATOLL_OK) EXPECT(ATOLL_OK, atoll_value_close(got));
        other.words[i] = 4096;
        if (atoll_value_import(&other, &got) == ATOLL_OK) EXPECT(ATOLL_OK, atoll_value_close(got));
    }
    other = ticket;
    other.identity++;
    REFUSED(ATOLL_NOT_FOUND, name, atoll_value_import(&other, &got));
    strcpy(other.segment, fresh_name());
    REFUSED(ATOLL_NOT_FOUND, other.segment, atoll_value_import(&other, &got));
    EXPECT(ATOLL_OK, atoll_value_import(&ticket, &got)); /* none of that used it up */
    EXPECT(ATOLL_OK, atoll_value_close(got));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    CHECK(objects() == 0);
    tear_down();
}

static void a_ticket_leads_back_to_a_segment_without_a_name(void) {
    atoll_ticket ticket;
    atoll_value *value, *got;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, NULL, &i64, &value));
    EXPECT(ATOLL_OK, atoll_value_export(value, &ticket));
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
    EXPECT(ATOLL_OK, atoll_value_import(&ticket, &got)); /* this process is in it */
    EXPECT(ATOLL_OK, atoll_value_close(got));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
    REFUSED(ATOLL_NOT_FOUND, name, atoll_value_import(&ticket, &got));
}

int main(void) {
    RUN(a_removed_name_is_free_for_something_else);
    RUN(a_mutex_goes_on_without_its_name);
    RUN(what_is_not_there_cannot_be_removed);
    RUN(others_keep_what_is_removed_until_they_die);
    RUN(removal_gives_the_memory_back);
    RUN(tickets_go_through_a_pipe);
    RUN(a_ticket_holds_for_one_import);
    RUN(tickets_go_with_who_wrote_them);
    RUN(a_named_object_has_tickets_too);
    RUN(what_is_no_ticket_is_refused);
    RUN(a_ticket_leads_back_to_a_segment_without_a_name);
    return any_failed;
}
