/* A mutex whose holder is killed: the next one gets it at once, is told, repairs, and goes on.
 *
 *   cc 02_mutex.c -latoll -o mutex && ./mutex
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (atoll_status_is_acquired(status)) return; /* ATOLL_OWNER_DIED holds the lock, too */
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

/* Two counts that the mutex keeps equal. */
static void count(atoll_mutex *mutex, int64_t *both, int killed_after) {
    const atoll_status status = atoll_mutex_lock(mutex, ATOLL_FOREVER);
    check(status, "lock");
    if (status == ATOLL_OWNER_DIED) {
        printf("the last holder died, leaving %d and %d\n", (int)both[0], (int)both[1]);
        both[1] = both[0]; /* finish what it began */
        check(atoll_mutex_mark_consistent(mutex), "mark consistent");
    }
    both[0]++;
    if (both[0] == killed_after) kill(getpid(), SIGKILL);
    both[1]++;
    check(atoll_mutex_unlock(mutex), "unlock");
}

int main(void) {
    const char *name = "atoll-example-mutex";
    const atoll_type i64 = ATOLL_TYPE_I64;
    const uint64_t shape[] = {2};
    atoll_segment *segment;
    atoll_mutex *mutex;
    atoll_array *array;
    int64_t *both;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_mutex_create(segment, "guard", NULL, &mutex), "create the mutex");
    check(atoll_array_create(segment, "both", &i64, 1, shape, &array), "create the array");
    both = atoll_array_data(array);

    /* Four children count to 1,000 each. One is killed in the middle of a step; handles stay valid
     * across fork, so the children need not open anything. */
    fflush(stdout);
    for (int child = 0; child < 4; child++) {
        if (fork() == 0) {
            for (int i = 0; i < 1000; i++) count(mutex, both, 2000);
            exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    printf("the counts are %s\n", both[0] == both[1] ? "equal" : "different");

    atoll_mutex_close(mutex);
    atoll_array_close(array);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
