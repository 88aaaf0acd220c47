/// A worker of the demo, in C++: takes chunks of the corpus, counts them, merges the counts.
///
///     worker SEGMENT NUMBER
///
/// layout.h says what lies in the segment. README.md says why no kill can make the totals wrong;
/// the numbers in brackets here are those of its table.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include <atoll.hpp>

#include "layout.h"

namespace {

using counts = std::array<std::uint64_t, CELLS>;

struct work {
    std::uint64_t ticket, chunk;
};

bool in_word(std::uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

class worker {
public:
    worker(const atoll::segment& segment, std::uint32_t number)
        : me(number),
          corpus(atoll::array<const std::uint8_t>::open(segment, "corpus")),
          chunks(atoll::array<std::uint8_t>::open(segment, "chunks")),
          totals(atoll::array<std::uint64_t>::open(segment, "counts", {CELLS})),
          mutex(atoll::mutex::open(segment, "lock")),
          next(atoll::value<std::uint64_t>::open(segment, "next")),
          armed(atoll::value<trap>::open(segment, "trap")),
          news(atoll::value<takeover>::open(segment, "takeover")) {}

    void run() {
        while (const auto work = take()) {
            const counts mine = count(work->chunk);
            merge(work->chunk, mine, wait_turn(work->ticket));
        }
    }

private:
    /// Takes a ticket, and finds the chunk to do for it; nothing if all chunks are merged.
    std::optional<work> take() {
        const std::uint64_t ticket = next.fetch_add(1);  // (1)
        if (ticket < chunks.size()) return work{ticket, ticket};

        // All are handed out. Those not merged yet are in work, or lost with somebody who was
        // killed. No need to know which: it does no harm to count a chunk twice, for one merges it.
        const auto tx = begin();
        const auto found = std::find(chunks.begin(), chunks.end(), TODO);
        if (found == chunks.end()) return std::nullopt;
        return work{ticket, static_cast<std::uint64_t>(found - chunks.begin())};
    }

    counts count(std::uint64_t chunk) const {
        const std::uint64_t length = (corpus.size() + chunks.size() - 1) / chunks.size();
        const auto begin = corpus.begin() + std::min(chunk * length, corpus.size());
        const auto end = begin + std::min<std::uint64_t>(length, corpus.end() - begin);

        counts mine{};
        std::for_each(begin, end, [&](std::uint8_t byte) { mine[byte]++; });

        // A word that reaches into the chunk belongs to an earlier one; one that begins here and
        // reaches out belongs here.
        const bool reaches_in = begin != corpus.begin() && in_word(begin[-1]);
        auto start = reaches_in ? std::find_if_not(begin, end, in_word) : begin;
        while ((start = std::find_if(start, end, in_word)) != end) {
            const auto stop = std::find_if_not(start, corpus.end(), in_word);
            mine[BYTES + std::min<std::ptrdiff_t>(stop - start, LONGEST) - 1]++;
            start = std::min(stop, end);
        }
        return mine;
    }

    /// Lets the worker go first that the demo wants to kill next. If this is the one, says after
    /// how many cells it is to stop; more than there are means later.
    std::optional<std::uint32_t> wait_turn(std::uint64_t ticket) const {
        for (;;) {
            const trap set = armed.load();
            if (set.worker == NOBODY || ticket < set.ticket) return std::nullopt;
            if (set.worker == me) return set.cells - spared;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    /// Adds my counts of a chunk to the totals, unless somebody has done so.
    void merge(std::uint64_t chunk, const counts& mine, std::optional<std::uint32_t> stop_after) {
        auto tx = begin();  // (2)
        if (chunks[chunk] != TODO) return;
        tx.modify(chunks, chunk);     // (3)
        tx.modify(totals, 0, CELLS);  // (4)
        chunks[chunk] = MERGING;      // (5)
        for (std::uint32_t cell = 0; cell < CELLS; cell++) {
            if (cell == stop_after) std::raise(SIGSTOP);  // and never comes back
            totals[cell] += mine[cell];
        }
        if (stop_after == CELLS) std::raise(SIGSTOP);
        chunks[chunk] = static_cast<std::uint8_t>(me);
        if (stop_after) spared += CELLS;
        tx.commit();  // (6)
    }

    /// Begins a transaction under the lock. Tells the demo, if it wants to know, that it has begun.
    atoll::transaction begin() {
        atoll::transaction tx(mutex);
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        takeover said = news.load();
        if (said.worker == NOBODY) {
            said.at_ns = std::chrono::nanoseconds(now).count();
            said.found = chunks[said.chunk];
            said.worker = me;
            news.store(said);
        }
        return tx;
    }

    const std::uint32_t me;
    atoll::array<const std::uint8_t> corpus;
    atoll::array<std::uint8_t> chunks;
    atoll::array<std::uint64_t> totals;
    atoll::mutex mutex;
    atoll::value<std::uint64_t> next;
    atoll::value<trap> armed;
    atoll::value<takeover> news;
    std::uint32_t spared = 0;  // cells merged since the demo wants to kill me
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: worker SEGMENT NUMBER; `make demo` starts it\n");
        return 2;
    }
    try {
        const auto segment = atoll::segment::open(argv[1]);
        worker(segment, std::stoul(argv[2])).run();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "worker.cpp: %s\n", problem.what());
        return 1;
    }
}
