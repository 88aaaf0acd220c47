/*
 * The short ways of mutexes, reader-writer locks, semaphores, events and rings as inline
 * functions: what an uncontended lock costs is then one exchange and a few loads, without a
 * call.
 *
 *     atoll_place place;
 *     atoll_mutex_place(mutex, ATOLL_PLACE_CONTRACT, &place);     once, when it is opened
 *
 *     atoll_status status = ATOLL_OK;
 *     if (!atoll_place_lock(&place))
 *         status = atoll_mutex_lock(mutex, ATOLL_FOREVER);
 *     ...
 *     if (!atoll_place_unlock(&place))
 *         status = atoll_mutex_unlock(mutex);
 *
 * False is no failure: something is not as usual, and the call deals with it. Locks taken in
 * one way may be released in the other. A mutex that was made recursive needs the functions
 * whose names end in _recursive. What holds for the calls holds here: a holder that is
 * killed at any instruction is found dead, and the next one is told.
 *
 * To read under a reader-writer lock goes the same way: atoll_rwlock_place(),
 * atoll_place_read_lock() and atoll_place_read_unlock(). To write takes the calls.
 *
 * Semaphores too: atoll_semaphore_place(), atoll_place_acquire() and
 * atoll_place_release(), which must not be used after the handle is closed. Of an event,
 * atoll_place_is_set() gives the answer; without a place (word is NULL) make the call.
 *
 * The two ends of a spsc have places of their own, which who has the role asks for:
 * atoll_spsc_place(), atoll_place_push(), atoll_place_pop().
 *
 * The contract behind it stands at atoll_place and atoll_ring_place in atoll.h. atoll.hpp uses
 * all of this by itself.
 *
 * For GCC, clang, and what understands them. On anything but x86-64 only rings have a short
 * way, and the other functions return false.
 */
#ifndef ATOLL_INLINE_H
#define ATOLL_INLINE_H

#include <string.h>

#include "../atoll.h"

/* In C++ they are one function in all files, as what is inline and uses them asks for. */
#ifdef __cplusplus
#define ATOLL_INLINE inline
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#else
#define ATOLL_INLINE static inline
#endif

/* Set in the word of a mutex that somebody holds. */
static const uint64_t atoll_place_owned = (uint64_t)1 << 31;

/* In the word of a semaphore: one permit; set exactly if there are any; set if somebody may
 * wait. In the word of an event: set if that is. */
static const uint64_t atoll_place_permit = (uint64_t)1 << 32;
static const uint64_t atoll_place_available = (uint64_t)1 << 31;
static const uint64_t atoll_place_waiters = (uint64_t)1 << 30;
static const uint64_t atoll_place_set = (uint64_t)1 << 31;

/* Set in `ends` of a ring if an end is closed. What a process finds at `process`. */
static const uint64_t atoll_place_ended = (uint64_t)3 << 32;
/* Set in `watch` if somebody has to be told. */
static const uint64_t atoll_place_watched = (uint64_t)15 << 30;
static const uint32_t atoll_place_process = 2;

/* Set in the word of a reader-writer lock if a writer has died. One reading, in a mark. */
static const uint64_t atoll_place_inconsistent = (uint64_t)1 << 63;
static const uint64_t atoll_place_reading = 2;

/* The calling thread's record, NULL if it has to make the call. Its first word is even. */
ATOLL_INLINE uint64_t *atoll_place_record(const atoll_place *place) {
#ifdef __x86_64__
    uint64_t *record;
    if (!place->word)
        return NULL;
    /* Volatile: the library sets and clears the pointer behind the compiler's back. */
    __asm__ __volatile__("movq %%fs:(%1), %0" : "=r"(record) : "r"(place->thread));
    /* Only this thread writes its record, by calls that it makes, and the kernel, which clears
     * it in a forked child before that runs. */
    if (record && __atomic_load_n(record, __ATOMIC_RELAXED) & 1)
        return NULL;
    return record;
#else
    (void)place;
    return NULL;
#endif
}

