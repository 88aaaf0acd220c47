/*
 * barrier SEGMENT create|open
 *
 * A barrier of two: an operation is an arrival, up to its release. Each process arrives
 * as fast as it is released, so both go through the same rounds; after some of them who came to
 * "create" says whether there are more, and one more round makes that known.
 */
#include <pthread.h>

#include "shared.h"

#define PARTIES 2
#define ROUNDS 20

struct shared {
    pthread_barrier_t peer;
    volatile int is_over __attribute__((aligned(64)));
};

static atoll_barrier *ours;
static struct shared *shared;

static void arrive_at_ours(void) {
    lane_check(atoll_barrier_arrive_and_wait(ours, ATOLL_FOREVER, NULL));
}

static void arrive_at_peer(void) {
    pthread_barrier_wait(&shared->peer);
}

static void slice(const struct lane_request *request) {
    void (*arrive)(void) = strcmp(request->side, "ours") == 0 ? arrive_at_ours : arrive_at_peer;
    long arrivals = 0, before = lane_preempted(), is_late = !lane_begin(request);
    uint64_t now, begin;
    arrive(); /* both are there */
    begin = lane_now();
    do {
        for (int round = 0; round < ROUNDS; round++)
            arrive();
        now = lane_now();
        if (shared_is_new)
            shared->is_over = now >= request->until;
        arrive();
        arrivals += ROUNDS + 1;
    } while (!shared->is_over);
    lane_answer(arrivals, lane_now() - begin, lane_preempted() - before + is_late);
}

static void init_peer(void) {
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    lane_need(pthread_barrier_init(&shared->peer, &attributes, PARTIES) == 0, "pthread_barrier_init");
    pthread_barrierattr_destroy(&attributes);
}

int main(int argc, char **argv) {
    struct lane_request request;
    lane_need(argc == 3, "usage: barrier SEGMENT create|open");
    shared = shared_open(argv[1], argv[2], sizeof *shared);
    lane_check(atoll_barrier_open_or_create(shared_segment, "ours", PARTIES, &ours));
    if (shared_is_new)
        init_peer();
    lane_ready();
    while (lane_next(&request))
        slice(&request);
    return 0;
}
