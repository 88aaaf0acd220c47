// Which way is taken: as a rule none of these calls into the library, and where something is not
// as usual, each does. The calls are counted by functions of their names in this program, which
// come before those of the library and pass on to them.

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "calls.hpp"
#include "others.hpp"

using namespace std::chrono_literals;

atoll_status atoll_mutex_lock(atoll_mutex* mutex, std::int64_t timeout_ns) {
    return LIBRARY(atoll_mutex_lock)(mutex, timeout_ns);
}
atoll_status atoll_mutex_unlock(atoll_mutex* mutex) {
    return LIBRARY(atoll_mutex_unlock)(mutex);
}
atoll_status atoll_value_load(const atoll_value* v, void* out, std::size_t cap, std::size_t* len) {
    return LIBRARY(atoll_value_load)(v, out, cap, len);
}
atoll_status atoll_value_store(atoll_value* v, const void* in, std::size_t n, std::int64_t ns) {
    return LIBRARY(atoll_value_store)(v, in, n, ns);
}
atoll_status atoll_value_swap(atoll_value* v, const void* in, std::size_t n, std::int64_t ns,
                              void* out, std::size_t cap, std::size_t* len) {
    return LIBRARY(atoll_value_swap)(v, in, n, ns, out, cap, len);
}
atoll_status atoll_value_compare_exchange(atoll_value* v, const void* expected, const void* in,
                                          std::size_t n, std::int64_t ns, void* out,
                                          std::size_t cap, std::size_t* len, bool* exchanged) {
    return LIBRARY(atoll_value_compare_exchange)(v, expected, in, n, ns, out, cap, len, exchanged);
}
#define COUNT_FETCH(name) \
    atoll_status name(atoll_value* v, const void* in, std::size_t n, void* out, std::size_t cap, \
                      std::size_t* len) { \
        return LIBRARY(name)(v, in, n, out, cap, len); \
    }
COUNT_FETCH(atoll_value_fetch_add)
COUNT_FETCH(atoll_value_fetch_sub)
COUNT_FETCH(atoll_value_fetch_min)
COUNT_FETCH(atoll_value_fetch_max)
COUNT_FETCH(atoll_value_fetch_and)
COUNT_FETCH(atoll_value_fetch_or)
COUNT_FETCH(atoll_value_fetch_xor)

static void a_mutex_that_nobody_wants_needs_no_call() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    CALLS(0, mutex.lock(); mutex.unlock());
    CALLS(0, CHECK(mutex.try_lock()); mutex.unlock());
    CALLS(0, CHECK(mutex.try_lock_for(1s)); mutex.unlock());
    CALLS(0, CHECK(mutex.try_lock_until(std::chrono::system_clock::now())); mutex.unlock());
    CALLS(0, CHECK(mutex.lock_recover() == false); mutex.unlock());
    CALLS(0, CHECK(OK(mutex.try_lock_recover_for(1s)) == false); mutex.unlock());
    CALLS(0, std::scoped_lock hold(mutex));
    auto moved = std::move(mutex);
    CALLS(0, std::scoped_lock hold(moved));
}

static void nor_does_a_recursive_one() {
    test_segment test;
    auto mutex = OK(atoll::recursive_mutex::create(test.segment));
    CALLS(0, mutex.lock(); mutex.lock(); CHECK(mutex.try_lock()));
    CALLS(0, mutex.unlock(); mutex.unlock());
    CHECK(!is_free(mutex));
    CALLS(0, mutex.unlock());
    CHECK(is_free(mutex));
}

static void news_of_a_death_is_called_for() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    die_holding(mutex);
    CALLS(2, CHECK(mutex.lock_recover() == true); mutex.unlock());  // as long as there is news
    CALLS(1, CHECK(mutex.lock_recover() == true));
    OK(mutex.mark_consistent());
    mutex.unlock();
    CALLS(0, std::scoped_lock hold(mutex));
}

