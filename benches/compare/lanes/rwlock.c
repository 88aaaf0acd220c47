/*
 * rwlock SEGMENT create|open read|write
 *
 * Locks and unlocks for reading or for writing.
 */
#include "rwlocks.h"

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

int main(int argc, char **argv) {
    lane_need(argc == 4, "usage: rwlock SEGMENT create|open read|write");
    rwlocks_open(argv[1], argv[2]);
    lane_serve(strcmp(argv[3], "write") == 0 ? writers : readers);
    return 0;
}
