/* A pool of two connections that processes share: a tracked semaphore has a permit for each. One
 * process is killed while it has both: they come back at once, and wake who waits for one.
 *
 *   cc 05_pool.c -latoll -o pool && ./pool
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

static void say_how_many_are_free(atoll_semaphore *pool) {
    atoll_semaphore_info info;
    check(atoll_semaphore_stat(pool, &info), "stat");
    printf("%u of %u connections are free\n", info.value, info.max);
}

/* Takes all that there are, says so, and gives none back. */
static void hoard(atoll_semaphore *pool, atoll_event *taken) {
    check(atoll_semaphore_acquire(pool, ATOLL_FOREVER), "acquire one");
    check(atoll_semaphore_acquire(pool, ATOLL_FOREVER), "acquire another");
    check(atoll_event_set(taken), "set the event");
    for (;;) pause();
}

int main(void) {
    const char *name = "atoll-example-pool";
    atoll_semaphore_options options = ATOLL_SEMAPHORE_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_semaphore *pool;
    atoll_event *taken;
    pid_t child;
    options.value = 2;
    options.tracked = 1;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_semaphore_create(segment, "pool", &options, &pool), "create the semaphore");
    check(atoll_event_create(segment, "taken", &taken), "create the event");

    child = fork();
    if (child == 0) hoard(pool, taken);
    check(atoll_event_wait(taken, ATOLL_FOREVER), "wait for the event");
    say_how_many_are_free(pool);
    if (atoll_semaphore_acquire(pool, 0) == ATOLL_TIMED_OUT) printf("so none can be had\n");

    /* Nobody releases them; the kernel says that their holder is dead, and that is enough. */
    kill(child, SIGKILL);
    check(atoll_semaphore_acquire(pool, ATOLL_FOREVER), "acquire");
    say_how_many_are_free(pool);
    check(atoll_semaphore_release(pool, 1), "release");
    say_how_many_are_free(pool);

    wait(NULL);
    atoll_event_close(taken);
    atoll_semaphore_close(pool);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
