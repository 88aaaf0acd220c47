/* A worker of the storm in C: locks, counts, unlocks, until it is killed.
 *
 *     worker SEGMENT called     by calls
 *     worker SEGMENT inlined    by atoll/inline.h, and by calls where that says no
 */

#include <string.h>

#include "atoll/inline.h"
#include "layout.h"

static int inlined;

struct lock {
    atoll_mutex *mutex;
    atoll_place place;
    volatile struct row *row;
};

static atoll_status lock(const struct lock *lock) {
    if (inlined) {
        if (lock->place.flags & ATOLL_PLACE_RECURSIVE) {
            if (atoll_place_lock_recursive(&lock->place)) return ATOLL_OK;
        } else {
            if (atoll_place_lock(&lock->place)) return ATOLL_OK;
        }
    }
    return atoll_mutex_lock(lock->mutex, ATOLL_FOREVER);
}

static atoll_status unlock(const struct lock *lock) {
    if (inlined) {
        if (lock->place.flags & ATOLL_PLACE_RECURSIVE) {
            if (atoll_place_unlock_recursive(&lock->place)) return ATOLL_OK;
        } else {
            if (atoll_place_unlock(&lock->place)) return ATOLL_OK;
        }
    }
    return atoll_mutex_unlock(lock->mutex);
}

static int round_under(const struct lock *guard) {
    const int depth = guard->place.flags & ATOLL_PLACE_RECURSIVE ? DEPTH : 0;
    const atoll_status got = lock(guard);
    if (got != ATOLL_OK && got != ATOLL_OWNER_DIED) return complain(atoll_status_name(got));
    if (!begin_round(guard->row, got == ATOLL_OWNER_DIED)) return complain("a death was not told");
    if (got == ATOLL_OWNER_DIED && atoll_mutex_mark_consistent(guard->mutex) != ATOLL_OK)
        return complain("not the owner after all");
    for (int i = 0; i < depth; i++) {
        if (lock(guard) != ATOLL_OK) return complain("cannot lock again");
    }
    for (int i = 0; i < depth; i++) {
        if (unlock(guard) != ATOLL_OK) return complain("cannot unlock once");
    }
    if (!end_round(guard->row)) return complain("somebody else was inside too");
    return unlock(guard) == ATOLL_OK ? 0 : complain("cannot unlock");
}

int main(int count, char **words) {
    const char *const names[] = {"plain", "recursive"};
    const uint64_t shape[] = {2, 3};
    const atoll_type i64 = ATOLL_TYPE_I64;
    const int64_t one = 1;
    atoll_segment *segment;
    atoll_array *rows;
    atoll_value *over;
    struct lock locks[2];
    go_with_the_director();
    if (count != 3) return complain("worker SEGMENT called|inlined");
    inlined = strcmp(words[2], "inlined") == 0;
    if (atoll_segment_open(words[1], NULL, &segment) != ATOLL_OK ||
        atoll_array_open(segment, "rows", &i64, 2, shape, &rows) != ATOLL_OK ||
        atoll_value_open(segment, "over", &i64, &over) != ATOLL_OK)
        return complain("cannot open what is there");
    for (uint32_t i = 0; i < 2; i++) {
        atoll_mutex_options options = ATOLL_MUTEX_OPTIONS_INIT;
        options.recursive = i;
        locks[i].row = (struct row *)atoll_array_data(rows) + i;
        if (atoll_mutex_open(segment, names[i], &options, &locks[i].mutex) != ATOLL_OK ||
            atoll_mutex_place(locks[i].mutex, ATOLL_PLACE_CONTRACT, &locks[i].place) != ATOLL_OK)
            return complain("cannot open a mutex");
    }
    for (unsigned i = 0;; i++) {
        if (round_under(&locks[i % 2])) return 1;
        if (atoll_value_fetch_add(over, &one, sizeof one, NULL, 0, NULL) != ATOLL_OK)
            return complain("cannot count");
    }
}
