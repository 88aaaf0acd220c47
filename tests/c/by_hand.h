/* The short ways, written from what atoll.h says at atoll_place and from nothing else: a second
 * opinion on the contract, beside atoll/inline.h. */

#ifndef BY_HAND_H
#define BY_HAND_H

#include "process.h"

/* The record of the calling thread; NULL before its first call. */
static inline const uint64_t *record_of_thread(const atoll_place *place) {
#ifdef __x86_64__
    const char *thread_pointer;
    __asm__("movq %%fs:0, %0" : "=r"(thread_pointer));
    return *(const uint64_t *const volatile *)(thread_pointer + place->thread);
#else
    (void)place;
    return NULL;
#endif
}

/* Whether the thread's seat is good for the place; if so, what the thread is called there. */
static inline bool seat_is_good(const atoll_place *place, uint64_t *name) {
    const volatile uint64_t *record = record_of_thread(place), *seat;
    if (record == NULL || record[0] % 2 != 0) return false;
    seat = record + place->seat / sizeof *record;
    *name = seat[1];
    return seat[0] == place->segment;
}

static inline bool exchange(uint64_t *word, uint64_t from, uint64_t to) {
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static const uint64_t owned = 1u << 31;

static inline bool lock_by_hand(const atoll_place *place) {
    uint64_t name;
    return seat_is_good(place, &name) && exchange(place->word, 0, name | owned);
}

static inline bool unlock_by_hand(const atoll_place *place) {
    uint64_t name;
    return seat_is_good(place, &name) && exchange(place->word, name | owned, 0);
}

/* How often the holder of a recursive mutex has locked it again. */
static inline uint32_t *again_at(const atoll_place *place) {
    return (uint32_t *)((char *)place->word + 8);
}

/* For a recursive mutex that this thread holds and nobody waits for. */
static inline bool lock_again_by_hand(const atoll_place *place) {
    uint64_t name;
    if (!seat_is_good(place, &name) || *(uint64_t *)place->word != (name | owned)) return false;
    ++*again_at(place);
    return true;
}

static inline bool unlock_once_by_hand(const atoll_place *place) {
    uint64_t name;
    if (*again_at(place) == 0) return unlock_by_hand(place);
    if (!seat_is_good(place, &name) || *(uint64_t *)place->word != (name | owned)) return false;
    --*again_at(place);
    return true;
}

static inline atoll_place place_of(const atoll_mutex *mutex) {
    atoll_place place;
    memset(&place, 0xff, sizeof place);
    EXPECT(ATOLL_OK, atoll_mutex_place(mutex, ATOLL_PLACE_CONTRACT, &place));
    return place;
}

#endif
