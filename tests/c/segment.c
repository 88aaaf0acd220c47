/* Segments: birth, names, options, what they tell about themselves. */

#include <sys/stat.h>

#include "process.h"

/* The file behind a segment. */
static struct stat file_of(const char *name) {
    char path[256];
    struct stat facts;
    memset(&facts, 0, sizeof facts);
    snprintf(path, sizeof path, "%s/%s", segment_folder(), name);
    CHECK(stat(path, &facts) == 0);
    return facts;
}

static void create_open_and_unlink(void) {
    const char *name = fresh_name();
    atoll_segment *segment, *again, *third;
    EXPECT(ATOLL_OK, atoll_segment_create(name, NULL, &segment));
    REFUSED(ATOLL_ALREADY_EXISTS, name, atoll_segment_create(name, NULL, &again));
    CHECK(again == NULL);
    EXPECT(ATOLL_OK, atoll_segment_open(name, NULL, &again));
    EXPECT(ATOLL_OK, atoll_segment_open_or_create(name, NULL, &third));
    EXPECT(ATOLL_OK, atoll_segment_close(third));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
    REFUSED(ATOLL_NOT_FOUND, name, atoll_segment_open(name, NULL, &again));
    REFUSED(ATOLL_NOT_FOUND, name, atoll_segment_unlink(name));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void open_or_create_creates(void) {
    const char *name = fresh_name();
    atoll_segment *segment;
    EXPECT(ATOLL_OK, atoll_segment_open_or_create(name, NULL, &segment));
    end_segment(segment, name);
}

struct rush {
    const char *name;
    int gate[2]; /* a pipe: closing its end of writing opens it */
};

static void create_and_count(void *argument) {
    struct rush *rush = argument;
    atoll_type type = ATOLL_TYPE_I32;
    const int32_t one = 1;
    char byte;
    atoll_segment *segment;
    atoll_value *value;
    atoll_mutex *mutex;
    close(rush->gate[1]);
    CHECK(read(rush->gate[0], &byte, 1) == 0);
    EXPECT(ATOLL_OK, atoll_segment_open_or_create(rush->name, NULL, &segment));
    EXPECT(ATOLL_OK, atoll_value_open_or_create(segment, "arrived", &type, &value));
    EXPECT(ATOLL_OK, atoll_mutex_open_or_create(segment, "guard", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_fetch_add(value, &one, sizeof one, NULL, 0, NULL));
}

static void of_many_who_create_at_once_one_does(void) {
    enum { MANY = 8 };
    struct rush rush = {fresh_name(), {-1, -1}};
    atoll_type type = ATOLL_TYPE_I32;
    int32_t arrived = 0;
    atoll_segment *segment;
    atoll_segment_info info;
    atoll_value *value;
    CHECK(pipe(rush.gate) == 0);
    fflush(stdout);
    for (int i = 0; i < MANY; i++) {
        if (fork() == 0) {
            begin_child();
            create_and_count(&rush);
            fflush(stdout);
            exit(failures != 0);
        }
    }
    close(rush.gate[1]);
    close(rush.gate[0]);
    for (int i = 0, status; i < MANY; i++) CHECK(wait(&status) > 0 && status == 0);
    EXPECT(ATOLL_OK, atoll_segment_open(rush.name, NULL, &segment));
    EXPECT(ATOLL_OK, atoll_value_open(segment, "arrived", &type, &value));
    EXPECT(ATOLL_OK, atoll_value_load(value, &arrived, sizeof arrived, NULL));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(arrived == MANY && info.objects == 2);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, rush.name);
}

static void a_leading_slash_is_the_same_name(void) {
    const char *name = fresh_name();
    char with_slash[80];
    atoll_segment *segment = new_segment(name), *again;
    snprintf(with_slash, sizeof with_slash, "/%s", name);
    EXPECT(ATOLL_OK, atoll_segment_open(with_slash, NULL, &again));
    EXPECT(ATOLL_OK, atoll_segment_close(again));
    end_segment(segment, with_slash);
}

static void defaults_and_stat(void) {
    const char *name = fresh_name();
    atoll_segment *segment;
    atoll_segment_info info;
    EXPECT(ATOLL_OK, atoll_segment_create(name, NULL, &segment));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(strcmp(info.name, name) == 0);
    CHECK(info.size == 64 << 20);
    CHECK(info.committed > 0 && info.committed <= 64 << 10);
    CHECK(info.used > 0 && info.used <= info.committed);
    CHECK(info.objects == 0 && info.members <= 1 && info.participants <= 1);
    CHECK(info.max_participants == 4096 && info.mode == 0600 && info.layout_version >= 1);
    CHECK(!info.read_only && !info.ephemeral);
    end_segment(segment, name);
}

static void options_are_followed(void) {
    const char *name = fresh_name();
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_segment_info info;
    const mode_t mask = umask(077);
    options.size = 64 << 10;
    options.mode = 0664;
    options.max_participants = 16;
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options, &segment));
    umask(mask);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.size == 64 << 10 && info.max_participants == 16 && info.mode == 0664);
    CHECK((file_of(name).st_mode & 07777) == 0664); /* exact, whatever the umask */
    CHECK(file_of(name).st_size == 64 << 10);
    end_segment(segment, name);
}

static void memory_is_committed_as_needed(void) {
    const char *name = fresh_name();
    atoll_type type = ATOLL_TYPE_U8;
    const uint64_t shape[] = {1 << 20};
    atoll_segment *segment;
    atoll_array *array;
    atoll_segment_info info;
    EXPECT(ATOLL_OK, atoll_segment_create(name, NULL, &segment));
    CHECK(file_of(name).st_size == 64 << 20);
    CHECK(file_of(name).st_blocks * 512 <= 64 << 10);
    EXPECT(ATOLL_OK, atoll_array_create(segment, "large", &type, 1, shape, &array));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.used >= shape[0] && info.committed >= info.used && info.committed < info.size);
    CHECK(file_of(name).st_blocks * 512 >= (blkcnt_t)shape[0]);
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);
}

