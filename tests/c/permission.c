/* Other users: what the mode of a segment lets them do. Needs root, to become somebody else. */

#include <grp.h>
#include <sys/stat.h>

#include "process.h"

enum { NOBODY = 65534 };

static const char *name;

static atoll_segment *new_segment_with_mode(uint32_t mode) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment;
    name = fresh_name();
    options.mode = mode;
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options, &segment));
    return segment;
}

static void become_nobody(void) {
    CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void find_it_closed(void *unused) {
    atoll_segment_options look = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment;
    (void)unused;
    become_nobody();
    look.read_only = 1;
    REFUSED(ATOLL_PERMISSION, name, atoll_segment_open(name, NULL, &segment));
    REFUSED(ATOLL_PERMISSION, name, atoll_segment_open(name, &look, &segment));
    REFUSED(ATOLL_PERMISSION, name, atoll_segment_open_or_create(name, NULL, &segment));
    REFUSED(ATOLL_PERMISSION, name, atoll_segment_unlink(name));
    CHECK(segment == NULL);
}

static void others_are_kept_out_by_default(void) {
    atoll_segment *segment;
    if (geteuid() != 0) SKIP("only root can become another user");
    segment = new_segment_with_mode(0);
    in_child(find_it_closed, NULL);
    end_segment(segment, name);
}

static void only_look(void *unused) {
    atoll_segment_options look = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment;
    (void)unused;
    become_nobody();
    REFUSED(ATOLL_PERMISSION, "mode", atoll_segment_open(name, NULL, &segment));
    look.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &look, &segment));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void others_may_look_if_the_mode_says_so(void) {
    atoll_segment *segment;
    if (geteuid() != 0) SKIP("only root can become another user");
    segment = new_segment_with_mode(0644);
    in_child(only_look, NULL);
    end_segment(segment, name);
}

static void take_part(void *unused) {
    atoll_segment *segment;
    atoll_segment_info info;
    atoll_mutex *mutex;
    (void)unused;
    become_nobody();
    EXPECT(ATOLL_OK, atoll_segment_open_or_create(name, NULL, &segment));
    EXPECT(ATOLL_OK, atoll_mutex_open_or_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.mode == 0666);
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
}

static void others_may_take_part_if_the_mode_says_so(void) {
    atoll_segment *segment;
    if (geteuid() != 0) SKIP("only root can become another user");
    segment = new_segment_with_mode(0666);
    in_child(take_part, NULL);
    end_segment(segment, name);
}

static void find_no_room_to_write(void *folder) {
    atoll_segment *segment;
    become_nobody();
    setenv("ATOLL_DIR", folder, 1);
    REFUSED(ATOLL_PERMISSION, folder, atoll_segment_create("x", NULL, &segment));
    REFUSED(ATOLL_PERMISSION, folder, atoll_segment_open_or_create("x", NULL, &segment));
}

static void a_folder_that_may_not_be_written_to(void) {
    char folder[256];
    if (geteuid() != 0) SKIP("only root can become another user");
    snprintf(folder, sizeof folder, "%s/closed", segment_folder());
    CHECK(mkdir(folder, 0755) == 0);
    in_child(find_no_room_to_write, folder);
    CHECK(rmdir(folder) == 0);
}

static void find_no_folder(void *folder) {
    atoll_segment *segment;
    setenv("ATOLL_DIR", folder, 1);
    REFUSED(ATOLL_SYSTEM, folder, atoll_segment_create("x", NULL, &segment));
    REFUSED(ATOLL_NOT_FOUND, folder, atoll_segment_open("x", NULL, &segment));
}

static void a_folder_that_is_not_there(void) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s/missing", segment_folder());
    in_child(find_no_folder, folder);
}

int main(void) {
    RUN(others_are_kept_out_by_default);
    RUN(others_may_look_if_the_mode_says_so);
    RUN(others_may_take_part_if_the_mode_says_so);
    RUN(a_folder_that_may_not_be_written_to);
    RUN(a_folder_that_is_not_there);
    return any_failed;
}
