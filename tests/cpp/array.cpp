// Arrays: span-like, any number of dimensions, nothing copied.

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "check.hpp"

#if __cplusplus >= 202002L
#include <ranges>
#include <span>
#endif

static void it_is_like_a_span() {
    test_segment test;
    const auto array = OK(atoll::array<int>::create(test.segment, "a", 100));
    CHECK(array.size() == 100 && array.size_bytes() == 400 && !array.empty());
    CHECK(std::all_of(array.begin(), array.end(), [](int i) { return i == 0; }));
    std::iota(array.begin(), array.end(), 0);
    int sum = 0;
    for (int& element : array) sum += element++;
    CHECK(sum == 4950 && array[0] == 1 && array.at(99) == 100 && array.data() == &array[0]);
    CHECK(array.front() == 1 && array.back() == 100 && *array.rbegin() == 100);
    CHECK(std::is_sorted(array.rbegin(), array.rend(), std::greater<>()));
    const auto same = OK(atoll::array<const int>::open(test.segment, "a"));
    CHECK(same[99] == 100);
}

static void it_has_parts() {
    test_segment test;
    const auto array = OK(atoll::array<int>::create(test.segment, 10));
    std::iota(array.begin(), array.end(), 0);
    CHECK(array.first(3).size() == 3 && array.first(3).back() == 2);
    CHECK(array.last(3).size() == 3 && array.last(3).front() == 7);
    CHECK(array.subspan(4).size() == 6 && array.subspan(4).front() == 4);
    CHECK(array.subspan(4, 2).size() == 2 && array.subspan(4, 2).back() == 5);
    CHECK(array.subspan(10).empty() && array.first(0).empty());
    const atoll::view<const int> seen = array.subspan(1);
    CHECK(seen.rank() == 1 && seen.extent(0) == 9 && &seen[0] == &array[1]);
    CHECK(&seen.first(5).last(2)(1) == &array[5]);
    CHECK(atoll::view<int>().empty());
}

#if __cplusplus >= 202002L
static_assert(std::ranges::contiguous_range<atoll::array<int>>);
static_assert(std::ranges::sized_range<atoll::array<int>>);
static_assert(!std::ranges::view<atoll::array<int>>);
static_assert(std::ranges::view<atoll::view<int>>);
static_assert(std::ranges::borrowed_range<atoll::view<int>>);
static_assert(!std::ranges::borrowed_range<atoll::array<int>>);

static void it_is_a_range_and_becomes_a_span() {
    test_segment test;
    const auto grid = OK(atoll::array<int>::create(test.segment, {10, 10}));
    std::ranges::generate(grid, [i = 0]() mutable { return i++; });
    const std::span<int> span = grid;
    CHECK(span.size() == 100 && span.back() == 99);
    const std::span<const int> row = grid.row(4);
    CHECK(row.size() == 10 && row.front() == 40);
    CHECK(*std::ranges::find(grid.row(5), 55) == 55);
    CHECK(std::ranges::count_if(grid, [](int i) { return i % 2 == 1; }) == 50);
}
#endif

static void it_has_dimensions() {
    test_segment test;
    const auto grid = OK(atoll::array<double>::create(test.segment, "grid", {3, 4, 5}));
    CHECK((grid.shape() == std::vector<std::uint64_t>{3, 4, 5}) && grid.size() == 60);
    CHECK(grid.rank() == 3 && grid.extent(0) == 3 && grid.extent(1) == 4 && grid.extent(2) == 5);
    grid(2, 3, 4) = 1;
    grid(1, 0, 2) = 2;
    CHECK(grid[59] == 1 && grid[22] == 2 && grid.at(1, 0, 2) == 2);
    CHECK(&grid(0, 0, 0) == grid.begin() && &grid(2, 3, 4) + 1 == grid.end());
#ifdef __cpp_multidimensional_subscript
    CHECK((&grid[1, 0, 2] == &grid(1, 0, 2)) && (&grid.row(1)[0, 2] == &grid(1, 0, 2)));
#endif
}

static void it_has_rows() {
    test_segment test;
    const auto grid = OK(atoll::array<int>::create(test.segment, {3, 4, 5}));
    std::iota(grid.begin(), grid.end(), 0);
    const auto plane = grid.row(2);
    CHECK(plane.rank() == 2 && plane.extent(0) == 4 && plane.extent(1) == 5 && plane.size() == 20);
    CHECK(&plane(1, 3) == &grid(2, 1, 3) && plane.at(1, 3) == grid.at(2, 1, 3));
    const auto row = plane.row(1);
    CHECK(row.rank() == 1 && row.size() == 5 && row.extent(0) == 5);
    CHECK(std::accumulate(row.begin(), row.end(), 0) == 45 + 46 + 47 + 48 + 49);
    for (int& cell : grid.row(0)) cell = -1;
    CHECK(std::count(grid.begin(), grid.end(), -1) == 20);
}

