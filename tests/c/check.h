/* Checks for the C and C++ tests.
 *
 * A test is a function. A failed check says where and what, and the test goes on to its end. RUN
 * prints one line per test, `ok`, `FAIL` or `skip`, which the runner counts.
 *
 * RUN calls each test twice. The first time settles what is made once per process; after the
 * second, files, descriptors and mappings must be as they were between the two, so every test is a
 * test for leaks as well.
 */

#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atoll.h"

static int failures;            /* in the test that is running */
static const char *skip_reason; /* why it could not run, or NULL */
static bool any_failed;         /* in the whole program */

static inline void complain(const char *file, int line, const char *what) {
    failures++;
    printf("     %s:%d: %s\n", file, line, what);
}

#define CHECK(condition) \
    do { \
        if (!(condition)) complain(__FILE__, __LINE__, "not so: " #condition); \
    } while (0)

/* The call returns this status. */
#define EXPECT(expected, call) expect((expected), (call), NULL, __FILE__, __LINE__, #call)

/* The call returns this status, and leaves a sentence that contains `words`. */
#define REFUSED(expected, words, call) \
    expect((expected), (call), (words), __FILE__, __LINE__, #call)

/* A sentence that helps is longer than a word, and is not just the name of the status. */
static inline bool helps(const char *text, const char *words) {
    return strlen(text) >= 15 && strchr(text, ' ') != NULL && strstr(text, words) != NULL;
}

static inline void expect(atoll_status expected, atoll_status got, const char *words,
                          const char *file, int line, const char *call) {
    char what[1024];
    atoll_error last;
    atoll_last_error(&last);
    if (got != expected) {
        snprintf(what, sizeof what, "%s gives %s, not %s (last error: %s)", call,
                 atoll_status_name(got), atoll_status_name(expected), last.text);
        complain(file, line, what);
    } else if (words != NULL && (last.status != got || !helps(last.text, words))) {
        snprintf(what, sizeof what, "%s: the sentence about %s does not say \"%s\": \"%s\"", call,
                 atoll_status_name(last.status), words, last.text);
        complain(file, line, what);
    }
}

/* Leaves the test: it cannot be run here. */
#define SKIP(reason) \
    do { \
        skip_reason = (reason); \
        return; \
    } while (0)

/* A machine without short ways has nothing to test. */
static inline bool has_short_ways(void) {
#ifdef __x86_64__
    return true;
#else
    return false;
#endif
}

/* Where the tests' segments live: the runner gives each program a folder of its own. */
static inline const char *segment_folder(void) {
    const char *folder = getenv("ATOLL_DIR");
    if (folder == NULL) {
        fputs("set ATOLL_DIR to an empty folder in /dev/shm\n", stderr);
        exit(1);
    }
    return folder;
}

static inline int count_entries(const char *folder) {
    int n = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) return -1;
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}

/* All mappings, but under a sanitizer, which maps as it likes, only those of segments. */
static inline int count_mappings(void) {
#ifdef __SANITIZE_ADDRESS__
    const char *relevant = segment_folder();
#else
    const char *relevant = "";
#endif
    char line[4096];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL) return -1;
    while (fgets(line, sizeof line, maps) != NULL) n += strstr(line, relevant) != NULL;
    fclose(maps);
    return n;
}

struct belongings {
    int files, descriptors, mappings;
};

static inline struct belongings take_stock(void) {
    struct belongings now;
    now.files = count_entries(segment_folder());
    now.descriptors = count_entries("/proc/self/fd");
    now.mappings = count_mappings();
    return now;
}

static inline void compare_stock(struct belongings before, struct belongings after) {
    char what[160];
    if (memcmp(&before, &after, sizeof before) == 0) return;
    snprintf(what, sizeof what,
             "left behind: files %d -> %d, descriptors %d -> %d, mappings %d -> %d", before.files,
             after.files, before.descriptors, after.descriptors, before.mappings, after.mappings);
    complain(__FILE__, __LINE__, what);
}

#define RUN(test) run_test(test, #test)

static inline void run_test(void (*test)(void), const char *name) {
    failures = 0;
    skip_reason = NULL;
    alarm(120); /* the watchdog: a test that hangs is killed, and the runner says so */
    test();
    if (failures == 0 && skip_reason == NULL) {
        struct belongings before = take_stock();
        test();
        compare_stock(before, take_stock());
    }
    alarm(0);
    if (failures != 0) printf("FAIL %s\n", name);
    else if (skip_reason != NULL) printf("skip %s: %s\n", name, skip_reason);
    else printf("ok   %s\n", name);
    fflush(stdout);
    any_failed |= failures != 0;
}

/* A segment name that no other test uses; good until the next call but seven. */
static inline const char *fresh_name(void) {
    static char names[8][64];
    static unsigned n;
    char *name = names[n % 8];
    snprintf(name, sizeof names[0], "atoll-test-%d-%u", (int)getpid(), n++);
    return name;
}

/* A new small segment, and the end of one. */
static inline atoll_segment *new_segment(const char *name) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *segment = NULL;
    options.size = 1 << 20;
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options, &segment));
    return segment;
}

static inline void end_segment(atoll_segment *segment, const char *name) {
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    EXPECT(ATOLL_OK, atoll_segment_close(segment));
    EXPECT(ATOLL_OK, atoll_segment_unlink(name));
}

#endif
