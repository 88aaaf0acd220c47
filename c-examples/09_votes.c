/* Votes from several processes to one that counts them, through a fanin: each voter has a lane of
 * its own, so that voters never wait for each other.
 *
 *   cc 09_votes.c -latoll -o votes && ./votes
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

enum { VOTERS = 4, EACH = 10000 };

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

static void vote(atoll_fanin *ring, uint32_t voter) {
    for (int i = 0; i < EACH; i++) {
        check(atoll_fanin_put(ring, &voter, sizeof voter, ATOLL_FOREVER), "put");
    }
    exit(0);
}

int main(void) {
    const char *name = "atoll-example-votes";
    const atoll_type type = ATOLL_TYPE_U32;
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_fanin *ring;
    unsigned votes[VOTERS] = {0};
    uint32_t batch[64];
    size_t n;
    options.capacity = 256;
    options.lanes = VOTERS;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_fanin_create(segment, "votes", &type, &options, &ring), "create the ring");

    fflush(stdout);
    for (uint32_t voter = 0; voter < VOTERS; voter++) {
        if (fork() == 0) vote(ring, voter);
    }
    for (unsigned left = VOTERS * EACH; left > 0;) {
        /* Wait for one, and take what else is there. */
        check(atoll_fanin_get(ring, batch, sizeof *batch, NULL, ATOLL_FOREVER), "get");
        votes[batch[0]]++, left--;
        if (atoll_fanin_pop_n(ring, batch, 64, &n) == ATOLL_OK) {
            for (size_t i = 0; i < n; i++) votes[batch[i]]++;
            left -= (unsigned)n;
        }
    }
    for (int voter = 0; voter < VOTERS; voter++) {
        printf("voter %d: %u votes\n", voter, votes[voter]);
        wait(NULL);
    }

    atoll_fanin_close(ring);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
