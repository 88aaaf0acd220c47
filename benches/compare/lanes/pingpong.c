/*
 * pingpong SEGMENT create|open OURS PEER
 *
 * A ball between two processes: who has it passes it on, and waits until it comes back. An
 * operation is one way, from the pass to the return of the wait on the other side. OURS and
 * PEER are each BALL:TEMPO. The balls are in balls.h; the tempo is
 *
 *   asleep     Who gets the ball keeps it for longer than any wait spins, so all of them
 *              sleep. The time it is kept is subtracted. A slice in which a wait did not
 *              sleep does not count.
 *   awake      It passes the ball on at once.
 *   crowded    The same with both on one processor: who waits has to let the other one run.
 */
#include "balls.h"

/* How long a ball is kept; waits spin for 15 us at most. */
#define KEPT_NS 40000

struct side {
    const struct ball *ball;
    struct court court;
    bool is_asleep, is_crowded;
};

/* Which of the players this lane is; the first one begins. */
enum { FIRST, SECOND };
static int me;

static void keep(const struct side *side) {
    if (!side->is_asleep)
        return;
    uint64_t until = lane_now() + KEPT_NS;
    while (lane_now() < until) {
    }
}

static void pass(struct side *side) {
    keep(side);
    side->ball->pass(&side->court, 1 - me);
}

/* Waits for the ball. False if that was the last one. */
static bool await(struct side *side) {
    side->ball->await(&side->court, me);
    return !side->court.table->is_over;
}

/* Plays until the time is over. Each player counts the balls that come back to it, and every
 * one of them was kept once here and once there. */
static void slice(struct side *side, const struct lane_request *request) {
    volatile int *is_over = &side->court.table->is_over;
    long balls = 0, disturbed = !lane_begin(request);
    bool goes_on;
    if (me == FIRST) {
        *is_over = false;
        pass(side);
    }
    await(side);
    long preempted = lane_preempted(), slept = lane_slept();
    uint64_t begin = lane_now(), now;
    do {
        pass(side);
        goes_on = await(side);
        balls++;
        now = lane_now();
        goes_on = me == FIRST ? now < request->until : goes_on;
    } while (goes_on);
    preempted = lane_preempted() - preempted;
    slept = lane_slept() - slept;
    if (me == FIRST) {
        *is_over = true;
        pass(side);
    }
    if (side->is_crowded) /* who is woken takes the processor from the other one */
        preempted -= preempted < balls ? preempted : balls;
    if (side->is_asleep) {
        now -= 2 * balls * KEPT_NS;
        disturbed += slept < balls;
    }
    lane_answer(balls, now - begin, preempted + disturbed);
}

/* What BALL:TEMPO says. */
static void set_up(struct side *side, const char *name, struct table *table, char *words) {
    char *tempo = strchr(words, ':');
    lane_need(tempo != NULL, words);
    *tempo++ = 0;
    side->is_asleep = strcmp(tempo, "asleep") == 0;
    side->is_crowded = strcmp(tempo, "crowded") == 0;
    lane_need(side->is_asleep || side->is_crowded || strcmp(tempo, "awake") == 0, tempo);
    side->court.table = table;
    side->ball = balls;
    while (side->ball->name && strcmp(side->ball->name, words) != 0)
        side->ball++;
    lane_need(side->ball->name != NULL, words);
    side->ball->open(&side->court, name);
}

int main(int argc, char **argv) {
    struct lane_request request;
    struct side ours, peer;
    lane_need(argc == 5, "usage: pingpong SEGMENT create|open OURS PEER");
    struct table *tables = shared_open(argv[1], argv[2], 2 * sizeof *tables);
    me = shared_is_new ? FIRST : SECOND;
    set_up(&ours, "ours", &tables[0], argv[3]);
    set_up(&peer, "peer", &tables[1], argv[4]);
    lane_ready();
    while (lane_next(&request))
        slice(strcmp(request.side, "ours") == 0 ? &ours : &peer, &request);
    return 0;
}