// The word of a mutex that is held is not what it was any more once another thread waits.
static void start_waiting(atoll::mutex& mutex, std::thread& waiter) {
    atoll_place place;
    EXPECT(ATOLL_OK, atoll_mutex_place(mutex.native_handle(), ATOLL_PLACE_CONTRACT, &place));
    const auto word = static_cast<const std::uint64_t*>(place.word);
    const std::uint64_t quiet = __atomic_load_n(word, __ATOMIC_RELAXED);
    waiter = std::thread([&] { std::scoped_lock hold(mutex); });
    while (__atomic_load_n(word, __ATOMIC_RELAXED) == quiet) std::this_thread::yield();
}

static void who_waits_is_called_for() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    mutex.lock();
    std::thread waiter;
    start_waiting(mutex, waiter);
    const int locks = calls;  // the waiter's; it may make one more to unlock
    mutex.unlock();
    CHECK(calls > locks);
    waiter.join();
    CHECK(is_free(mutex));
}

// A handler may have interrupted the library in the middle of anything.
static void a_signal_handler_in_a_call_is_refused() {
    static atoll::mutex* free;
    static std::atomic<bool> handled;
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    auto other = OK(atoll::mutex::create(test.segment));
    free = &other;
    handled = false;
    struct sigaction action{}, old{};
    action.sa_handler = [](int) {
        FAILS(atoll::status::reentrant, "signal", free->lock_recover());
        handled = true;
    };
    CHECK(sigaction(SIGUSR1, &action, &old) == 0);
    std::thread waiter;
    {
        std::scoped_lock hold(mutex);
        start_waiting(mutex, waiter);
        CHECK(pthread_kill(waiter.native_handle(), SIGUSR1) == 0);
        while (!handled) std::this_thread::yield();
    }
    waiter.join();
    CHECK(sigaction(SIGUSR1, &old, nullptr) == 0 && is_free(other));
}

static void a_new_thread_calls_once() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    std::thread([&] {
        CALLS(1, mutex.lock());
        CALLS(0, mutex.unlock());
        CALLS(0, std::scoped_lock hold(mutex));
    }).join();
    CALLS(0, std::scoped_lock hold(mutex));
}

static void so_does_a_forked_child() {
    test_segment test;
    static atoll::mutex* free;
    auto mutex = OK(atoll::mutex::create(test.segment));
    auto other = OK(atoll::mutex::create(test.segment));
    free = &other;
    mutex.lock();
    in_child(
        [](void* given) {
            auto& parents = *static_cast<atoll::mutex*>(given);
            CALLS(1, CHECK(!parents.try_lock()));  // the child is not called what its parent is
            CALLS(0, free->lock(); free->unlock());
            CALLS(1, CHECK(!parents.try_lock()));
        },
        &mutex);
    in_child([](void*) { CALLS(1, free->lock(); free->unlock()); }, nullptr);
    CALLS(0, mutex.unlock());
    CALLS(0, std::scoped_lock hold(mutex, other));
}

static void an_open_transaction_makes_calls() {
    test_segment test;
    auto inside = OK(atoll::mutex::create(test.segment));
    auto outside = OK(atoll::mutex::create(test.segment));
    {
        auto open = atoll::transaction::begin(inside);
        CALLS(1, FAILS(atoll::status::deadlock, "transaction", inside.lock_recover()));
        CALLS(2, outside.lock(); outside.unlock());
        OK(open->commit());
    }
    CALLS(0, std::scoped_lock hold(inside, outside));
}

// Locks once more when its thread ends.
struct late {
    atoll::mutex* mutex = nullptr;
    ~late() {
        if (mutex != nullptr) std::scoped_lock hold(*mutex);
    }
};

static void a_thread_that_ends_may_still_lock() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    static thread_local late before, after;
    std::thread([&] {
        before.mutex = &mutex;  // made before the thread's first call, so destroyed after it
        { std::scoped_lock hold(mutex); }
        after.mutex = &mutex;
    }).join();
    CHECK(mutex.lock_recover() == false);
    mutex.unlock();
}

