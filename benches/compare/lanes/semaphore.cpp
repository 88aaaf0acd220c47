// semaphore SEGMENT create
//
// Acquires and releases as C++ programs do: what atoll.hpp can do in place, it does in place.
#include <optional>

#include "atoll.hpp"
#include "semaphores.h"

namespace {

std::optional<atoll::counting_semaphore> semaphore;

void take_ours(long operations) {
    atoll::counting_semaphore &ours = *semaphore;
    while (operations-- > 0) {
        ours.acquire();
        ours.release();
    }
}

void take_peer(long operations) {
    sem_t *peer = &shared->semaphore;
    while (operations-- > 0) {
        sem_wait(peer);
        sem_post(peer);
    }
}

const lane_side sides[] = {
    {"ours", take_ours, 500},
    {"peer", take_peer, 500},
    {nullptr, nullptr, 0},
};

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: semaphore SEGMENT create");
    semaphores_open(argv[1], argv[2]);
    semaphore = atoll::counting_semaphore::open(atoll::segment::open(argv[1]), "ours");
    lane_serve(sides);
}
