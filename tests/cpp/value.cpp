// Values in the shape of std::atomic.

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <utility>

#include "check.hpp"

namespace {
struct point {
    double x, y, z;
};
struct tagged {
    std::int32_t id;
    float weight;
};
enum class colour : std::uint8_t { red, green };
}  // namespace

template <>
inline constexpr const char* libatoll::format<tagged> = "T{<i:id:<f:weight:}";

template <class T>
static atoll_type type_in_memory() {
    test_segment test;
    const auto value = OK(atoll::value<T>::create(test.segment, "v"));
    atoll_type type{};
    EXPECT(ATOLL_OK, atoll_value_type(value.native_handle(), &type));
    CHECK(type.size == sizeof(T));
    return type;
}

static void types_have_their_codes() {
    CHECK(type_in_memory<bool>().code == ATOLL_BOOL);
    CHECK(type_in_memory<std::int8_t>().code == ATOLL_I8);
    CHECK(type_in_memory<std::uint8_t>().code == ATOLL_U8);
    CHECK(type_in_memory<short>().code == ATOLL_I16);
    CHECK(type_in_memory<std::uint16_t>().code == ATOLL_U16);
    CHECK(type_in_memory<int>().code == ATOLL_I32);
    CHECK(type_in_memory<unsigned>().code == ATOLL_U32);
    CHECK(type_in_memory<long>().code == ATOLL_I64);
    CHECK(type_in_memory<long long>().code == ATOLL_I64);
    CHECK(type_in_memory<std::size_t>().code == ATOLL_U64);
    CHECK(type_in_memory<float>().code == ATOLL_F32);
    CHECK(type_in_memory<double>().code == ATOLL_F64);
    CHECK(type_in_memory<colour>().code == ATOLL_U8);
    CHECK(type_in_memory<std::byte>().code == ATOLL_U8);
    CHECK((type_in_memory<std::array<char, 20>>().code == ATOLL_BYTES));
    CHECK(type_in_memory<point>().code == ATOLL_STRUCT &&
          type_in_memory<point>().align == alignof(point));
    CHECK(std::string(type_in_memory<tagged>().format) == libatoll::format<tagged>);
}

static void load_store_exchange() {
    test_segment test;
    auto value = OK(atoll::value<std::int64_t>::create(test.segment, "v"));
    CHECK(value.load() == 0);
    OK(value.store(5));
    CHECK(value.load() == 5 && value.exchange(6) == 5 && value.load() == 6);
    CHECK(*OK(value.data()) == 6);
    const auto same = OK(atoll::value<long>::open(test.segment, "v"));
    CHECK(same.load() == 6);
}

static void compare_exchange() {
    test_segment test;
    auto value = OK(atoll::value<unsigned>::create(test.segment));
    unsigned expected = 1;
    CHECK(!OK(value.compare_exchange_strong(expected, 2)) && expected == 0 && value.load() == 0);
    CHECK(OK(value.compare_exchange_strong(expected, 2)) && expected == 0 && value.load() == 2);
    expected = 2;
    while (!OK(value.compare_exchange_weak(expected, 3))) CHECK(expected == 2);
    CHECK(value.load() == 3);
}

static void arithmetic() {
    test_segment test;
    auto number = OK(atoll::value<std::int32_t>::create(test.segment));
    CHECK(number.fetch_add(std::numeric_limits<std::int32_t>::max()) == 0);
    CHECK(number.fetch_add(1) == std::numeric_limits<std::int32_t>::max());
    CHECK(number.fetch_sub(1) == std::numeric_limits<std::int32_t>::min());
    OK(number.store(12));
    CHECK(number.fetch_and(10) == 12 && number.fetch_or(3) == 8 && number.fetch_xor(1) == 11);
    CHECK(number.fetch_max(-1) == 10 && number.fetch_min(-1) == 10 && number.load() == -1);
    auto mean = OK(atoll::value<double>::create(test.segment));
    CHECK(mean.fetch_add(0.5) == 0 && mean.fetch_sub(1) == 0.5 && mean.fetch_max(2) == -0.5);
    CHECK(mean.fetch_min(0) == 2 && mean.load() == 0);
}

static void a_bool_is_one_of_two() {
    test_segment test;
    auto flag = OK(atoll::value<bool>::create(test.segment));
    CHECK(flag.exchange(true) == false && flag.fetch_and(true) == true);
    CHECK(flag.fetch_xor(true) == true && flag.fetch_or(true) == false);
    reinterpret_cast<unsigned char&>(*OK(flag.data())) = 2;  // as another program might
    CHECK(static_cast<int>(OK(flag.load())) == 1 && static_cast<int>(flag) == 1);
    bool expected = false;
    CHECK(!OK(flag.compare_exchange_strong(expected, true)) && static_cast<int>(expected) == 1);
    CHECK(static_cast<int>(OK(flag.fetch_and(true))) == 1 && flag.load() == false);
}

