// Values in the shape of std::atomic.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>

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
    const auto value = atoll::value<T>::create(test.segment, "v");
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
    auto value = atoll::value<std::int64_t>::create(test.segment, "v");
    CHECK(value.load() == 0);
    value.store(5);
    CHECK(value.load() == 5 && value.exchange(6) == 5 && value.load() == 6);
    CHECK(*value.data() == 6);
    const auto same = atoll::value<long>::open(test.segment, "v");
    CHECK(same.load() == 6);
}

static void compare_exchange() {
    test_segment test;
    auto value = atoll::value<unsigned>::create(test.segment);
    unsigned expected = 1;
    CHECK(!value.compare_exchange_strong(expected, 2) && expected == 0 && value.load() == 0);
    CHECK(value.compare_exchange_strong(expected, 2) && expected == 0 && value.load() == 2);
    expected = 2;
    CHECK(value.compare_exchange_weak(expected, 3) && value.load() == 3);
}

static void arithmetic() {
    test_segment test;
    auto number = atoll::value<std::int32_t>::create(test.segment);
    CHECK(number.fetch_add(std::numeric_limits<std::int32_t>::max()) == 0);
    CHECK(number.fetch_add(1) == std::numeric_limits<std::int32_t>::max());
    CHECK(number.fetch_sub(1) == std::numeric_limits<std::int32_t>::min());
    number.store(12);
    CHECK(number.fetch_and(10) == 12 && number.fetch_or(3) == 8 && number.fetch_xor(1) == 11);
    CHECK(number.fetch_max(-1) == 10 && number.fetch_min(-1) == 10 && number.load() == -1);
    auto mean = atoll::value<double>::create(test.segment);
    CHECK(mean.fetch_add(0.5) == 0 && mean.fetch_sub(1) == 0.5 && mean.fetch_max(2) == -0.5);
    CHECK(mean.fetch_min(0) == 2 && mean.load() == 0);
}

static void a_bool_is_one_of_two() {
    test_segment test;
    auto flag = atoll::value<bool>::create(test.segment);
    CHECK(!flag.exchange(true) && flag.fetch_and(true) && flag.fetch_xor(true) &&
          !flag.fetch_or(true));
    reinterpret_cast<unsigned char&>(*flag.data()) = 2;  // as another program might
    CHECK(static_cast<int>(flag.load()) == 1);
}

static void structs_are_stored_whole() {
    test_segment test;
    auto value = atoll::value<point>::create(test.segment, "p");
    CHECK(value.load().z == 0);
    value.store({1, 2, 3});
    CHECK(value.exchange({4, 5, 6}).y == 2);
    point expected{4, 5, 6};
    CHECK(value.compare_exchange_strong(expected, {7, 8, 9}) && value.load().x == 7);
    CHECK(!value.compare_exchange_strong(expected, {}) && expected.z == 9);
    auto small = atoll::value<tagged>::create(test.segment);
    small.store({1, 2.5F});
    CHECK(small.load().weight == 2.5F);
}

static void threads_lose_no_addition() {
    test_segment test;
    auto value = atoll::value<std::uint64_t>::create(test.segment);
    auto add = [&] {
        for (int i = 0; i < 10000; i++) value.fetch_add(1);
    };
    std::thread other(add);
    add();
    other.join();
    CHECK(value.load() == 20000);
}

static void another_type_is_refused() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    atoll::value<int>::create(test.segment, "v");
    THROWS(atoll::error, kind, "f32", atoll::value<float>::open(test.segment, "v"));
    THROWS(atoll::error, kind, "i32", atoll::value<unsigned>::open_or_create(test.segment, "v"));
    THROWS(atoll::error, kind, "mutex", atoll::mutex::open(test.segment, "v"));
    const auto taken = atoll::status::already_exists;
    THROWS(atoll::error, taken, "v", atoll::value<int>::create(test.segment, "v"));
    const auto missing = atoll::status::not_found;
    THROWS(atoll::error, missing, "w", atoll::value<int>::open(test.segment, "w"));
}

static void read_only_means_it() {
    test_segment test;
    atoll::value<int>::create(test.segment, "v").store(3);
    atoll::segment_options look;
    look.read_only = true;
    auto value = atoll::value<int>::open(atoll::segment::open(test.name(), look), "v");
    CHECK(value.load() == 3);
    THROWS(atoll::error, atoll::status::permission, "read-only", value.store(4));
    THROWS(atoll::error, atoll::status::permission, "read-only", value.fetch_add(1));
}

int main() {
    RUN(types_have_their_codes);
    RUN(load_store_exchange);
    RUN(compare_exchange);
    RUN(arithmetic);
    RUN(a_bool_is_one_of_two);
    RUN(structs_are_stored_whole);
    RUN(threads_lose_no_addition);
    RUN(another_type_is_refused);
    RUN(read_only_means_it);
    return any_failed;
}
