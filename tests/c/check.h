/* Checks for the C and C++ tests.
 *
 * A test is a function. A failed check says where and what, and the test goes on to its end. RUN
 * prints one line per test, `ok`, `FAIL` or `skip`, which the runner counts.
 *
 * RUN calls each test twice. The first time settles what is made once per process; after the
 * second, files, descriptors and mappings of segments must be as they were between the two, so
 * every test is a test for leaks as well. Stacks and records of threads are kept for the next
 * thread: there are as many as there ever were threads at once, which is left to chance. What grows
 * with every further run is a leak.
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

struct belongings {
    int files, descriptors, segments; /* mapped ones */
    struct {
        int records;  /* of threads: kilobytes that a forked child finds wiped */
        int mappings; /* all others; under a sanitizer, which maps as it likes, none */
    } kept;
};

static inline void count_mappings(struct belongings *now) {
#ifdef __SANITIZE_ADDRESS__
    const int counted = 0;
#else
    const int counted = 1;
#endif
    char line[4096];
    int kilobytes = 0;
    unsigned long from, to;
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps != NULL);
    if (maps == NULL) return;
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            const bool is_segment = strstr(line, segment_folder()) != NULL;
            kilobytes = (int)((to - from) / 1024);
            now->segments += is_segment;
            now->kept.mappings += is_segment ? 0 : counted;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " wf") != NULL) {
            now->kept.records += kilobytes;
        }
    }
    fclose(maps);
}

static inline struct belongings take_stock(void) {
    struct belongings now;
    memset(&now, 0, sizeof now);
    now.files = count_entries(segment_folder());
    now.descriptors = count_entries("/proc/self/fd");
    count_mappings(&now);
    return now;
}

static inline bool has_all_back(struct belongings before, struct belongings after) {
    return before.files == after.files && before.descriptors == after.descriptors &&
           before.segments == after.segments;
}

static inline bool keeps_more(struct belongings before, struct belongings after) {
    return after.kept.records > before.kept.records || after.kept.mappings > before.kept.mappings;
}

static inline void complain_of_leak(struct belongings before, struct belongings after) {
    char what[256];
    snprintf(what, sizeof what,
             "left behind: files %d -> %d, descriptors %d -> %d, mapped segments %d -> %d, records "
             "of threads %d kB -> %d kB, other mappings %d -> %d",
             before.files, after.files, before.descriptors, after.descriptors, before.segments,
             after.segments, before.kept.records, after.kept.records, before.kept.mappings,
             after.kept.mappings);
    complain(__FILE__, __LINE__, what);
}

enum { WATCHDOG_S = 120 }; /* a test that hangs is killed, and the runner says so */

/* Once more, and as often again as that has left more to be kept. */
static inline void run_for_leaks(void (*test)(void)) {
    struct belongings before, after = take_stock();
    int runs_left = 6;
    do {
        before = after;
        alarm(WATCHDOG_S);
        test();
        after = take_stock();
    } while (failures == 0 && has_all_back(before, after) && keeps_more(before, after) &&
             --runs_left > 0);
    if (!has_all_back(before, after) || keeps_more(before, after)) complain_of_leak(before, after);
}

#define RUN(test) run_test(test, #test)

static inline void run_test(void (*test)(void), const char *name) {
    failures = 0;
    skip_reason = NULL;
    alarm(WATCHDOG_S);
    test();
    if (failures == 0 && skip_reason == NULL) run_for_leaks(test);
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
