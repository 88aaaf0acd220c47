/*
 * rwlock SEGMENT create|open read|write
 *
 * Locks and unlocks for reading or for writing.
 */
#include <pthread.h>

#include "shared.h"

static atoll_rwlock *ours;
static pthread_rwlock_t *peer;

static void read_ours(long operations) {
    while (operations-- > 0) {
        atoll_rwlock_read_lock(ours, ATOLL_FOREVER);
        atoll_rwlock_read_unlock(ours);
    }
}

static void read_peer(long operations) {
    while (operations-- > 0) {
        pthread_rwlock_rdlock(peer);
        pthread_rwlock_unlock(peer);
    }
}

static void write_ours(long operations) {
    while (operations-- > 0) {
        atoll_rwlock_write_lock(ours, ATOLL_FOREVER);
        atoll_rwlock_write_unlock(ours);
    }
}

static void write_peer(long operations) {
    while (operations-- > 0) {
        pthread_rwlock_wrlock(peer);
        pthread_rwlock_unlock(peer);
    }
}

static const struct lane_side readers[] = {
    {"ours", read_ours, 500},
    {"peer", read_peer, 500},
    {NULL, NULL, 0},
};

static const struct lane_side writers[] = {
    {"ours", write_ours, 500},
    {"peer", write_peer, 500},
    {NULL, NULL, 0},
};

static void init_peer(void) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    lane_need(pthread_rwlock_init(peer, &attributes) == 0, "pthread_rwlock_init");
    pthread_rwlockattr_destroy(&attributes);
}

int main(int argc, char **argv) {
    lane_need(argc == 4, "usage: rwlock SEGMENT create|open read|write");
    peer = shared_open(argv[1], argv[2], sizeof *peer);
    lane_check(atoll_rwlock_open_or_create(shared_segment, "ours", &ours));
    if (shared_is_new)
        init_peer();
    lane_serve(strcmp(argv[3], "write") == 0 ? writers : readers);
    return 0;
}
