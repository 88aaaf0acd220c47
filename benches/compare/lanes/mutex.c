/*
 * mutex SEGMENT create|open uncontended|contended
 *
 * Locks and unlocks; contended, there is a counter to increment in between.
 */
#include "mutexes.h"

static void lock_ours(long operations) {
    while (operations-- > 0) {
        atoll_mutex_lock(ours, ATOLL_FOREVER);
        atoll_mutex_unlock(ours);
    }
}

static void lock_peer(long operations) {
    while (operations-- > 0) {
        pthread_mutex_lock(&shared->mutex);
        pthread_mutex_unlock(&shared->mutex);
    }
}

static void count_ours(long operations) {
    while (operations-- > 0) {
        atoll_mutex_lock(ours, ATOLL_FOREVER);
        shared->ours++;
        atoll_mutex_unlock(ours);
    }
}

static void count_peer(long operations) {
    while (operations-- > 0) {
        pthread_mutex_lock(&shared->mutex);
        shared->peer++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

static const struct lane_side uncontended[] = {
    {"ours", lock_ours, 500},
    {"peer", lock_peer, 500},
    {NULL, NULL, 0},
};

static const struct lane_side contended[] = {
    {"ours", count_ours, 500},
    {"peer", count_peer, 500},
    {NULL, NULL, 0},
};

int main(int argc, char **argv) {
    lane_need(argc == 4, "usage: mutex SEGMENT create|open uncontended|contended");
    mutexes_open(argv[1], argv[2]);
    lane_serve(strcmp(argv[3], "contended") == 0 ? contended : uncontended);
    return 0;
}
