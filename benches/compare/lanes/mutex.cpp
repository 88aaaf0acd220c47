// mutex SEGMENT create
//
// Locks and unlocks as C++ programs do: what atoll.hpp can do in place, it does in place.
#include <optional>

#include "atoll.hpp"
#include "mutexes.h"

namespace {

std::optional<atoll::mutex> mutex;

void lock_ours(long operations) {
    atoll::mutex &ours = *mutex;
    while (operations-- > 0) {
        ours.lock();
        ours.unlock();
    }
}

void lock_peer(long operations) {
    pthread_mutex_t *peer = &shared->mutex;
    while (operations-- > 0) {
        pthread_mutex_lock(peer);
        pthread_mutex_unlock(peer);
    }
}

const lane_side sides[] = {
    {"ours", lock_ours, 500},
    {"peer", lock_peer, 500},
    {nullptr, nullptr, 0},
};

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: mutex SEGMENT create");
    mutexes_open(argv[1], argv[2]);
    mutex = atoll::mutex::open(atoll::segment::open(argv[1]), "ours");
    lane_serve(sides);
}
