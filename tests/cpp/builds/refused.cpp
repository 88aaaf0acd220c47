// What must not compile. Each part below, with the lines before the first of them, is a program of
// its own, and the compiler's words about it contain those after `refused:`. A part that begins
// with `allowed:` must compile, so that the others are not refused for some other reason. Options
// stand in brackets.

#include <atoll.hpp>
#include <memory>
#include <mutex>
#include <string>

struct with_destructor {
    ~with_destructor();
};
struct without_default {
    explicit without_default(int);
};
struct alignas(128) wide {
    char bytes[128];
};
struct point {
    double x, y;
};

template <class T>
constexpr auto size_of = sizeof(atoll::value<T>) + sizeof(atoll::array<T>);

// allowed:
auto size = size_of<int> + size_of<point> + sizeof(atoll::array<const point>);

// allowed: [-Wconversion -Wsign-conversion -Wshadow -Wdouble-promotion -Wnon-virtual-dtor]
template class libatoll::value<int>;
template class libatoll::array<float>;
template class libatoll::basic_mutex<true>;
float& cell(const atoll::array<float>& grid, int i, int j) { return grid(i, j) = grid.at(1, 2); }
auto open(atoll::segment& in) { return atoll::value<int>::open(in, "name"); }
using condition = atoll::condition_variable_any;
template void condition::wait(std::unique_lock<atoll::mutex>&, bool (*)());
template bool condition::wait_for(std::mutex&, const std::chrono::seconds&, bool (*)());
template class libatoll::detail::semaphore<atoll::tracked_semaphore, true>;
using ring_calls = libatoll::detail::fanin_calls;
template class libatoll::detail::ring<atoll::fanin<point>, point, ring_calls>;
template class libatoll::detail::claimed<point, ring_calls>;
template class libatoll::detail::peeked<point, ring_calls>;
template class libatoll::mpmc<point>;
auto put(atoll::spsc<float>& r) { return r.put_for(1, std::chrono::hours(1)); }
auto pass(atoll::barrier& b) { return b.wait(b.arrive()), b.arrive_and_wait_for(std::chrono::hours(1)); }

// refused: a pointer cannot be shared
auto size = sizeof(atoll::value<int*>);

// refused: a pointer cannot be shared
auto size = sizeof(atoll::array<const char*>);

// refused: a pointer to a member cannot be shared
auto size = sizeof(atoll::value<int point::*>);

// refused: a reference cannot be shared
auto size = sizeof(atoll::value<int&>);

// refused: use atoll::array, or std::array
auto size = sizeof(atoll::value<int[3]>);

// refused: not const or volatile
auto size = sizeof(atoll::value<const int>);

// refused: must be trivially copyable
auto size = sizeof(atoll::value<std::string>);

// refused: must be trivially copyable
auto size = sizeof(atoll::array<std::unique_ptr<int>>);

// refused: must be trivially copyable
auto size = sizeof(atoll::value<with_destructor>);

// refused: must be default constructible
auto size = sizeof(atoll::value<without_default>);

// refused: must be trivially copyable
auto size = sizeof(atoll::spsc<std::string>);

// refused: aligned to 64 bytes at most
auto size = sizeof(atoll::value<wide>);

// refused: need a number
void change(atoll::value<bool>& flag) { flag.fetch_add(true); }

// refused: need a number
void change(atoll::value<point>& place) { place.fetch_min({}); }

// refused: need an integer or a bool
void change(atoll::value<double>& number) { number.fetch_or(1); }

// refused: its copies take turns
void look(atoll::value<point>& place) { place.data(); }

// refused: cannot be modified
void change(atoll::transaction& open, atoll::array<const int>& array) { open.modify(array, 1); }

// refused: one to eight mutexes
void begin(atoll::mutex& m) { atoll::transaction::begin(m, m, m, m, m, m, m, m, m).value(); }

// refused: deleted
void copy(atoll::mutex& mutex) { auto other = mutex; }

// refused: deleted
void copy(atoll::shared_mutex& mutex) { auto other = mutex; }

// refused: deleted
void twice(atoll::barrier& b, atoll::barrier::arrival_token& t) { auto u = t; b.wait(std::move(u)); }

// refused: private
void wait(atoll::barrier& b) { b.wait(atoll::barrier::arrival_token()); }

// refused: deleted
void copy(atoll::fanin<int>::reservation& places) { auto other = places; }

// refused: deleted
void copy(atoll::value<int>& left, atoll::value<int>& right) { left = right; }

// refused: 63 bytes at most
template <>
inline constexpr const char* libatoll::format<point> =
    "T{<d:a_name_that_is_longer_than_it_should_be:<d:another_one_that_is_no_better:}";
auto made(const atoll::segment& in) { return atoll::value<point>::create(in, "point"); }

// refused: needs C++17 or later [-std=c++14]

// refused: or define ATOLL_NO_EXCEPTIONS [-fno-exceptions]

// allowed: [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
bool begin(atoll::mutex& mutex) { return atoll::transaction::begin(mutex).has_value(); }

// refused: nodiscard [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void ignore(atoll::transaction& open) { open.commit(); }

// refused: begins by transaction::begin() [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void begin(atoll::mutex& mutex) { atoll::transaction open(mutex); }

// refused: could mean two things [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void exchange(atoll::value<int>& value, int& old) { while (!value.compare_exchange_weak(old, 1)); }

// refused: nodiscard [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void ignore(atoll::counting_semaphore& permits) { permits.acquire(); }

// refused: nodiscard [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void ignore(atoll::spsc<int>& ring) { ring.put(1); }

// refused: could mean two things [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void fill(atoll::fanin<int>& ring) { while (ring.try_push(1)); }

// refused: could mean two things [-DATOLL_NO_EXCEPTIONS -fno-exceptions]
void wait(atoll::event& event) { while (!event.is_set()); }