static void structs_are_stored_whole() {
    test_segment test;
    auto value = OK(atoll::value<point>::create(test.segment, "p"));
    CHECK(OK(value.load()).z == 0);
    OK(value.store({1, 2, 3}));
    CHECK(OK(value.exchange({4, 5, 6})).y == 2);
    point expected{4, 5, 6};
    CHECK(OK(value.compare_exchange_strong(expected, {7, 8, 9})) && OK(value.load()).x == 7);
    CHECK(!OK(value.compare_exchange_strong(expected, {})) && expected.z == 9);
    auto small = OK(atoll::value<tagged>::create(test.segment));
    OK(small.store({1, 2.5F}));
    CHECK(OK(small.load()).weight == 2.5F);
}

template <class T>
static void integers_have_all_operators() {
    test_segment test;
    using limits = std::numeric_limits<T>;
    auto number = OK(atoll::value<T>::create(test.segment));
    CHECK((number = 5) == 5 && number == 5);
    CHECK(++number == 6 && number++ == 6 && number == 7);
    CHECK(--number == 6 && number-- == 6 && number == 5);
    CHECK((number += 3) == 8 && (number -= 2) == 6 && number == 6);
    CHECK((number &= 12) == 4 && (number |= 3) == 7 && (number ^= 5) == 2 && number == 2);
    number = limits::max();
    CHECK(number++ == limits::max() && number == limits::min());
    CHECK(--number == limits::max() && (number += 1) == limits::min() && number-- == limits::min());
    CHECK((number -= limits::max()) == 0);
    number = 100;
    CHECK(number.fetch_min(50) == 100 && number.fetch_min(60) == 50 && number == 50);
    CHECK(number.fetch_max(70) == 50 && number.fetch_max(60) == 70 && number == 70);
    CHECK(number.fetch_min(limits::min()) == 70 && number.fetch_max(1) == limits::min());
}

static void integers_of_every_size_have_all_operators() {
    integers_have_all_operators<std::int8_t>();
    integers_have_all_operators<std::uint8_t>();
    integers_have_all_operators<std::int16_t>();
    integers_have_all_operators<std::uint16_t>();
    integers_have_all_operators<std::int32_t>();
    integers_have_all_operators<std::uint32_t>();
    integers_have_all_operators<std::int64_t>();
    integers_have_all_operators<std::uint64_t>();
}

template <class T>
static void floats_count() {
    test_segment test;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    auto number = OK(atoll::value<T>::create(test.segment));
    CHECK((number = T(1.5)) == T(1.5) && (number += 2) == T(3.5) && (number -= 1) == T(2.5));
    CHECK(number.fetch_min(nan) == T(2.5) && number.fetch_max(nan) == T(2.5) && number == T(2.5));
    number = nan;
    CHECK(OK(number.fetch_min(1)) != number && OK(number.fetch_max(1)) != number);
    T expected = nan;  // bits are compared, not meanings
    CHECK(OK(number.compare_exchange_strong(expected, T(-0.0))));
    expected = T(0.0);
    CHECK(!OK(number.compare_exchange_strong(expected, 1)) && std::signbit(expected));
}

static void floats_of_both_sizes_count() {
    floats_count<float>();
    floats_count<double>();
}

static void every_order_may_be_asked_for() {
    test_segment test;
    auto value = OK(atoll::value<int>::create(test.segment));
    auto large = OK(atoll::value<point>::create(test.segment));
    for (const auto order : {std::memory_order_relaxed, std::memory_order_release}) {
        OK(value.store(1, order));
        OK(large.store({1, 2, 3}, order));
    }
    for (const auto order : {std::memory_order_relaxed, std::memory_order_acquire}) {
        CHECK(value.load(order) == 1 && OK(large.load(order)).x == 1);
    }
    for (const auto order :
         {std::memory_order_relaxed, std::memory_order_acquire, std::memory_order_release,
          std::memory_order_acq_rel, std::memory_order_seq_cst}) {
        CHECK(value.exchange(1, order) == 1 && value.fetch_add(1, order) == 1);
        CHECK(value.fetch_sub(1, order) == 2 && value.fetch_and(1, order) == 1);
        CHECK(value.fetch_or(1, order) == 1 && value.fetch_xor(0, order) == 1);
        CHECK(value.fetch_min(1, order) == 1 && value.fetch_max(1, order) == 1);
        int expected = 1;
        CHECK(OK(value.compare_exchange_strong(expected, 1, order)));
        CHECK(OK(value.compare_exchange_strong(expected, 1, order, std::memory_order_acquire)));
        while (!OK(value.compare_exchange_weak(expected, 1, order))) {
        }
        while (!OK(value.compare_exchange_weak(expected, 1, order, std::memory_order_relaxed))) {
        }
    }
}

