/*
 * segment empty|fresh|again SEGMENT
 *
 * empty   Makes an empty segment and says how many bytes are committed, as the library
 *         says and as the file system does. It stays until the input ends.
 * fresh   Opens the segment and locks its mutex, and says how many nanoseconds it took.
 * again   Opens and closes the segment in slices.
 */
#include <sys/stat.h>

#include "lane.h"

static const char *name;

static void unlink_segment(void) {
    atoll_segment_unlink(name);
}

static void empty(void) {
    atoll_segment *segment;
    atoll_mutex *mutex;
    atoll_segment_info info;
    atoll_platform platform;
    struct stat file;
    char path[512];
    lane_check(atoll_segment_create(name, NULL, &segment));
    atexit(unlink_segment);
    lane_check(atoll_segment_stat(segment, &info));
    atoll_platform_info(&platform);
    snprintf(path, sizeof path, "%s/%s", platform.directory, name);
    lane_need(stat(path, &file) == 0, path);
    lane_check(atoll_mutex_create(segment, "till", NULL, &mutex));
    lane_ready();
    printf("%" PRIu64 " %" PRIu64 "\n", info.committed, (uint64_t)file.st_blocks * 512);
    fflush(stdout);
    while (getchar() != EOF) {
    }
}

static void fresh(void) {
    atoll_segment *segment;
    atoll_mutex *mutex;
    uint64_t begin = lane_now();
    lane_check(atoll_segment_open(name, NULL, &segment));
    uint64_t opened = lane_now();
    lane_check(atoll_mutex_open(segment, "till", NULL, &mutex));
    lane_check(atoll_mutex_lock(mutex, ATOLL_FOREVER));
    uint64_t locked = lane_now();
    lane_ready();
    printf("%" PRIu64 " %" PRIu64 "\n", locked - begin, opened - begin);
    atoll_mutex_unlock(mutex);
}

static void open_and_close(long operations) {
    while (operations-- > 0) {
        atoll_segment *segment;
        lane_check(atoll_segment_open(name, NULL, &segment));
        atoll_segment_close(segment);
    }
}

static const struct lane_side again[] = {{"ours", open_and_close, 1}, {NULL, NULL, 0}};

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: segment empty|fresh|again SEGMENT");
    name = argv[2];
    if (strcmp(argv[1], "empty") == 0)
        empty();
    else if (strcmp(argv[1], "fresh") == 0)
        fresh();
    else
        lane_serve(again);
    return 0;
}
