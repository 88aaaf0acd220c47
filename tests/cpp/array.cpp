// Arrays: span-like, any number of dimensions, nothing copied.

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "check.hpp"

#if __cplusplus >= 202002L
#include <span>
#endif

static void it_is_like_a_span() {
    test_segment test;
    const auto array = atoll::array<int>::create(test.segment, "a", 100);
    CHECK(array.size() == 100 && array.size_bytes() == 400 && !array.empty());
    CHECK(std::all_of(array.begin(), array.end(), [](int i) { return i == 0; }));
    std::iota(array.begin(), array.end(), 0);
    int sum = 0;
    for (int& element : array) sum += element++;
    CHECK(sum == 4950 && array[0] == 1 && array.at(99) == 100 && array.data() == &array[0]);
    const auto same = atoll::array<const int>::open(test.segment, "a");
    CHECK(same[99] == 100);
#if __cplusplus >= 202002L
    const std::span<int> span = array;
    CHECK(span.size() == 100 && span.back() == 100);
#endif
}

static void it_has_dimensions() {
    test_segment test;
    const auto grid = atoll::array<double>::create(test.segment, "grid", {3, 4, 5});
    CHECK((grid.shape() == std::vector<std::uint64_t>{3, 4, 5}) && grid.size() == 60);
    grid(2, 3, 4) = 1;
    grid(1, 0, 2) = 2;
    CHECK(grid[59] == 1 && grid[22] == 2 && grid.at(1, 0, 2) == 2);
    CHECK(&grid(0, 0, 0) == grid.begin() && &grid(2, 3, 4) + 1 == grid.end());
}

template <class Body>
static bool is_out_of_range(Body body) {
    try {
        body();
        return false;
    } catch (const std::out_of_range& thrown) {
        return std::string(thrown.what()).find("atoll::array") == 0;
    }
}

static void checked_access_throws() {
    test_segment test;
    const auto grid = atoll::array<int>::create(test.segment, {3, 4});
    CHECK(is_out_of_range([&] { grid.at(12); }));
    CHECK(is_out_of_range([&] { grid.at(3, 0); }));
    CHECK(is_out_of_range([&] { grid.at(0, 4); }));
    CHECK(is_out_of_range([&] { grid.at(static_cast<std::size_t>(-1), 0); }));
    CHECK(is_out_of_range([&] { grid.at(0, 0, 0); }));
    CHECK(&grid.at(11) == &grid.at(2, 3));
}

static void type_and_shape_are_checked() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    const auto grid = atoll::array<float>::create(test.segment, "g", {2, 3});
    CHECK(atoll::array<float>::open(test.segment, "g", {2, 3}).data() != nullptr);
    CHECK(atoll::array<float>::open(test.segment, "g", std::vector<std::uint64_t>{2, 3}).size() ==
          6);
    CHECK(atoll::array<float>::open_or_create(test.segment, "g", {2, 3}).size() == 6);
    THROWS(atoll::error, kind, "f64", atoll::array<double>::open(test.segment, "g"));
    THROWS(atoll::error, kind, "3", atoll::array<float>::open(test.segment, "g", {3, 2}));
    THROWS(atoll::error, kind, "6", atoll::array<float>::open_or_create(test.segment, "g", {6}));
    THROWS(atoll::error, atoll::status::no_space, "",
           atoll::array<float>::create(test.segment, "h", {1 << 20}));
    THROWS(atoll::error, atoll::status::invalid_argument, "",
           atoll::array<float>::create(test.segment, "h", {}));
}

static void read_only_takes_const_elements() {
    test_segment test;
    atoll::array<int>::create(test.segment, "a", {4})[3] = 7;
    atoll::segment_options look;
    look.read_only = true;
    const auto watcher = atoll::segment::open(test.name(), look);
    CHECK(atoll::array<const int>::open(watcher, "a")[3] == 7);
    THROWS(atoll::error, atoll::status::permission, "array<const T>",
           atoll::array<int>::open(watcher, "a"));
}

static void a_move_keeps_the_elements() {
    test_segment test;
    auto array = atoll::array<char>::create(test.segment, {8});
    array[0] = 'x';
    const auto moved = std::move(array);
    CHECK(moved[0] == 'x' && moved.size() == 8 && array.native_handle() == nullptr);
}

struct cell {
    std::int64_t count;
    double mean;
};

static void structs_work() {
    test_segment test;
    const auto cells = atoll::array<cell>::create(test.segment, "cells", {10});
    cells[9].mean = 2.5;
    CHECK(atoll::array<const cell>::open(test.segment, "cells", {10})[9].mean == 2.5);
}

int main() {
    RUN(it_is_like_a_span);
    RUN(it_has_dimensions);
    RUN(checked_access_throws);
    RUN(type_and_shape_are_checked);
    RUN(read_only_takes_const_elements);
    RUN(a_move_keeps_the_elements);
    RUN(structs_work);
    return any_failed;
}
