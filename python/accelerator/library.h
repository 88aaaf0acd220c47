/* The functions of libatoll that are called here.
 *
 * The accelerator is not linked with the library: a second copy of that would be a second
 * identity in the process. Python has loaded one and says where its functions are.
 */
#ifndef ATOLL_ACCELERATOR_LIBRARY_H
#define ATOLL_ACCELERATOR_LIBRARY_H

#include <atoll/inline.h>

struct library {
    __typeof__(&atoll_mutex_place) mutex_place;
    __typeof__(&atoll_mutex_lock) mutex_lock;
    __typeof__(&atoll_mutex_unlock) mutex_unlock;
    __typeof__(&atoll_value_place) value_place;
    __typeof__(&atoll_event_place) event_place;
    __typeof__(&atoll_event_set) event_set;
    __typeof__(&atoll_event_clear) event_clear;
    __typeof__(&atoll_semaphore_place) semaphore_place;
    __typeof__(&atoll_semaphore_acquire) semaphore_acquire;
    __typeof__(&atoll_semaphore_release) semaphore_release;
    __typeof__(&atoll_lock_acquire) lock_acquire;
    __typeof__(&atoll_lock_release) lock_release;
    __typeof__(&atoll_spsc_push) spsc_push;
    __typeof__(&atoll_spsc_pop) spsc_pop;
    __typeof__(&atoll_spsc_push_n) spsc_push_n;
    __typeof__(&atoll_spsc_pop_n) spsc_pop_n;
    __typeof__(&atoll_fanin_push) fanin_push;
    __typeof__(&atoll_fanin_pop) fanin_pop;
    __typeof__(&atoll_fanin_push_n) fanin_push_n;
    __typeof__(&atoll_fanin_pop_n) fanin_pop_n;
    __typeof__(&atoll_mpmc_push) mpmc_push;
    __typeof__(&atoll_mpmc_pop) mpmc_pop;
    __typeof__(&atoll_mpmc_push_n) mpmc_push_n;
    __typeof__(&atoll_mpmc_pop_n) mpmc_pop_n;
    __typeof__(&atoll_wait_any) wait_any;
};

#endif