static void enums_and_small_structs_are_words() {
    test_segment test;
    auto shade = OK(atoll::value<colour>::create(test.segment));
    CHECK((shade = colour::green) == colour::green && shade.exchange(colour::red) == colour::green);
    auto small = OK(atoll::value<tagged>::create(test.segment, nullptr, {1, 2}));
    tagged expected{1, 2};
    CHECK(OK(small.compare_exchange_strong(expected, {3, 4})));
    CHECK(!OK(small.compare_exchange_strong(expected, {5, 6})) && expected.weight == 4);
}

static_assert(atoll::value<char>::is_always_lock_free && atoll::value<double>::is_always_lock_free);
static_assert(atoll::value<tagged>::is_always_lock_free);
static_assert(!atoll::value<point>::is_always_lock_free);

static void sizes_without_a_word_work_as_well() {
    test_segment test;
    using three = std::array<char, 3>;
    auto value = OK(atoll::value<three>::create(test.segment, nullptr, {'a', 'b', 'c'}));
    CHECK(value.is_lock_free() && OK(value.load())[2] == 'c');
    CHECK(OK(value.exchange({'d', 'e', 'f'}))[0] == 'a');
    three expected{'d', 'e', 'f'};
    CHECK(OK(value.compare_exchange_weak(expected, {'g'})) && OK(value.load())[0] == 'g');
    CHECK(OK(value.try_store_for({'h'}, std::chrono::seconds(0))) == true);
    CHECK(static_cast<three>(value)[0] == 'h');
}

static void what_was_moved_from_is_refused() {
    test_segment test;
    const auto wrong = atoll::status::invalid_argument;
    auto value = OK(atoll::value<int>::create(test.segment, nullptr, 7));
    auto moved = std::move(value);
    CHECK(moved == 7 && value.native_handle() == nullptr);
    FAILS(wrong, "NULL", value.load());
    FAILS(wrong, "NULL", value.store(1));
    FAILS(wrong, "NULL", value.fetch_add(1));
    int expected = 0;
    FAILS(wrong, "NULL", value.compare_exchange_strong(expected, 1));
    value = std::move(moved);
    CHECK(value == 7);
    FAILS(wrong, "NULL", moved.exchange(1));
}

static void threads_lose_no_addition() {
    test_segment test;
    auto value = OK(atoll::value<std::uint64_t>::create(test.segment));
    auto add = [&] {
        for (int i = 0; i < 10000; i++) OK(value.fetch_add(1));
    };
    std::thread other(add);
    add();
    other.join();
    CHECK(value.load() == 20000);
}

static void another_type_is_refused() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    OK(atoll::value<int>::create(test.segment, "v"));
    FAILS(kind, "f32", atoll::value<float>::open(test.segment, "v"));
    FAILS(kind, "i32", atoll::value<unsigned>::open_or_create(test.segment, "v"));
    FAILS(kind, "mutex", atoll::mutex::open(test.segment, "v"));
    const auto taken = atoll::status::already_exists;
    FAILS(taken, "v", atoll::value<int>::create(test.segment, "v"));
    const auto missing = atoll::status::not_found;
    FAILS(missing, "w", atoll::value<int>::open(test.segment, "w"));
}

static void read_only_means_it() {
    test_segment test;
    OK(OK(atoll::value<int>::create(test.segment, "v")).store(3));
    atoll::segment_options look;
    look.read_only = true;
    const auto watched = OK(atoll::segment::open(test.name(), look));
    auto value = OK(atoll::value<int>::open(watched, "v"));
    CHECK(value.load() == 3);
    FAILS(atoll::status::permission, "read-only", value.store(4));
    FAILS(atoll::status::permission, "read-only", value.exchange(4));
    FAILS(atoll::status::permission, "read-only", value.fetch_add(1));
    FAILS(atoll::status::permission, "read-only", value.fetch_max(9));
    FAILS(atoll::status::permission, "read-only", value.fetch_xor(1));
    int expected = 3;
    FAILS(atoll::status::permission, "read-only", value.compare_exchange_strong(expected, 4));
    CHECK(value.load(std::memory_order_relaxed) == 3 && value == 3);
}

int main() {
    RUN(types_have_their_codes);
    RUN(load_store_exchange);
    RUN(compare_exchange);
    RUN(arithmetic);
    RUN(a_bool_is_one_of_two);
    RUN(structs_are_stored_whole);
    RUN(integers_of_every_size_have_all_operators);
    RUN(floats_of_both_sizes_count);
    RUN(every_order_may_be_asked_for);
    RUN(enums_and_small_structs_are_words);
    RUN(sizes_without_a_word_work_as_well);
    RUN(what_was_moved_from_is_refused);
    RUN(threads_lose_no_addition);
    RUN(another_type_is_refused);
    RUN(read_only_means_it);
    return any_failed;
}
