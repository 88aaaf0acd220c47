// Transfers between accounts that are complete or never happened, although processes are killed in
// the middle of them: 03_transfer.c in C++.
//
//   c++ -std=c++17 03_transfer.cpp -latoll -o transfer && ./transfer

#include <atoll.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <sys/wait.h>
#include <unistd.h>

constexpr int accounts_in_all = 10, children = 4, transfers = 1000;

struct bank {
    atoll::mutex guard;
    atoll::array<std::int64_t> accounts;
    atoll::value<std::int64_t> count;

    // Moves 1 from one account to another, and counts. Killed anywhere in here, it did nothing;
    // nor did it if something throws.
    void transfer(int from, int to, bool killed) {
        atoll::transaction transaction(guard);
        transaction.store(count, count.load() + 1);
        transaction.modify(accounts, from) -= 1;
        if (killed) kill(getpid(), SIGKILL);
        transaction.modify(accounts, to) += 1;
        transaction.commit();
    }
};

int main() try {
    const auto name = "atoll-example-transfer";
    const auto segment = atoll::segment::create(name);
    bank bank{
        atoll::mutex::create(segment, "guard"),
        atoll::array<std::int64_t>::create(segment, "accounts", accounts_in_all),
        atoll::value<std::int64_t>::create(segment, "count"),
    };
    for (auto& account : bank.accounts) account = 100;

    // Each child makes 1,000 transfers, but the first is killed in its 501st.
    for (int child = 0; child < children; child++) {
        if (fork() != 0) continue;
        for (int i = 0; i < transfers; i++) {
            bank.transfer((child + i) % accounts_in_all, (child + 3 * i + 1) % accounts_in_all,
                          child == 0 && i == 500);
        }
        std::exit(0);
    }
    while (wait(nullptr) > 0) {
    }

    // Readers hold the mutex, too: what the killed child did is put back by who takes it next, and
    // all the others may have been done by then.
    const atoll::transaction reading(bank.guard);
    const auto sum = std::accumulate(bank.accounts.begin(), bank.accounts.end(), std::int64_t{0});
    std::cout << bank.count.load() << " transfers; the sum is " << sum << '\n';
    atoll::segment::unlink(name);
    return 0;
} catch (const atoll::error& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
