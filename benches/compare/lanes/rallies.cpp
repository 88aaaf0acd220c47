// rallies SEGMENT create|open
//
// A line of 64 bytes goes there and back, by two rings of ours. Who comes to "create" serves; it
// counts the rounds, and the other one as many returns. Both look again at once where nothing has
// come. A ball that is away when a slice ends is still away when the next one begins.
#include <optional>

#include "atoll.hpp"
#include "streams.h"

namespace {

struct line {
    std::uint64_t words[8];
};

std::optional<atoll::spsc<line>> there, back;
bool is_away;
std::uint64_t rounds;

long serve(long looks) {
    long done = 0;
    for (long i = 0; i < looks; i++) {
        if (!is_away) is_away = there->try_push({{++rounds}});
        if (const auto ball = back->try_pop()) {
            lane_need(ball->words[0] == rounds, "the ball that was served");
            is_away = false;
            done++;
        }
    }
    return done;
}

long give_back(long looks) {
    long done = 0;
    for (long i = 0; i < looks; i++) {
        if (const auto ball = there->try_pop()) {
            lane_need(back->try_push(*ball), "room");
            done++;
        }
    }
    return done;
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: rallies SEGMENT create|open");
    shared_open(argv[1], argv[2], 64);
    auto segment = atoll::segment::open(shared_name);
    there = atoll::spsc<line>::open_or_create(segment, "there", {64});
    back = atoll::spsc<line>::open_or_create(segment, "back", {64});
    stream_serve(shared_is_new ? serve : give_back);
}