static void read_only_looks_and_does_not_touch(void) {
    const char *name = fresh_name();
    atoll_segment_options look = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_type type = ATOLL_TYPE_I64;
    const int64_t seven = 7;
    int64_t got = 0;
    uint64_t epoch;
    atoll_member_info dead;
    atoll_segment *segment = new_segment(name), *watcher;
    atoll_segment_info info;
    atoll_value *value, *seen;
    atoll_mutex *mutex, *watched;
    EXPECT(ATOLL_OK, atoll_value_create(segment, "value", &type, &value));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "mutex", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_store(value, &seven, sizeof seven, 0));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));

    look.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &look, &watcher));
    EXPECT(ATOLL_OK, atoll_segment_stat(watcher, &info));
    CHECK(info.read_only && info.members == 1); /* a watcher is no member */
    EXPECT(ATOLL_OK, atoll_segment_verify(watcher));
    EXPECT(ATOLL_OK, atoll_value_open(watcher, "value", &type, &seen));
    EXPECT(ATOLL_OK, atoll_value_load(seen, &got, sizeof got, NULL));
    CHECK(got == 7);
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_value_store(seen, &got, sizeof got, 0));
    REFUSED(ATOLL_PERMISSION, "read-only",
            atoll_value_fetch_add(seen, &got, sizeof got, NULL, 0, NULL));
    EXPECT(ATOLL_OK, atoll_mutex_open(watcher, "mutex", NULL, &watched));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mutex_lock(watched, 0));
    EXPECT(ATOLL_OK, atoll_mutex_close(watched));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_mutex_create(watcher, "other", NULL, &watched));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_segment_wait_death(watcher, 0, 0, &epoch, &dead));

    EXPECT(ATOLL_OK, atoll_value_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(watcher));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void list_names_every_object(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type = ATOLL_TYPE_F64;
    atoll_mutex_options recursive = ATOLL_MUTEX_OPTIONS_INIT;
    const uint64_t shape[] = {3, 4};
    atoll_object_info entries[3], rest[3];
    atoll_mutex *mutex, *anonymous;
    atoll_value *value;
    atoll_array *array;
    size_t n = 99;
    recursive.recursive = 1;
    EXPECT(ATOLL_OK, atoll_segment_list(segment, 0, entries, 3, &n));
    CHECK(n == 0);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "guard", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, NULL, &recursive, &anonymous));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "mean", &type, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "grid", &type, 2, shape, &array));

    EXPECT(ATOLL_OK, atoll_segment_list(segment, 0, entries, 3, &n));
    CHECK(n == 3);
    CHECK(entries[0].kind == ATOLL_KIND_MUTEX && strcmp(entries[0].name, "guard") == 0);
    CHECK(entries[1].kind == ATOLL_KIND_RECURSIVE_MUTEX && entries[1].name[0] == '\0');
    CHECK(entries[2].kind == ATOLL_KIND_VALUE && strcmp(entries[2].name, "mean") == 0);
    CHECK(entries[2].type.code == ATOLL_F64 && entries[2].type.size == 8);
    EXPECT(ATOLL_OK, atoll_segment_list(segment, n, rest, 3, &n));
    CHECK(n == 1);
    CHECK(rest[0].kind == ATOLL_KIND_ARRAY && strcmp(rest[0].name, "grid") == 0);
    CHECK(rest[0].ndim == 2 && rest[0].shape[0] == 3 && rest[0].shape[1] == 4);
    CHECK(rest[0].bytes >= 3 * 4 * sizeof(double));
    EXPECT(ATOLL_OK, atoll_segment_list(segment, 4, rest, 3, &n));
    CHECK(n == 0);
    REFUSED(ATOLL_INVALID_ARGUMENT, "n", atoll_segment_list(segment, 0, entries, 0, &n));

    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_mutex_close(anonymous));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);
}

static void objects_outlive_the_segment_handle_and_the_name(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type = ATOLL_TYPE_I64;
    const int64_t one = 1;
    int64_t got = 0;
    atoll_value *value;
    EXPECT(ATOLL_OK, atoll_value_create(segment, "value", &type, &value));
    end_segment(segment, name);
    EXPECT(ATOLL_OK, atoll_value_store(value, &one, sizeof one, 0));
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL));
    CHECK(got == 1);
    EXPECT(ATOLL_OK, atoll_value_close(value));
}

static void live_in_dev_shm(void *name) {
    atoll_segment *segment;
    char path[256];
    unsetenv("ATOLL_DIR");
    EXPECT(ATOLL_OK, atoll_segment_create(name, NULL, &segment));
    snprintf(path, sizeof path, "/dev/shm/%s", (const char *)name);
    CHECK(access(path, F_OK) == 0);
    end_segment(segment, name);
}

static void segments_live_in_dev_shm_by_default(void) {
    in_child(live_in_dev_shm, (void *)fresh_name());
}

int main(void) {
    RUN(create_open_and_unlink);
    RUN(open_or_create_creates);
    RUN(of_many_who_create_at_once_one_does);
    RUN(a_leading_slash_is_the_same_name);
    RUN(defaults_and_stat);
    RUN(options_are_followed);
    RUN(memory_is_committed_as_needed);
    RUN(read_only_looks_and_does_not_touch);
    RUN(list_names_every_object);
    RUN(objects_outlive_the_segment_handle_and_the_name);
    RUN(segments_live_in_dev_shm_by_default);
    return any_failed;
}
