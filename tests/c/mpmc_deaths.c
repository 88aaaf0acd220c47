/* Processes that use a ring for many are killed, again and again, at any moment: what was put is
 * got once, the ring keeps its capacity, and nobody waits for the dead. */

#include <stdatomic.h>
#include <sys/mman.h>

#include "mpmc.h"

enum { WORKERS = 3, KILLS = 60, EACH = 1 << 16 };

/* What the workers say they have done, each store after the call that did it. */
static struct {
    struct {
        atomic_uint acknowledged; /* numbers that it has put */
        atomic_uint begun;        /* ... or begun to */
    } producers[KILLS + WORKERS];
    atomic_uchar times[(KILLS + WORKERS) * EACH]; /* how often a number was got */
} *said;

/* Worker number `me`: puts numbers of its own, and gets any. */
static void work(unsigned me) {
    for (unsigned i = 0; i < EACH && failures == 0; i++) {
        uint64_t number = (uint64_t)me * EACH + i, out;
        atoll_status status;
        atomic_store(&said->producers[me].begun, i + 1);
        while ((status = push(number)) == ATOLL_FULL) {
            EXPECT(ATOLL_OK, atoll_mpmc_get(ring, &out, sizeof out, NULL, NULL, ATOLL_FOREVER));
            atomic_fetch_add(&said->times[out], 1);
        }
        EXPECT(ATOLL_OK, status);
        atomic_store(&said->producers[me].acknowledged, i + 1);
        if (i % 3 != 2) {
            EXPECT(ATOLL_OK, atoll_mpmc_get(ring, &out, sizeof out, NULL, NULL, ATOLL_FOREVER));
            atomic_fetch_add(&said->times[out], 1);
        }
    }
}

static pid_t begin(unsigned me) {
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        begin_child();
        work(me);
        _exit(failures != 0);
    }
    return child;
}

static void nothing_is_lost_or_got_twice(void) {
    pid_t workers[WORKERS];
    unsigned next = 0, lost = 0, twice = 0, never_put = 0;
    uint64_t out;
    int status;
    set_up_with(8);
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(said != MAP_FAILED);
    for (int i = 0; i < WORKERS; i++) workers[i] = begin(next++);
    for (int i = 0; i < KILLS; i++) {
        pid_t *victim = &workers[i % WORKERS];
        usleep(1000 + i * 37 % 1000);
        CHECK(kill(*victim, SIGKILL) == 0 && waitpid(*victim, &status, 0) == *victim);
        *victim = begin(next++);
    }
    for (int i = 0; i < WORKERS; i++) {
        CHECK(kill(workers[i], SIGKILL) == 0);
        CHECK(waitpid(workers[i], &status, 0) == workers[i]);
    }
    while (atoll_mpmc_get(ring, &out, sizeof out, NULL, NULL, 20000000) == ATOLL_OK) {
        atomic_fetch_add(&said->times[out], 1);
    }
    for (unsigned me = 0; me < next; me++) {
        for (unsigned i = 0; i < EACH; i++) {
            const unsigned times = said->times[me * EACH + i];
            twice += times > 1;
            never_put += times > 0 && i >= said->producers[me].begun;
            lost += times == 0 && i < said->producers[me].acknowledged;
        }
    }
    CHECK(twice == 0 && never_put == 0);
    /* Who was killed after it had got a number and before it could say so. */
    CHECK(lost <= KILLS + WORKERS);
    for (int lap = 0; lap < 2; lap++) {
        for (uint64_t i = 0; i < 8; i++) EXPECT(ATOLL_OK, push(i));
        REFUSED(ATOLL_FULL, "full", push(9));
        for (uint64_t i = 0; i < 8; i++) CHECK(popped() == i);
    }
    CHECK(munmap(said, sizeof *said) == 0);
    tear_down();
}

int main(void) {
    RUN(nothing_is_lost_or_got_twice);
    return any_failed;
}
