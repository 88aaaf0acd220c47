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
