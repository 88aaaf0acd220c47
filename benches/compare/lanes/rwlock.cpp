// rwlock SEGMENT create|open
//
// Locks for reading and unlocks as C++ programs do: atoll.hpp does it in place.
#include <optional>

#include "atoll.hpp"
#include "rwlocks.h"

namespace {

std::optional<atoll::shared_mutex> lock;

void read_ours(long operations) {
    atoll::shared_mutex &reader = *lock;
    while (operations-- > 0) {
        reader.lock_shared();
        reader.unlock_shared();
    }
}

void read_peer(long operations) {
    while (operations-- > 0) {
        pthread_rwlock_rdlock(peer);
        pthread_rwlock_unlock(peer);
    }
}

const lane_side sides[] = {
    {"ours", read_ours, 500},
    {"peer", read_peer, 500},
    {nullptr, nullptr, 0},
};

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: rwlock SEGMENT create|open");
    rwlocks_open(argv[1], argv[2]);
    lock = atoll::shared_mutex::open(atoll::segment::open(argv[1]), "ours");
    lane_serve(sides);
}
