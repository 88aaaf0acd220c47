/* Files that are no segments, no longer segments, or segments of another time: a status with a
 * sentence, never a fault, and the file stays as it was. */

#include <fcntl.h>
#include <sys/stat.h>

#include "process.h"

/* The fields of the first page that are fixed for ever; see docs/memory.md. */
enum { LAYOUT_VERSION_AT = 8, FINGERPRINT_AT = 16, DIRECTORY_AT = 4096, RECORDS_AT = 8192 };

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", segment_folder(), name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t n) {
    const int fd = open(path_of(name), O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

/* A closed segment with one object of each kind in it. */
static void make_segment(const char *name) {
    const uint64_t shape[] = {16};
    atoll_type type = ATOLL_TYPE_I64;
    atoll_segment *segment = new_segment(name);
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "a", &type, 1, shape, &array));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void refuse_to_open(atoll_status status, const char *words, const char *name) {
    atoll_segment_options look = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment;
    look.read_only = 1;
    REFUSED(status, words, atoll_segment_open(name, NULL, &segment));
    REFUSED(status, words, atoll_segment_open(name, &look, &segment));
    REFUSED(status, words, atoll_segment_open_or_create(name, NULL, &segment));
}

static void foreign_files(void) {
    const char text[] = "a shopping list, not a segment\n", *name = fresh_name();
    char now[64] = "", page[RECORDS_AT * 8];
    int fd;
    write_file(name, text, sizeof text);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    fd = open(path_of(name), O_RDONLY);
    CHECK(read(fd, now, sizeof now) == sizeof text && strcmp(now, text) == 0);
    close(fd);
    memset(page, 'x', sizeof page);
    write_file(name, page, sizeof page);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
}

static void an_empty_file(void) {
    const char *name = fresh_name();
    write_file(name, "", 0);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
}

static void a_folder(void) {
    const char *name = fresh_name();
    CHECK(mkdir(path_of(name), 0700) == 0);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    CHECK(rmdir(path_of(name)) == 0);
}

static void a_pipe_does_not_block(void) {
    const char *name = fresh_name();
    CHECK(mkfifo(path_of(name), 0600) == 0);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
}

static void a_truncated_segment(void) {
    const off_t lengths[] = {0, 7, 100, DIRECTORY_AT, RECORDS_AT, 32 << 10, (1 << 20) - 1};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const char *name = fresh_name();
        make_segment(name);
        CHECK(truncate(path_of(name), lengths[i]) == 0);
        /* Without its first bytes nothing says that it was a segment. */
        refuse_to_open(lengths[i] < 8 ? ATOLL_INCOMPATIBLE : ATOLL_CORRUPTED, name, name);
        EXPECT(ATOLL_OK, atoll_segment_unlink(name));
    }
}

static void patch(const char *name, off_t at, const void *bytes, size_t n) {
    const int fd = open(path_of(name), O_RDWR);
    CHECK(pwrite(fd, bytes, n, at) == (ssize_t)n);
    close(fd);
}

static void another_layout(void) {
    const char *name = fresh_name();
    const uint32_t version = 4321;
    const uint64_t fingerprint = 0x1234567890abcdef;
    make_segment(name);
    patch(name, FINGERPRINT_AT, &fingerprint, sizeof fingerprint);
    refuse_to_open(ATOLL_INCOMPATIBLE, name, name);
    patch(name, LAYOUT_VERSION_AT, &version, sizeof version);
    refuse_to_open(ATOLL_INCOMPATIBLE, "4321", name); /* says which it has */
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
}

/* Many verdicts will do: what matters is that the call comes back, and that no bug was met. */
static bool is_verdict(atoll_status status) {
    return status >= ATOLL_OK && status < ATOLL_SYSTEM && status != ATOLL_REENTRANT;
}

static void use_what_opens(void *name) {
    atoll_segment *segment;
    atoll_segment_info info;
    atoll_object_info entries[8];
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    int64_t number = 0;
    size_t n;
    CHECK(is_verdict(atoll_segment_open(name, NULL, &segment)));
    if (segment == NULL) return;
    CHECK(is_verdict(atoll_segment_verify(segment)));
    CHECK(is_verdict(atoll_segment_stat(segment, &info)));
    CHECK(is_verdict(atoll_segment_list(segment, 0, entries, 8, &n)));
    CHECK(is_verdict(atoll_mutex_open(segment, "m", NULL, &mutex)));
    if (mutex != NULL) CHECK(is_verdict(atoll_mutex_lock(mutex, 0)));
    if (mutex != NULL) atoll_mutex_unlock(mutex);
    CHECK(is_verdict(atoll_value_open(segment, "v", NULL, &value)));
    if (value != NULL) CHECK(is_verdict(atoll_value_load(value, &number, sizeof number, NULL)));
    CHECK(is_verdict(atoll_array_open(segment, "a", NULL, 0, NULL, &array)));
    if (array != NULL) memset(atoll_array_data(array), 1, 16 * sizeof(int64_t));
    CHECK(is_verdict(atoll_mutex_create(segment, "new", NULL, &mutex)));
    atoll_segment_close(segment);
}

/* Every word of the first page that is in use, of the directory, and of the first record, set to
 * values that lie: in a child each, so that a fault is a failed check and not the end of the test.
 */
static void damaged_words(void) {
    const uint64_t lies[] = {
        0, 1, 4097, RECORDS_AT + 64, (uint64_t)1 << 20, (uint64_t)1 << 63, UINT64_MAX};
    const char *name = strdup(fresh_name());
    static uint64_t sound[RECORDS_AT / 8 + 64];
    int fd;
    make_segment(name);
    fd = open(path_of(name), O_RDONLY);
    CHECK(read(fd, sound, sizeof sound) == sizeof sound);
    close(fd);
    for (size_t word = 1; word < sizeof sound / 8; word++) {
        if (sound[word] == 0 && word > 16) continue; /* not in use */
        for (unsigned i = 0; i < sizeof lies / sizeof *lies && failures == 0; i++) {
            const char *copy = fresh_name();
            make_segment(copy);
            patch(copy, (off_t)word * 8, &lies[i], 8);
            in_child(use_what_opens, (void *)copy);
            if (failures != 0)
                printf("     word at %zu = %#llx\n", word * 8, (unsigned long long)lies[i]);
            EXPECT(ATOLL_OK, atoll_segment_unlink(copy));
        }
    }
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
    free((void *)name);
}

int main(void) {
    RUN(foreign_files);
    RUN(an_empty_file);
    RUN(a_folder);
    RUN(a_pipe_does_not_block);
    RUN(a_truncated_segment);
    RUN(another_layout);
    RUN(damaged_words);
    return any_failed;
}
