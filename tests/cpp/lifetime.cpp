// How long objects live: initial values, removal, tickets, homes.

#include <array>
#include <mutex>
#include <type_traits>
#include <utility>

#include "check.hpp"

namespace {
struct point {
    double x, y;
};
struct named {
    std::int32_t id;
};
struct other_name {
    std::int32_t id;
};
}  // namespace

template <>
inline constexpr const char* libatoll::format<named> = "T{<i:id:}";
template <>
inline constexpr const char* libatoll::format<other_name> = "T{<i:other:}";

static_assert(std::is_trivially_copyable_v<atoll::ticket>);

static void values_can_begin_with_something() {
    test_segment test;
    using number = atoll::value<std::int64_t>;
    CHECK(number::create(test.segment, "n", 5).load() == 5);
    CHECK(number::create(test.segment, nullptr, 6).load() == 6);
    CHECK(number::open_or_create(test.segment, "n", 7).load() == 5);
    CHECK(number::open_or_create(test.segment, "o", 8).load() == 8);
    CHECK(atoll::value<point>::create(test.segment, nullptr, {1, 2}).load().y == 2);
    CHECK(atoll::value<bool>::create(test.segment, nullptr, true).load());
    THROWS(atoll::error, atoll::status::already_exists, "n", number::create(test.segment, "n", 9));
}

static void names_can_be_removed() {
    test_segment test;
    const auto missing = atoll::status::not_found;
    const auto kind = atoll::status::wrong_kind;
    auto mutex = atoll::mutex::create(test.segment, "m");
    auto value = atoll::value<int>::create(test.segment, "v", 5);
    const auto array = atoll::array<int>::create(test.segment, "a", 3);
    THROWS(atoll::error, kind, "mutex", atoll::value<int>::remove(test.segment, "m"));
    atoll::recursive_mutex::remove(test.segment, "m");  // of either kind
    atoll::value<int>::remove(test.segment, "v");
    atoll::array<int>::remove(test.segment, "a");
    THROWS(atoll::error, missing, "m", atoll::mutex::remove(test.segment, "m"));
    THROWS(atoll::error, missing, "v", atoll::value<int>::open(test.segment, "v"));
    THROWS(atoll::error, missing, "a", atoll::array<int>::open(test.segment, "a"));
    atoll::array<int>::create(test.segment, "m", 4);
    std::scoped_lock hold(mutex);
    value.store(value.load() + 1);
    array[2] = value.load();
    CHECK(value.load() == 6 && array[2] == 6);
}

static void tickets_lead_to_the_same_object() {
    test_segment test;
    auto mutex = atoll::mutex::create(test.segment);
    auto recursive = atoll::recursive_mutex::create(test.segment);
    auto value = atoll::value<int>::create(test.segment, nullptr, 5);
    auto array = atoll::array<int>::create(test.segment, {2, 3});
    auto same = atoll::value<int>::import_ticket(value.export_ticket());
    same.store(6);
    CHECK(value.load() == 6);
    const auto grid = atoll::array<const int>::import_ticket(array.export_ticket());
    array(1, 2) = 7;
    CHECK(grid(1, 2) == 7 && grid.shape() == atoll::array<const int>::shape_type({2, 3}));
    auto lock = atoll::mutex::import_ticket(mutex.export_ticket());
    auto again = atoll::recursive_mutex::import_ticket(recursive.export_ticket());
    mutex.lock();
    THROWS(atoll::error, atoll::status::deadlock, "", lock.lock());
    std::scoped_lock hold(again, recursive);
    mutex.unlock();
}

static void tickets_are_for_one_type() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    const auto mutex = atoll::mutex::create(test.segment).export_ticket();
    const auto recursive = atoll::recursive_mutex::create(test.segment).export_ticket();
    const auto value = atoll::value<int>::create(test.segment).export_ticket();
    const auto array = atoll::array<int>::create(test.segment, 3).export_ticket();
    const auto with_format = atoll::value<named>::create(test.segment).export_ticket();
    THROWS(atoll::error, kind, "recursive", atoll::mutex::import_ticket(recursive));
    THROWS(atoll::error, kind, "recursive", atoll::recursive_mutex::import_ticket(mutex));
    THROWS(atoll::error, kind, "mutex", atoll::mutex::import_ticket(value));
    THROWS(atoll::error, kind, "value", atoll::value<int>::import_ticket(array));
    THROWS(atoll::error, kind, "array", atoll::array<int>::import_ticket(value));
    THROWS(atoll::error, kind, "type", atoll::array<float>::import_ticket(array));
    THROWS(atoll::error, kind, "type", atoll::value<other_name>::import_ticket(with_format));
    const auto again = atoll::value<named>::create(test.segment);
    CHECK(atoll::value<named>::import_ticket(again.export_ticket()).load().id == 0);
    const auto text = atoll::value<std::array<char, 9>>::create(test.segment);
    CHECK((atoll::value<std::array<char, 9>>::import_ticket(text.export_ticket()).load()[8] == 0));
    THROWS(atoll::error, atoll::status::not_found, "gone", atoll::value<int>::import_ticket([] {
               const auto home = atoll::segment::home();
               atoll::ticket copy = atoll::value<int>::create(home).export_ticket();
               atoll::value<int>::import_ticket(copy);
               return copy;
           }()));
    atoll::process_leave();
}

static void a_ticket_goes_through_a_pipe() {
    static int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = start_victim(
        [](void*) {
            const auto home = atoll::segment::home();
            const atoll::ticket sent =
                atoll::value<point>::create(home, nullptr, {3, 4}).export_ticket();
            CHECK(write(ends[1], &sent, sizeof sent) == sizeof sent);
        },
        nullptr);
    atoll::ticket received;
    CHECK(read(ends[0], &received, sizeof received) == sizeof received);
    const auto value = atoll::value<point>::import_ticket(received);
    kill_victim(child);
    CHECK(atoll::gc() == 0 && value.load().y == 4);
    close(ends[0]);
    close(ends[1]);
}

static void a_home_is_there_when_it_is_wanted() {
    {
        const auto home = atoll::segment::home();
        const std::string name = home.info().name;
        CHECK(home.info().ephemeral && name == atoll::segment::home().info().name);
        CHECK(home.info().free <= home.info().committed);
    }
    atoll::process_leave();
    const pid_t victim = start_victim([](void*) { atoll::segment::home(); }, nullptr);
    CHECK(atoll::gc() == 0);
    kill_victim(victim);
    CHECK(atoll::gc() == 1);
}

int main() {
    RUN(values_can_begin_with_something);
    RUN(names_can_be_removed);
    RUN(tickets_lead_to_the_same_object);
    RUN(tickets_are_for_one_type);
    RUN(a_ticket_goes_through_a_pipe);
    RUN(a_home_is_there_when_it_is_wanted);
    return any_failed;
}
