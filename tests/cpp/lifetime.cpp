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
    const auto& in = test.segment;
    CHECK(OK(number::create(in, "n", 5)).load() == 5);
    CHECK(OK(number::create(in, nullptr, 6)).load() == 6);
    CHECK(OK(number::open_or_create(in, "n", 7)).load() == 5);
    CHECK(OK(number::open_or_create(in, "o", 8)).load() == 8);
    const auto place = OK(atoll::value<point>::create(in, nullptr, {1, 2}));
    CHECK(OK(place.load()).y == 2);
    CHECK(OK(atoll::value<bool>::create(in, nullptr, true)).load() == true);
    FAILS(atoll::status::already_exists, "n", number::create(test.segment, "n", 9));
}

static void names_can_be_removed() {
    test_segment test;
    const auto missing = atoll::status::not_found;
    const auto kind = atoll::status::wrong_kind;
    auto mutex = OK(atoll::mutex::create(test.segment, "m"));
    auto value = OK(atoll::value<int>::create(test.segment, "v", 5));
    const auto array = OK(atoll::array<int>::create(test.segment, "a", 3));
    FAILS(kind, "mutex", atoll::value<int>::remove(test.segment, "m"));
    OK(atoll::recursive_mutex::remove(test.segment, "m"));  // of either kind
    OK(atoll::value<int>::remove(test.segment, "v"));
    OK(atoll::array<int>::remove(test.segment, "a"));
    FAILS(missing, "m", atoll::mutex::remove(test.segment, "m"));
    FAILS(missing, "v", atoll::value<int>::open(test.segment, "v"));
    FAILS(missing, "a", atoll::array<int>::open(test.segment, "a"));
    OK(atoll::array<int>::create(test.segment, "m", 4));
    std::scoped_lock hold(mutex);
    value = value + 1;
    array[2] = value;
    CHECK(value.load() == 6 && array[2] == 6);
}

static void tickets_lead_to_the_same_object() {
    test_segment test;
    auto mutex = OK(atoll::mutex::create(test.segment));
    auto recursive = OK(atoll::recursive_mutex::create(test.segment));
    auto value = OK(atoll::value<int>::create(test.segment, nullptr, 5));
    auto array = OK(atoll::array<int>::create(test.segment, {2, 3}));
    auto same = OK(atoll::value<int>::import_ticket(OK(value.export_ticket())));
    OK(same.store(6));
    CHECK(value.load() == 6);
    const auto grid = OK(atoll::array<const int>::import_ticket(OK(array.export_ticket())));
    array(1, 2) = 7;
    CHECK(grid(1, 2) == 7 && grid.shape() == atoll::array<const int>::shape_type({2, 3}));
    auto lock = OK(atoll::mutex::import_ticket(OK(mutex.export_ticket())));
    auto again = OK(atoll::recursive_mutex::import_ticket(OK(recursive.export_ticket())));
    mutex.lock();
    FAILS(atoll::status::deadlock, "holds", lock.lock_recover());
    std::scoped_lock hold(again, recursive);
    mutex.unlock();
}

static void tickets_are_for_one_type() {
    test_segment test;
    const auto kind = atoll::status::wrong_kind;
    const auto mutex = OK(OK(atoll::mutex::create(test.segment)).export_ticket());
    const auto recursive = OK(OK(atoll::recursive_mutex::create(test.segment)).export_ticket());
    const auto value = OK(OK(atoll::value<int>::create(test.segment)).export_ticket());
    const auto array = OK(OK(atoll::array<int>::create(test.segment, 3)).export_ticket());
    const auto with_format = OK(OK(atoll::value<named>::create(test.segment)).export_ticket());
    FAILS(kind, "recursive", atoll::mutex::import_ticket(recursive));
    FAILS(kind, "recursive", atoll::recursive_mutex::import_ticket(mutex));
    FAILS(kind, "mutex", atoll::mutex::import_ticket(value));
    FAILS(kind, "value", atoll::value<int>::import_ticket(array));
    FAILS(kind, "array", atoll::array<int>::import_ticket(value));
    FAILS(kind, "type", atoll::array<float>::import_ticket(array));
    FAILS(kind, "type", atoll::value<other_name>::import_ticket(with_format));
    const auto again = OK(atoll::value<named>::create(test.segment));
    const auto found = OK(atoll::value<named>::import_ticket(OK(again.export_ticket())));
    CHECK(OK(found.load()).id == 0);
    const auto text = OK(atoll::value<std::array<char, 9>>::create(test.segment));
    const auto same =
        OK(atoll::value<std::array<char, 9>>::import_ticket(OK(text.export_ticket())));
    CHECK(OK(same.load())[8] == 0);
    const auto used_up = OK([] {
        const auto home = OK(atoll::segment::home());
        return OK(atoll::value<int>::create(home)).export_ticket();
    }());
    OK(atoll::value<int>::import_ticket(used_up));
    FAILS(atoll::status::not_found, "gone", atoll::value<int>::import_ticket(used_up));
    OK(atoll::process_leave());
}

static void a_ticket_goes_through_a_pipe() {
    static int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = start_victim(
        [](void*) {
            const auto home = OK(atoll::segment::home());
            const auto value = OK(atoll::value<point>::create(home, nullptr, {3, 4}));
            const atoll::ticket sent = OK(value.export_ticket());
            CHECK(write(ends[1], &sent, sizeof sent) == sizeof sent);
        },
        nullptr);
    atoll::ticket received;
    CHECK(read(ends[0], &received, sizeof received) == sizeof received);
    const auto value = OK(atoll::value<point>::import_ticket(received));
    kill_victim(child);
    CHECK(atoll::gc() == 0 && OK(value.load()).y == 4);
    close(ends[0]);
    close(ends[1]);
}

static void a_home_is_there_when_it_is_wanted() {
    {
        const auto home = OK(atoll::segment::home());
        const auto info = OK(home.info());
        const auto again = OK(OK(atoll::segment::home()).info());
        CHECK(info.ephemeral && info.name == std::string(again.name));
        CHECK(info.free <= info.committed);
    }
    OK(atoll::process_leave());
    const pid_t victim = start_victim([](void*) { OK(atoll::segment::home()); }, nullptr);
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
