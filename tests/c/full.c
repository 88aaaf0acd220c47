/* A file system that is full: NO_SPACE that says what to do, and nothing half done. A small tmpfs,
 * seen only by a child in a mount namespace of its own, plays the full /dev/shm. */

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "process.h"

/* Mounts a tmpfs of so many bytes over `folder` and puts segments there. */
static bool enter_small_world(const char *folder, const char *size) {
    char options[64];
    snprintf(options, sizeof options, "size=%s,mode=1777", size);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", 0, options) != 0) {
        skip_reason = "mounting a small tmpfs is not permitted";
        return false;
    }
    return setenv("ATOLL_DIR", folder, 1) == 0;
}

static void run_with_own_folder(void (*body)(void *)) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s/small", segment_folder());
    CHECK(mkdir(folder, 0777) == 0);
    in_child(body, folder);
    CHECK(rmdir(folder) == 0);
}

static void create_where_nothing_fits(void *folder) {
    atoll_segment *segment;
    int before;
    if (!enter_small_world(folder, "16k")) return;
    before = count_entries(folder);
    REFUSED(ATOLL_NO_SPACE, "--shm-size", atoll_segment_create("x", NULL, &segment));
    REFUSED(ATOLL_NO_SPACE, folder, atoll_segment_open_or_create("x", NULL, &segment));
    CHECK(segment == NULL && count_entries(folder) == before);
}

static void no_room_for_a_segment(void) {
    run_with_own_folder(create_where_nothing_fits);
}

static void grow_where_nothing_fits(void *folder) {
    const uint64_t large[] = {4 << 20}, small[] = {16};
    atoll_type type = ATOLL_TYPE_U8;
    atoll_segment *segment;
    atoll_segment_info before, after;
    atoll_mutex *mutex;
    atoll_array *array;
    if (!enter_small_world(folder, "1m")) return;
    EXPECT(ATOLL_OK, atoll_segment_create("x", NULL, &segment));
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    REFUSED(ATOLL_NO_SPACE, "--shm-size",
            atoll_array_create(segment, "a", &type, 1, large, &array));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(after.objects == before.objects && after.used == before.used);
    REFUSED(ATOLL_NOT_FOUND, "a", atoll_array_open(segment, "a", NULL, 0, NULL, &array));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "a", &type, 1, small, &array)); /* life goes on */
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
}

static void no_room_to_grow(void) {
    run_with_own_folder(grow_where_nothing_fits);
}

static void no_room_within_the_segment(void) {
    const char *name = fresh_name();
    const uint64_t large[] = {2 << 20}, small[] = {1000};
    atoll_type type = ATOLL_TYPE_U8;
    atoll_segment *segment = new_segment(name);
    atoll_segment_info before, after;
    atoll_array *array;
    atoll_status status;
    EXPECT(ATOLL_OK, atoll_array_create(segment, "first", &type, 1, small, &array));
    EXPECT(ATOLL_OK, atoll_array_close(array)); /* with it comes what a process needs once */
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &before));
    REFUSED(ATOLL_NO_SPACE, "size", atoll_array_create(segment, "a", &type, 1, large, &array));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(after.objects == before.objects && after.used == before.used);
    for (int i = 0;; i++) { /* with names, so that they stay */
        char called[16];
        snprintf(called, sizeof called, "a%d", i);
        status = atoll_array_create(segment, called, &type, 1, small, &array);
        if (status != ATOLL_OK) break;
        EXPECT(ATOLL_OK, atoll_array_close(array));
    }
    CHECK(status == ATOLL_NO_SPACE);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &after));
    CHECK(after.used <= after.size && after.used > after.size / 2);
    end_segment(segment, name);
}

static void fill_the_process_with_descriptors(void *name) {
    atoll_segment *segment, *another;
    int last, next;
    segment = new_segment(name);
    for (last = dup(0); (next = dup(0)) >= 0; last = next) {
    }
    CHECK(errno == EMFILE && last > 0);
    EXPECT(ATOLL_SYSTEM, atoll_segment_create("another", NULL, &another));
    REFUSED(ATOLL_SYSTEM, "", atoll_segment_open(name, NULL, &another));
    end_segment(segment, name);
}

static void no_descriptors_left(void) {
    in_child(fill_the_process_with_descriptors, (void *)fresh_name());
}

int main(void) {
    RUN(no_room_for_a_segment);
    RUN(no_room_to_grow);
    RUN(no_room_within_the_segment);
    RUN(no_descriptors_left);
    return any_failed;
}
