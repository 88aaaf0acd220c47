// Looked at as machine code: each of these functions has as many atomic instructions as the line
// above it says, so it does the work itself, and in no stronger order than asked for.

#include <atoll.hpp>

#ifdef ATOLL_NO_EXCEPTIONS
#define GIVEN(expression) (*(expression))
#else
#define GIVEN(expression) (expression)
#endif

using number = atoll::value<long>;

extern "C" {
// atomics: 2
void lock_and_unlock(atoll::mutex& mutex) { mutex.lock(), mutex.unlock(); }
// atomics: 1
bool try_to_lock(atoll::mutex& mutex) { return mutex.try_lock(); }
// atomics: 1
void lock_again(atoll::recursive_mutex& mutex) { mutex.lock(); }
// atomics: 1
long add(number& n) { return GIVEN(n.fetch_add(3)); }
// atomics: 1
void count(number& n) { n++; }
// atomics: 0
long load(const number& n) { return GIVEN(n.load()); }
// atomics: 1
void store(number& n) { static_cast<void>(n.store(1)); }
// atomics: 0
void release(number& n) { static_cast<void>(n.store(1, std::memory_order_release)); }
// atomics: 1
bool exchange(number& n, long& e) { return GIVEN(n.compare_exchange_weak(e, 1)); }
// atomics: 1
void acquire(atoll::counting_semaphore& s) { static_cast<void>(s.acquire()); }
// atomics: 1
void give_back(atoll::counting_semaphore& s) { static_cast<void>(s.release()); }
// atomics: 1
void leave(atoll::shared_mutex& mutex) { mutex.unlock_shared(); }
// atomics: 0
bool put(atoll::spsc<long>& ring) { return GIVEN(ring.try_push(1)); }
// atomics: 0
long get(atoll::spsc<long>& ring) { return GIVEN(ring.get()); }
// atomics: 0
bool look(const atoll::event& e) { return GIVEN(e.is_set()); }
}