/* Word `number` of the thread's seat, 0 if the seat is not that of the place's segment. */
ATOLL_INLINE uint64_t atoll_place_seat(const atoll_place *place, const uint64_t *record,
                                       int number) {
    const uint64_t *seat = record + place->seat / sizeof *record;
    /* Acquire, so that it comes first: a signal handler in between may make a call, which
     * gives the seat to another segment. */
    uint64_t word = __atomic_load_n(seat + number, __ATOMIC_ACQUIRE);
    return __atomic_load_n(seat, __ATOMIC_RELAXED) == place->segment ? word : 0;
}

/* What the calling thread puts into the word of a mutex that lies there, or 0 if it has to
 * make the call. */
ATOLL_INLINE uint64_t atoll_place_mine(const atoll_place *place) {
    const uint64_t *record = atoll_place_record(place);
    uint64_t name = record ? atoll_place_seat(place, record, 1) : 0;
    return name ? name | atoll_place_owned : 0;
}

/* Locks the mutex if it is free and nothing is special. */
ATOLL_INLINE bool atoll_place_lock(const atoll_place *place) {
    uint64_t mine = atoll_place_mine(place), seen = 0;
    /* Acquire: what the last holder wrote is ours to read. */
    return mine && __atomic_compare_exchange_n((uint64_t *)place->word, &seen, mine, false,
                                               __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Unlocks the mutex if this thread holds it and nobody waits. */
ATOLL_INLINE bool atoll_place_unlock(const atoll_place *place) {
    uint64_t mine = atoll_place_mine(place), seen = mine;
    /* Release: what we wrote is the next holder's to read. */
    return mine && __atomic_compare_exchange_n((uint64_t *)place->word, &seen, 0, false,
                                               __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* How often the holder of a recursive mutex has locked it again: its own to change. */
ATOLL_INLINE uint32_t *atoll_place_again(const atoll_place *place) {
    return (uint32_t *)((uint64_t *)place->word + 1);
}

/* Locks a recursive mutex if it is free or held by this thread, and nothing is special. */
ATOLL_INLINE bool atoll_place_lock_recursive(const atoll_place *place) {
    uint64_t mine = atoll_place_mine(place), seen = 0;
    uint32_t again;
    if (!mine)
        return false;
    if (__atomic_compare_exchange_n((uint64_t *)place->word, &seen, mine, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return true;
    if (seen != mine)
        return false;
    /* Relaxed, here and below: it is ours while we hold the mutex, and 0 while nobody does.
     * A signal handler in between leaves it as it finds it. */
    again = __atomic_load_n(atoll_place_again(place), __ATOMIC_RELAXED) + 1;
    if (again == 0)
        return false;
    __atomic_store_n(atoll_place_again(place), again, __ATOMIC_RELAXED);
    return true;
}

/* Undoes one lock of a recursive mutex if this thread holds it and nobody waits. */
ATOLL_INLINE bool atoll_place_unlock_recursive(const atoll_place *place) {
    uint64_t mine = atoll_place_mine(place);
    uint32_t again;
    if (!mine)
        return false;
    again = __atomic_load_n(atoll_place_again(place), __ATOMIC_RELAXED);
    if (again == 0)
        return atoll_place_unlock(place);
    if (__atomic_load_n((const uint64_t *)place->word, __ATOMIC_RELAXED) != mine)
        return false;
    __atomic_store_n(atoll_place_again(place), again - 1, __ATOMIC_RELAXED);
    return true;
}

/* What a reader puts into its mark. */
ATOLL_INLINE uint64_t atoll_place_once(const atoll_place *place) {
    /* Relaxed: it never changes. */
    return __atomic_load_n((const uint64_t *)place->word + 8, __ATOMIC_RELAXED) |
           atoll_place_reading;
}

/* Where the thread has its mark of a reader-writer lock, NULL if it has to make the call. */
ATOLL_INLINE uint64_t *atoll_place_mark(const atoll_place *place, const uint64_t *record) {
    uint64_t *marks = (uint64_t *)(uintptr_t)atoll_place_seat(place, record, 2);
    return marks ? marks + (atoll_place_once(place) >> 17 & 7) : NULL;
}

/* Puts the thread's mark there, unless there is one, or writers may not look so far. */
ATOLL_INLINE bool atoll_place_put(const atoll_place *place, const uint64_t *record,
                                  uint64_t *mark) {
    const uint32_t *high = (const uint32_t *)((const uint64_t *)place->word + 9);
    uint64_t slot = atoll_place_seat(place, record, 1) >> 32 & 0x3fff;
    /* Sequentially consistent, here and below: of a reader and a writer that come at the same
     * time one sees the other. */
    if (__atomic_load_n(high, __ATOMIC_SEQ_CST) <= slot ||
        __atomic_load_n(mark, __ATOMIC_RELAXED) != 0)
        return false;
    __atomic_exchange_n(mark, atoll_place_once(place), __ATOMIC_SEQ_CST);
    return true;
}

/* Locks a reader-writer lock for reading if nobody writes, or has died writing. */
ATOLL_INLINE bool atoll_place_read_lock(const atoll_place *place) {
    uint64_t *record = atoll_place_record(place), *mark, calls;
    bool in = false;
    if (!record)
        return false;
    /* The calls of a signal handler are refused until it is decided: it would take our mark for
     * one that stays. */
    calls = __atomic_load_n(record, __ATOMIC_RELAXED);
    __atomic_store_n(record, calls + 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    mark = atoll_place_mark(place, record);
    if (mark && atoll_place_put(place, record, mark)) {
        uint64_t seen = __atomic_load_n((const uint64_t *)place->word, __ATOMIC_SEQ_CST);
        in = !(seen & (atoll_place_owned | atoll_place_inconsistent));
        if (!in)
            atoll_place_retreat(mark);
    }
    /* As it was, if nothing came of it: 0 in a forked child. */
    __atomic_store_n(record, in ? calls + 2 : calls, __ATOMIC_RELEASE);
    return in;
}

/* Undoes that if the thread reads once and nobody waits for it. */
ATOLL_INLINE bool atoll_place_read_unlock(const atoll_place *place) {
    uint64_t *record = atoll_place_record(place);
    uint64_t *mark = record ? atoll_place_mark(place, record) : NULL;
    uint64_t seen = mark ? atoll_place_once(place) : 0;
    /* Release: who writes next does so after what we read. */
    return mark && __atomic_compare_exchange_n(mark, &seen, 0, false, __ATOMIC_RELEASE,
                                               __ATOMIC_RELAXED);
}

/* Takes a permit of a semaphore if there is one. */
ATOLL_INLINE bool atoll_place_acquire(const atoll_place *place) {
    uint64_t seen, left;
    if (!place->word)
        return false;
    seen = __atomic_load_n((const uint64_t *)place->word, __ATOMIC_RELAXED);
    /* Signed: with bit 63 there are none. */
    if ((int64_t)seen < (int64_t)atoll_place_permit)
        return false;
    left = seen - atoll_place_permit;
    if (left < atoll_place_permit)
        left &= ~atoll_place_available;
    /* Acquire: what was written before the permit was released is ours to read. */
    return __atomic_compare_exchange_n((uint64_t *)place->word, &seen, left, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Gives a permit to a semaphore if nobody waits and there is room. */
ATOLL_INLINE bool atoll_place_release(const atoll_place *place) {
    uint64_t seen;
    uint32_t max;
    if (!place->word)
        return false;
    seen = __atomic_load_n((const uint64_t *)place->word, __ATOMIC_RELAXED);
    max = *(const uint32_t *)((const uint64_t *)place->word + 1);
    if (seen & atoll_place_waiters || seen >> 32 >= max)
        return false;
    /* Release: what we wrote is the next taker's to read. */
    return __atomic_compare_exchange_n((uint64_t *)place->word, &seen,
                                       (seen + atoll_place_permit) | atoll_place_available, false,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Whether an event is set. Its place has a word. */
ATOLL_INLINE bool atoll_place_is_set(const atoll_place *place) {
    /* Acquire: what was written before it was set is ours to read. */
    uint64_t seen = __atomic_load_n((const uint64_t *)place->word, __ATOMIC_ACQUIRE);
    return (seen & atoll_place_set) != 0;
}

/* What came of a push or pop. */
typedef enum {
    ATOLL_PLACE_CALL,    /* make the call */
    ATOLL_PLACE_DONE,    /* it is done */
    ATOLL_PLACE_NOTHING, /* the ring is full, or empty */
} atoll_place_answer;

/* Whether the role is still that of this process. */
ATOLL_INLINE bool atoll_place_has_role(const atoll_ring_place *place) {
    /* Acquire: a child that has a mark of its own has forgotten its parent's membership. */
    return place->counter &&
           __atomic_load_n(place->process, __ATOMIC_ACQUIRE) == atoll_place_process &&
           __atomic_load_n(place->member, __ATOMIC_RELAXED) == place->mine;
}

/* Looks at the other end's counter. Relaxed, here and below, where it is this end's own. */
ATOLL_INLINE uint64_t atoll_place_look(const atoll_ring_place *place) {
    /* Acquire: what was there has been read; what is there has been put. */
    uint64_t seen = __atomic_load_n(place->other, __ATOMIC_ACQUIRE);
    __atomic_store_n(place->own + 1, seen, __ATOMIC_RELAXED);
    return seen;
}

/* Before it is full, or empty: lets the other end do some dozen records, if this one has moved
 * since it last paused, and then it is to look again. Each look takes a line from who is at work
 * on it, and who has caught up with it would look at each record. */
ATOLL_INLINE bool atoll_place_pauses(const atoll_ring_place *place, uint64_t now) {
    uint64_t moved = now - __atomic_load_n(place->own + 2, __ATOMIC_RELAXED), i;
    __atomic_store_n(place->own + 2, now, __ATOMIC_RELAXED);
    for (i = 0; i < moved && i < 16; i++)
#if defined __x86_64__
        __asm__ __volatile__("pause");
#elif defined __aarch64__
        __asm__ __volatile__("isb");
#else
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
    return moved != 0;
}

/* It is full, or empty: for now, unless an end is closed. */
ATOLL_INLINE atoll_place_answer atoll_place_nothing(const atoll_ring_place *place) {
    /* Acquire: what was put before the end was closed is there for who makes the call. */
    bool ended = __atomic_load_n(place->ends, __ATOMIC_ACQUIRE) & atoll_place_ended;
    return ended ? ATOLL_PLACE_CALL : ATOLL_PLACE_NOTHING;
}

/* Counts one more, unless somebody has to be told. */
ATOLL_INLINE atoll_place_answer atoll_place_count(const atoll_ring_place *place, uint64_t now) {
    /* Release: who sees it, and then the counter as it was, sees us at work. */
    __atomic_store_n(place->saying, now + 1, __ATOMIC_RELEASE);
    /* The processor is told by who is about to sleep: membarrier(). */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(
            (__atomic_load_n(place->watch, __ATOMIC_SEQ_CST) & atoll_place_watched) != 0, 0)) {
        __atomic_store_n(place->saying, now, __ATOMIC_RELEASE);
        return ATOLL_PLACE_CALL;
    }
    __atomic_store_n(place->own, now + 1, __ATOMIC_RELAXED);
    /* Release: the record, or that it was read, before the other end sees that. */
    __atomic_store_n(place->counter, now + 1, __ATOMIC_RELEASE);
    return ATOLL_PLACE_DONE;
}

/* Where record number `n` is, of `bytes` each. */
ATOLL_INLINE unsigned char *atoll_place_of_record(const atoll_ring_place *place, uint64_t n,
                                                  size_t bytes) {
    return (unsigned char *)place->places + (n & place->mask) * bytes;
}

/* Some lines: they have come when who has them fetched is there. */
enum { ATOLL_PLACE_BYTES_AHEAD = 256 };

/* The same in records. */
ATOLL_INLINE uint64_t atoll_place_ahead(size_t bytes) {
    return bytes < ATOLL_PLACE_BYTES_AHEAD ? ATOLL_PLACE_BYTES_AHEAD / bytes : 1;
}

/* Has the line at an address fetched, which may be any one, to be written to soon. (Of a prefetch
 * for writing compilers make one for reading, for processors in general.) */
ATOLL_INLINE void atoll_place_expect_to_write(const void *address) {
#ifdef __x86_64__
    __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)address));
#else
    (void)address;
#endif
}

/* Has the line of a place some lines ahead fetched, to be read soon, of `there` records: not a line
 * that is written to, for that would be taken from who does it. */
ATOLL_INLINE void atoll_place_expect_to_read(const atoll_ring_place *place, uint64_t now,
                                             uint64_t there, size_t bytes) {
    const uint64_t ahead = atoll_place_ahead(bytes);
    if (there >= 2 * ahead)
        __builtin_prefetch(atoll_place_of_record(place, now + ahead, bytes));
}

/* Puts a record of `bytes` bytes, which have to be as many as the ring's records have. */
ATOLL_INLINE atoll_place_answer atoll_place_push(const atoll_ring_place *place,
                                                 const void *record, size_t bytes) {
    uint64_t now, used;
    if (!atoll_place_has_role(place))
        return ATOLL_PLACE_CALL;
    now = __atomic_load_n(place->own, __ATOMIC_RELAXED);
    used = now - __atomic_load_n(place->own + 1, __ATOMIC_RELAXED);
    if (__builtin_expect(used > place->mask, 0)) {
        do
            used = now - atoll_place_look(place);
        while (used == place->mask + 1 && atoll_place_pauses(place, now));
        if (used == place->mask + 1)
            return atoll_place_nothing(place);
        if (used > place->mask)
            return ATOLL_PLACE_CALL;
    }
    atoll_place_expect_to_write(
        atoll_place_of_record(place, now + atoll_place_ahead(bytes), bytes));
    memcpy(atoll_place_of_record(place, now, bytes), record, bytes);
    return atoll_place_count(place, now);
}

/* Gets one, likewise. */
ATOLL_INLINE atoll_place_answer atoll_place_pop(const atoll_ring_place *place, void *out,
                                                size_t bytes) {
    uint64_t now, there;
    if (!atoll_place_has_role(place))
        return ATOLL_PLACE_CALL;
    now = __atomic_load_n(place->own, __ATOMIC_RELAXED);
    there = __atomic_load_n(place->own + 1, __ATOMIC_RELAXED) - now;
    if (__builtin_expect(there - 1 > place->mask, 0)) {
        do
            there = atoll_place_look(place) - now;
        while (there == 0 && atoll_place_pauses(place, now));
        if (there == 0)
            return atoll_place_nothing(place);
        if (there - 1 > place->mask)
            return ATOLL_PLACE_CALL;
        /* Relaxed: for people. */
        if (there > __atomic_load_n(place->most, __ATOMIC_RELAXED))
            __atomic_store_n(place->most, there, __ATOMIC_RELAXED);
    }
    atoll_place_expect_to_read(place, now, there, bytes);
    memcpy(out, atoll_place_of_record(place, now, bytes), bytes);
    return atoll_place_count(place, now);
}

/* --- a ring for many ------------------------------------------------------------------------- */

/* The word of a place: which number it is for, and whether there is a record. */
static const uint64_t atoll_place_full = 1 << 14;

/* The word of number `number`; its record follows it. */
ATOLL_INLINE uint64_t *atoll_place_word_of(const atoll_mpmc_way *way, uint64_t number) {
    char *first = (char *)way->place.word;
    return (uint64_t *)(void *)(first + (number & way->mask) * way->stride);
}

/* Whether somebody has to be told of what is done there. */
ATOLL_INLINE bool atoll_place_is_watched(const uint64_t *watch) {
    /* Sequentially consistent: after the claim. */
    return (__atomic_load_n(watch, __ATOMIC_SEQ_CST) & atoll_place_watched) != 0;
}

/* The calling thread's record, in which it has said that it is on its way, so that the calls of a
 * signal handler are refused; NULL if it has to make the call. */
ATOLL_INLINE uint64_t *atoll_place_go(const atoll_place *place) {
    uint64_t *record = atoll_place_record(place);
    if (record) {
        __atomic_store_n(record, __atomic_load_n(record, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    return record;
}

/* It is over. As it was, if nothing has come of it: 0 in a forked child. */
ATOLL_INLINE void atoll_place_be_back(uint64_t *record, bool done) {
    uint64_t calls = __atomic_load_n(record, __ATOMIC_RELAXED);
    __atomic_store_n(record, done ? calls + 1 : calls - 1, __ATOMIC_RELEASE);
}

/* Claims number `number` for the thread: `purpose` is 1 to put, 2 to get. */
ATOLL_INLINE bool atoll_place_claim(const atoll_mpmc_way *way, const uint64_t *record,
                                    uint64_t purpose, uint64_t *counter, uint64_t number) {
    uint64_t *marks = (uint64_t *)(uintptr_t)atoll_place_seat(&way->place, record, 2);
    uint64_t *claim = marks ? marks + 12 : NULL;
    if (!claim || __atomic_load_n(claim, __ATOMIC_RELAXED) != way->object)
        return false;
    /* Release: what we published before, for who finds this claim instead of that one. */
    __atomic_store_n(claim + 2,
                     purpose << 62 | (uint64_t)1 << 48 | (number & (((uint64_t)1 << 48) - 1)),
                     __ATOMIC_RELEASE);
    /* Sequentially consistent: the claim before it, and before the look at who waits. */
    if (__atomic_compare_exchange_n(counter, &number, number + 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED))
        return true;
    __atomic_store_n(claim + 2, 0, __ATOMIC_RELEASE);
    return false;
}

/* Puts a record of `bytes` bytes, which have to be as many as the ring's records have, if there is
 * room and nothing is special. */
ATOLL_INLINE bool atoll_place_put_to_many(const atoll_mpmc_way *way, const void *from,
                                          size_t bytes) {
    uint64_t *record = atoll_place_go(&way->place), *word, number;
    bool done;
    if (!record)
        return false;
    /* Acquire: who claimed the number before, and that what was there has been read. */
    number = __atomic_load_n(way->tail, __ATOMIC_ACQUIRE);
    word = atoll_place_word_of(way, number);
    /* Beyond the last one it is of no use, and does no harm. */
    atoll_place_expect_to_write((const char *)word + ATOLL_PLACE_BYTES_AHEAD);
    done = __atomic_load_n(word, __ATOMIC_ACQUIRE) == number << 16 &&
           !atoll_place_is_watched(way->watch[0]) &&
           atoll_place_claim(way, record, 1, way->tail, number);
    if (done) {
        memcpy((char *)word + way->lead, from, bytes);
        if (__builtin_expect(atoll_place_is_watched(way->watch[0]), 0))
            done = atoll_place_finish_push(way->mpmc, number);
        else
            /* Release: the record. */
            __atomic_store_n(word, number << 16 | atoll_place_full, __ATOMIC_RELEASE);
    }
    atoll_place_be_back(record, done);
    return done;
}

/* Gets one, likewise. */
ATOLL_INLINE bool atoll_place_get_of_many(const atoll_mpmc_way *way, void *to, size_t bytes) {
    uint64_t *record = atoll_place_go(&way->place), *word, number, suspected;
    bool done;
    if (!record)
        return false;
    /* Acquire: who claimed the number before, and the record. */
    number = __atomic_load_n(way->head, __ATOMIC_ACQUIRE);
    word = atoll_place_word_of(way, number);
    /* Relaxed: a hint. */
    suspected = __atomic_load_n(way->suspected, __ATOMIC_RELAXED);
    done = __atomic_load_n(word, __ATOMIC_ACQUIRE) == (number << 16 | atoll_place_full) &&
           (number & 63) != 0 && (uint32_t)suspected == suspected >> 32 &&
           atoll_place_claim(way, record, 2, way->head, number);
    if (done) {
        if (__builtin_expect(atoll_place_is_watched(way->watch[0]) ||
                                 atoll_place_is_watched(way->watch[1]),
                             0)) {
            done = atoll_place_finish_pop(way->mpmc, number, to);
        } else {
            memcpy(to, (const char *)word + way->lead, bytes);
            /* Release: that it has been read. */
            __atomic_store_n(word, (number + way->mask + 1) << 16, __ATOMIC_RELEASE);
        }
    }
    atoll_place_be_back(record, done);
    return done;
}

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
#undef ATOLL_INLINE

#endif /* ATOLL_INLINE_H */
