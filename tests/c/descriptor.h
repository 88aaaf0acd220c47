/* An event that is listened to. */

#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <errno.h>
#include <poll.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;
static atoll_event *event, *answer;

static inline void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_event_create(segment, "news", &event));
    EXPECT(ATOLL_OK, atoll_event_create(segment, "answer", &answer));
}

static inline void tear_down(void) {
    EXPECT(ATOLL_OK, atoll_event_close(answer));
    EXPECT(ATOLL_OK, atoll_event_close(event));
    end_segment(segment, name);
}

/* The descriptor of an event, armed. */
static inline int armed(atoll_event *which) {
    int descriptor = -1;
    EXPECT(ATOLL_OK, atoll_event_descriptor(which, &descriptor));
    CHECK(descriptor >= 0);
    return descriptor;
}

static inline int permits_armed(atoll_semaphore *which) {
    int descriptor = -1;
    EXPECT(ATOLL_OK, atoll_semaphore_descriptor(which, &descriptor));
    return descriptor;
}

/* Whether it is readable within that time; -1 waits until it is. */
static inline bool readable(int descriptor, int milliseconds) {
    struct pollfd poll_it = {descriptor, POLLIN, 0};
    int n;
    while ((n = poll(&poll_it, 1, milliseconds)) < 0 && errno == EINTR) {}
    CHECK(n >= 0 && !(poll_it.revents & (POLLNVAL | POLLERR)));
    return n == 1;
}

static inline bool is_set(void) {
    bool set = false;
    EXPECT(ATOLL_OK, atoll_event_is_set(event, &set));
    return set;
}

/* Bells that lie beside the segments. */
static inline int bells(void) {
    int n = 0;
    const struct dirent *entry;
    DIR *folder = opendir(segment_folder());
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) n += strncmp(entry->d_name, ".atoll-bell-", 12) == 0;
    closedir(folder);
    return n;
}

static inline atoll_semaphore *new_semaphore(uint32_t value, bool tracked) {
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_semaphore *semaphore;
    options.value = value;
    options.tracked = tracked;
    EXPECT(ATOLL_OK, atoll_semaphore_create(segment, NULL, &options, &semaphore));
    return semaphore;
}

#endif