#ifdef ATOLL_NO_EXCEPTIONS
#define OUT_OF_RANGE(expression) ENDS("atoll::array: ", expression)
#else
#define OUT_OF_RANGE(expression) \
    CHECK(is_out_of_range([&] { static_cast<void>(expression); }) && "of range: " #expression)

template <class Body>
static bool is_out_of_range(Body body) {
    try {
        body();
        return false;
    } catch (const std::out_of_range& thrown) {
        return std::string(thrown.what()).find("atoll::array: ") == 0;
    }
}
#endif

static void checked_access_is_checked() {
    test_segment test;
    const auto grid = OK(atoll::array<int>::create(test.segment, {3, 4}));
    OUT_OF_RANGE(grid.at(12));
    OUT_OF_RANGE(grid.at(3, 0));
    OUT_OF_RANGE(grid.at(0, 4));
    OUT_OF_RANGE(grid.at(static_cast<std::size_t>(-1), 0));
    OUT_OF_RANGE(grid.at(0, 0, 0));
    OUT_OF_RANGE(grid.row(1).at(4));
    CHECK(&grid.at(11) == &grid.at(2, 3));
}

static void type_and_shape_are_checked() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    const auto grid = OK(atoll::array<float>::create(test.segment, "g", {2, 3}));
    CHECK(OK(atoll::array<float>::open(test.segment, "g", {2, 3})).data() != nullptr);
    const std::vector<std::uint64_t> shape{2, 3};
    CHECK(OK(atoll::array<float>::open(test.segment, "g", shape)).size() == 6);
    CHECK(OK(atoll::array<float>::open_or_create(test.segment, "g", {2, 3})).size() == 6);
    FAILS(kind, "f64", atoll::array<double>::open(test.segment, "g"));
    FAILS(kind, "3", atoll::array<float>::open(test.segment, "g", {3, 2}));
    FAILS(kind, "6", atoll::array<float>::open_or_create(test.segment, "g", {6}));
    FAILS(atoll::status::no_space, "",
           atoll::array<float>::create(test.segment, "h", {1 << 20}));
    FAILS(atoll::status::invalid_argument, "",
           atoll::array<float>::create(test.segment, "h", {}));
}

static void read_only_takes_const_elements() {
    test_segment test;
    OK(atoll::array<int>::create(test.segment, "a", {4}))[3] = 7;
    atoll::segment_options look;
    look.read_only = true;
    const auto watcher = OK(atoll::segment::open(test.name(), look));
    CHECK(OK(atoll::array<const int>::open(watcher, "a"))[3] == 7);
    FAILS(atoll::status::permission, "array<const T>",
           atoll::array<int>::open(watcher, "a"));
}

static void a_move_keeps_the_elements() {
    test_segment test;
    auto array = OK(atoll::array<char>::create(test.segment, {8}));
    array[0] = 'x';
    const auto moved = std::move(array);
    CHECK(moved[0] == 'x' && moved.size() == 8 && array.native_handle() == nullptr);
    CHECK(array.empty() && array.data() == nullptr && array.begin() == array.end());
    array = OK(atoll::array<char>::create(test.segment, {2, 3}));
    CHECK(array(1, 2) == 0 && array.row(1).size() == 3);
    auto& itself = array;  // by another name, for compilers that warn
    array = std::move(itself);
    CHECK(array.extent(0) == 2 && array(1, 2) == 0 && array.row(1).size() == 3);
    const auto again = std::move(array);
    FAILS(atoll::status::invalid_argument, "NULL", array.export_ticket());
}

struct cell {
    std::int64_t count;
    double mean;
};

static void structs_work() {
    test_segment test;
    const auto cells = OK(atoll::array<cell>::create(test.segment, "cells", {10}));
    cells[9].mean = 2.5;
    CHECK(OK(atoll::array<const cell>::open(test.segment, "cells", {10}))[9].mean == 2.5);
}

int main() {
    RUN(it_is_like_a_span);
    RUN(it_has_parts);
#if __cplusplus >= 202002L
    RUN(it_is_a_range_and_becomes_a_span);
#endif
    RUN(it_has_dimensions);
    RUN(it_has_rows);
    RUN(checked_access_is_checked);
    RUN(type_and_shape_are_checked);
    RUN(read_only_takes_const_elements);
    RUN(a_move_keeps_the_elements);
    RUN(structs_work);
    return any_failed;
}
