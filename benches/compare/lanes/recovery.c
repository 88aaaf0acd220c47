/*
 * recovery SEGMENT create|open
 *
 * One that holds a mutex until it is killed, or one that waits for that.
 *
 *   to it         from it
 *   hold SIDE     held
 *   wait SIDE     waiting, and later the moment at which it had the mutex
 */
#include "mutexes.h"

static bool lock(bool is_ours) {
    if (is_ours)
        return atoll_mutex_lock(ours, ATOLL_FOREVER) == ATOLL_OWNER_DIED;
    return pthread_mutex_lock(&shared->mutex) == EOWNERDEAD;
}

static void repair_and_unlock(bool is_ours) {
    if (is_ours) {
        atoll_mutex_mark_consistent(ours);
        atoll_mutex_unlock(ours);
    } else {
        pthread_mutex_consistent(&shared->mutex);
        pthread_mutex_unlock(&shared->mutex);
    }
}

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

int main(int argc, char **argv) {
    char verb[16], side[16];
    lane_need(argc == 3, "usage: recovery SEGMENT create|open");
    mutexes_open(argv[1], argv[2]);
    lane_ready();
    while (scanf("%15s %15s", verb, side) == 2) {
        bool is_ours = strcmp(side, "ours") == 0;
        if (strcmp(verb, "hold") == 0) {
            lane_need(!lock(is_ours), "lock: nobody should have died");
            say("held");
            continue;
        }
        say("waiting");
        bool owner_died = lock(is_ours);
        uint64_t moment = lane_now();
        lane_need(owner_died, "lock: the owner should have died");
        repair_and_unlock(is_ours);
        printf("%" PRIu64 "\n", moment);
        fflush(stdout);
    }
    return 0;
}