// The library has said goodbye to the thread before some of these, as destructors of keys go round
// again while they set new values.
static void a_thread_may_lock_when_it_has_left() {
    static pthread_key_t key;
    static atoll::mutex* locked;
    static std::atomic<int> rounds;
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    locked = &mutex;
    rounds = 0;
    CHECK(pthread_key_create(&key, [](void* again) {
              std::scoped_lock hold(*locked);
              if (++rounds < 3) pthread_setspecific(key, again);
          }) == 0);
    std::thread([&] {
        pthread_setspecific(key, &key);
        std::scoped_lock hold(mutex);
    }).join();
    CHECK(rounds == 3 && mutex.lock_recover() == false);
    mutex.unlock();
    CHECK(pthread_key_delete(key) == 0);
}

template <class T>
static void a_word_needs_no_call(T one, T two) {
    test_segment test;
    auto value = OK(atoll::value<T>::create(test.segment));
    CALLS(0, OK(value.store(one)); CHECK(value.load() == one));
    CALLS(0, CHECK(value.exchange(two) == one));
    CALLS(0, CHECK(OK(value.compare_exchange_strong(two, one))));
    CALLS(0, while (!OK(value.compare_exchange_weak(one, two))));
    auto moved = std::move(value);
    CALLS(0, CHECK(moved == two));
}

template <class T>
static void a_number_needs_no_call() {
    a_word_needs_no_call<T>(T(1), T(2));
    test_segment test;
    auto value = OK(atoll::value<T>::create(test.segment));
    CALLS(0, CHECK(value.fetch_add(3) == 0 && value.fetch_sub(1) == 3));
    CALLS(0, CHECK(value.fetch_min(1) == 2 && value.fetch_max(5) == 1 && value == 5));
    CALLS(0, value += 1; value -= 2; value = 1);
    if constexpr (std::is_integral_v<T>) {
        CALLS(0, CHECK(value.fetch_and(3) == 1 && value.fetch_or(2) == 1));
        CALLS(0, CHECK(value.fetch_xor(1) == 3 && value++ == 2 && --value == 2));
        CALLS(0, value &= 3; value |= 4; value ^= 1);
    }
}

static void no_word_needs_a_call() {
    enum class colour : std::uint8_t { red, green };
    a_word_needs_no_call<bool>(true, false);
    a_word_needs_no_call<colour>(colour::green, colour::red);
    a_number_needs_no_call<std::int8_t>();
    a_number_needs_no_call<std::uint16_t>();
    a_number_needs_no_call<std::int32_t>();
    a_number_needs_no_call<std::uint64_t>();
    a_number_needs_no_call<float>();
    a_number_needs_no_call<double>();
}

static void larger_values_are_called_for() {
    struct pair {
        std::int64_t left, right;
    };
    test_segment test;
    auto value = OK(atoll::value<pair>::create(test.segment));
    CALLS(1, OK(value.store({1, 2})));
    CALLS(1, CHECK(OK(value.load()).right == 2));
    CALLS(1, CHECK(OK(value.exchange({3, 4})).left == 1));
}

static void writing_where_only_reading_is_allowed_is_called_for() {
    test_segment test;
    OK(atoll::value<int>::create(test.segment, "v", 3));
    atoll::segment_options look;
    look.read_only = true;
    const auto watched = OK(atoll::segment::open(test.name(), look));
    auto value = OK(atoll::value<int>::open(watched, "v"));
    CALLS(0, CHECK(value.load() == 3));
    CALLS(1, FAILS(atoll::status::permission, "read-only", value.store(4)));
    CALLS(1, FAILS(atoll::status::permission, "read-only", value.fetch_add(4)));
}

int main() {
    RUN(a_mutex_that_nobody_wants_needs_no_call);
    RUN(nor_does_a_recursive_one);
    RUN(news_of_a_death_is_called_for);
    RUN(who_waits_is_called_for);
    RUN(a_signal_handler_in_a_call_is_refused);
    RUN(a_new_thread_calls_once);
    RUN(so_does_a_forked_child);
    RUN(an_open_transaction_makes_calls);
    RUN(a_thread_that_ends_may_still_lock);
    RUN(a_thread_may_lock_when_it_has_left);
    RUN(no_word_needs_a_call);
    RUN(larger_values_are_called_for);
    RUN(writing_where_only_reading_is_allowed_is_called_for);
    return any_failed;
}
