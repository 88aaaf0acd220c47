/*
 * semaphore SEGMENT create|open uncontended|contended
 *
 * Acquires and releases the one permit of a semaphore; contended, there is a counter to
 * increment in between.
 */
#include "semaphores.h"

static void take_ours(long operations) {
    while (operations-- > 0) {
        atoll_semaphore_acquire(ours, ATOLL_FOREVER);
        atoll_semaphore_release(ours, 1);
    }
}

static void take_peer(long operations) {
    while (operations-- > 0) {
        sem_wait(&shared->semaphore);
        sem_post(&shared->semaphore);
    }
}

static void count_ours(long operations) {
    while (operations-- > 0) {
        atoll_semaphore_acquire(ours, ATOLL_FOREVER);
        shared->ours++;
        atoll_semaphore_release(ours, 1);
    }
}

static void count_peer(long operations) {
    while (operations-- > 0) {
        sem_wait(&shared->semaphore);
        shared->peer++;
        sem_post(&shared->semaphore);
    }
}

static const struct lane_side uncontended[] = {
    {"ours", take_ours, 500},
    {"peer", take_peer, 500},
    {NULL, NULL, 0},
};

static const struct lane_side contended[] = {
    {"ours", count_ours, 500},
    {"peer", count_peer, 500},
    {NULL, NULL, 0},
};

int main(int argc, char **argv) {
    lane_need(argc == 4, "usage: semaphore SEGMENT create|open uncontended|contended");
    semaphores_open(argv[1], argv[2]);
    lane_serve(strcmp(argv[3], "contended") == 0 ? contended : uncontended);
    return 0;
}
