/* Jobs for several workers, and their answers, through two mpmc rings. A worker keeps a job in the
 * ring, in its place, until it has put the answer. One is killed at work: nobody waits for it, and
 * the job that it had goes to another worker, which is told so.
 *
 *   cc 10_jobs.c -latoll -o jobs && ./jobs
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

enum { WORKERS = 3, JOBS = 1000, DEADLY = 500 };

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

/* Waits for the next job, and takes it into the hand: nobody else gets it unless we die with it. */
static atoll_status next_of(atoll_mpmc *jobs, atoll_reservation *job) {
    const atoll_waitable something = {jobs, ATOLL_CONSUMERS};
    uint64_t ready;
    atoll_status status;
    while ((status = atoll_mpmc_peek(jobs, job)) == ATOLL_EMPTY) {
        check(atoll_wait_any(&something, 1, ATOLL_FOREVER, &ready), "wait for a job");
    }
    return status;
}

static void work(atoll_mpmc *jobs, atoll_mpmc *answers) {
    atoll_reservation job;
    atoll_status status;
    while ((status = next_of(jobs, &job)) == ATOLL_OK) {
        const uint64_t number = *(const uint64_t *)job.place;
        const uint64_t square = number * number;
        if (job.times != 0) {
            /* Whoever died may have answered, and not have come to say that it had got the job. */
            printf("job %llu was begun by one who died\n", (unsigned long long)number);
        } else if (number == DEADLY) {
            kill(getpid(), SIGKILL);
        }
        check(atoll_mpmc_put(answers, &square, sizeof square, ATOLL_FOREVER), "put an answer");
        check(atoll_mpmc_advance(jobs, job.id), "get the job");
    }
    if (status != ATOLL_CLOSED) check(status, "look for a job");
    exit(0);
}

int main(void) {
    const char *name = "atoll-example-jobs";
    const atoll_type type = ATOLL_TYPE_U64;
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_mpmc *jobs, *answers;
    uint64_t sum = 0, square;
    int n = 0;
    options.capacity = 16;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_mpmc_create(segment, "jobs", &type, &options, &jobs), "create a ring");
    options.capacity = 1024;
    check(atoll_mpmc_create(segment, "answers", &type, &options, &answers), "create a ring");

    fflush(stdout);
    for (int i = 0; i < WORKERS; i++) {
        if (fork() == 0) work(jobs, answers);
    }
    for (uint64_t job = 1; job <= JOBS; job++) {
        check(atoll_mpmc_put(jobs, &job, sizeof job, ATOLL_FOREVER), "put a job");
    }
    check(atoll_mpmc_shutdown(jobs, ATOLL_PRODUCERS), "no more jobs");
    while (wait(NULL) > 0) {}
    check(atoll_mpmc_shutdown(answers, ATOLL_PRODUCERS), "no more answers");

    while (atoll_mpmc_get(answers, &square, sizeof square, NULL, NULL, ATOLL_FOREVER) == ATOLL_OK) {
        sum += square;
        n++;
    }
    printf("%d of %d jobs were done\n", n, JOBS);
    printf("the sum of their squares is %llu\n", (unsigned long long)sum);

    atoll_mpmc_close(answers);
    atoll_mpmc_close(jobs);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
