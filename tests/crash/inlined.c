/* The short ways of atoll/inline.h, as programs take them: whatever is not as usual goes to the
 * call. The harness compiles this when it starts, and steps victims through it. */

#include "atoll/inline.h"

atoll_status inlined_lock(const atoll_place *place, atoll_mutex *mutex, int64_t timeout_ns) {
    return atoll_place_lock(place) ? ATOLL_OK : atoll_mutex_lock(mutex, timeout_ns);
}

atoll_status inlined_unlock(const atoll_place *place, atoll_mutex *mutex) {
    return atoll_place_unlock(place) ? ATOLL_OK : atoll_mutex_unlock(mutex);
}

atoll_status inlined_lock_recursive(const atoll_place *place, atoll_mutex *mutex,
                                    int64_t timeout_ns) {
    return atoll_place_lock_recursive(place) ? ATOLL_OK : atoll_mutex_lock(mutex, timeout_ns);
}

atoll_status inlined_unlock_recursive(const atoll_place *place, atoll_mutex *mutex) {
    return atoll_place_unlock_recursive(place) ? ATOLL_OK : atoll_mutex_unlock(mutex);
}

int64_t inlined_add(const atoll_place *place, int64_t operand) {
    return __atomic_fetch_add((int64_t *)place->word, operand, __ATOMIC_SEQ_CST);
}

/* The ends of the ring that was used last. */
static struct {
    const atoll_spsc *of;
    atoll_ring_place place;
} producer, consumer;

atoll_status inlined_push(atoll_spsc *ring, uint64_t number) {
    atoll_status status;
    if (producer.of == ring) {
        switch (atoll_place_push(&producer.place, &number, sizeof number)) {
        case ATOLL_PLACE_DONE: return ATOLL_OK;
        case ATOLL_PLACE_NOTHING: return ATOLL_FULL;
        case ATOLL_PLACE_CALL: break;
        }
    }
    status = atoll_spsc_push(ring, &number, sizeof number);
    if (producer.of != ring &&
        atoll_spsc_place(ring, ATOLL_PRODUCERS, ATOLL_PLACE_CONTRACT, &producer.place) == ATOLL_OK)
        producer.of = ring;
    return status;
}

atoll_status inlined_pop(atoll_spsc *ring, uint64_t *out) {
    atoll_status status;
    if (consumer.of == ring) {
        switch (atoll_place_pop(&consumer.place, out, sizeof *out)) {
        case ATOLL_PLACE_DONE: return ATOLL_OK;
        case ATOLL_PLACE_NOTHING: return ATOLL_EMPTY;
        case ATOLL_PLACE_CALL: break;
        }
    }
    status = atoll_spsc_pop(ring, out, sizeof *out, NULL);
    if (consumer.of != ring &&
        atoll_spsc_place(ring, ATOLL_CONSUMERS, ATOLL_PLACE_CONTRACT, &consumer.place) == ATOLL_OK)
        consumer.of = ring;
    return status;
}

/* The ring for many that was used last. */
static struct {
    const atoll_mpmc *of;
    atoll_mpmc_way way;
} shared;

static const atoll_mpmc_way *way_of(atoll_mpmc *ring) {
    if (shared.of != ring &&
        atoll_mpmc_place(ring, ATOLL_PLACE_CONTRACT, &shared.way) == ATOLL_OK)
        shared.of = ring;
    return &shared.way;
}

atoll_status inlined_push_to_many(atoll_mpmc *ring, uint64_t number) {
    if (atoll_place_put_to_many(way_of(ring), &number, sizeof number)) return ATOLL_OK;
    return atoll_mpmc_push(ring, &number, sizeof number);
}

atoll_status inlined_pop_of_many(atoll_mpmc *ring, uint64_t *out) {
    if (atoll_place_get_of_many(way_of(ring), out, sizeof *out)) return ATOLL_OK;
    return atoll_mpmc_pop(ring, out, sizeof *out, NULL, NULL);
}
