// Transactions: what RAII, exceptions and types add to those of C.

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>
#include <type_traits>
#include <utility>

#include "others.hpp"

#if __cplusplus >= 202002L
#include <span>
#endif

using namespace std::chrono_literals;

static_assert(!std::is_default_constructible_v<atoll::transaction>);
static_assert(!std::is_copy_constructible_v<atoll::transaction>);
static_assert(std::is_nothrow_move_constructible_v<atoll::transaction>);
static_assert(std::is_nothrow_destructible_v<atoll::transaction>);
static_assert(std::is_constructible_v<atoll::transaction, atoll::mutex&, atoll::recursive_mutex&>);
static_assert(!std::is_constructible_v<atoll::transaction, const atoll::mutex&>);

using block = std::array<char, 24>;

// Two mutexes, and what they guard.
struct bank {
    test_segment test;
    using number = atoll::value<std::int64_t>;
    atoll::mutex mutex = OK(atoll::mutex::create(test.segment, "m"));
    atoll::recursive_mutex other = OK(atoll::recursive_mutex::create(test.segment, "r"));
    number left = OK(number::create(test.segment, "left", 10));
    atoll::value<block> large = OK(atoll::value<block>::create(test.segment, "large", {'a'}));
    atoll::array<int> accounts = OK(atoll::array<int>::create(test.segment, "accounts", {10, 10}));

    bank() { std::iota(accounts.begin(), accounts.end(), 0); }

    void change(atoll::transaction& transaction) {
        OK(transaction.store(left, 11));
        OK(transaction.store(large, {'b'}));
        OK(transaction.modify(accounts, 7)) = -7;
        for (int& account : OK(transaction.modify(accounts, 20, 80))) account = -1;
    }

    bool is_as_before() const {
        int sum = 0;
        for (int i = 0; i < 100; i++) sum += accounts[i] == i;
        return left.load() == 10 && OK(large.load())[0] == 'a' && sum == 100;
    }

    bool is_as_after() const {
        return left.load() == 11 && OK(large.load())[0] == 'b' && accounts[7] == -7 &&
               accounts[8] == 8 && std::count(accounts.begin(), accounts.end(), -1) == 80;
    }
};

// Begins one, in the way that can fail in this variant.
template <class... Mutexes>
static auto begin(Mutexes&... mutexes) {
#ifdef ATOLL_NO_EXCEPTIONS
    return atoll::transaction::begin(mutexes...);
#else
    return atoll::transaction(mutexes...);
#endif
}

static void a_commit_makes_everything_so() {
    bank bank;
    {
        auto transaction = OK(begin(bank.mutex, bank.other));
        FAILS(atoll::status::deadlock, "transaction", bank.mutex.lock_recover());
        FAILS(atoll::status::deadlock, "transaction", bank.other.lock_recover());
        bank.change(transaction);
        CHECK(!transaction.owner_died());
        OK(transaction.commit());
        CHECK(is_free(bank.mutex) && is_free(bank.other));
        FAILS(atoll::status::invalid_argument, "NULL", transaction.commit());
        FAILS(atoll::status::invalid_argument, "NULL", transaction.store(bank.left, 1));
    }
    CHECK(bank.is_as_after());
}

static void without_one_everything_is_undone() {
    bank bank;
    {
        auto transaction = OK(begin(bank.mutex));
        bank.change(transaction);
    }
    CHECK(bank.is_as_before() && is_free(bank.mutex));
    auto transaction = OK(begin(bank.mutex));
    bank.change(transaction);
    CHECK(bank.is_as_after());
    OK(transaction.abort());
    CHECK(bank.is_as_before() && is_free(bank.mutex));
#ifndef ATOLL_NO_EXCEPTIONS
    try {
        auto unlucky = OK(begin(bank.mutex));
        bank.change(unlucky);
        throw 7;
    } catch (int) {
        CHECK(bank.is_as_before() && is_free(bank.mutex));
    }
#endif
}

static void it_can_be_moved_and_keeps_going() {
    bank bank;
    auto first = OK(begin(bank.mutex));
    FAILS(atoll::status::invalid_argument, "nest", begin(bank.other));
    atoll::transaction second = std::move(first);
    CHECK(first.native_handle() == nullptr && second.native_handle() != nullptr);
    bank.change(second);
    OK(second.commit());
    CHECK(bank.is_as_after());
    second = OK(begin(bank.other));
    OK(second.store(bank.left, 12));
    OK(second.abort());
    CHECK(bank.is_as_after());
}

static void what_is_lent_is_like_a_span() {
    bank bank;
    auto transaction = OK(begin(bank.mutex));
    const atoll::view<int> row = OK(transaction.modify(bank.accounts, 30, 10));
    CHECK(row.size() == 10 && !row.empty() && row.data() == &bank.accounts(3, 0));
    CHECK(row.end() - row.begin() == 10 && row[9] == 39 && row.rank() == 1);
    CHECK(&OK(transaction.modify(bank.accounts, 99)) == &bank.accounts(9, 9));
#if __cplusplus >= 202002L
    const std::span<int> span = row;
    CHECK(span.size() == 10 && span.front() == 30);
#endif
    const auto wrong = atoll::status::invalid_argument;
    FAILS(wrong, "100", transaction.modify(bank.accounts, 100));
    FAILS(wrong, "100", transaction.modify(bank.accounts, 95, 6));
}

static void a_mutex_that_is_taken_is_waited_for() {
    bank bank;
    const auto refused = [&](auto timeout) {
        return !OK(atoll::transaction::try_for(timeout, bank.mutex, bank.other));
    };
    bank.other.lock();
    std::thread([&] {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(refused(0s) && refused(-1h) && refused(20ms) && is_free(bank.mutex));
        CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
    }).join();
    std::thread waiter([&] {
        auto begun =
            OK(atoll::transaction::try_for(std::chrono::hours::max(), bank.other, bank.mutex));
        CHECK(begun.has_value());
        OK(begun->store(bank.left, 11));
        OK(begun->commit());
    });
    std::this_thread::sleep_for(10ms);
    bank.other.unlock();
    waiter.join();
    CHECK(bank.left.load() == 11);
}

static void it_begins_without_exceptions() {
    bank bank;
    {
        atoll::result<atoll::transaction> begun = atoll::transaction::begin(bank.mutex, bank.other);
        CHECK(begun && !begun->owner_died());
        bank.change(*begun);
        OK(begun->commit());
        CHECK(bank.is_as_after());
    }
    std::lock_guard hold(bank.mutex);
    const auto begun = atoll::transaction::begin(bank.mutex, bank.other);
    CHECK(!begun && begun.error().status() == atoll::status::deadlock);
    CHECK(helps(begun.error().sentence(), "holds"));
}

static void waits_have_an_end() {
    bank bank;
    bank.other.lock();
    std::thread([&] {
        const auto deadline = std::chrono::system_clock::now() + 20ms;
        CHECK(!OK(atoll::transaction::try_until(deadline, bank.mutex, bank.other)));
        CHECK(std::chrono::system_clock::now() >= deadline);
        CHECK(time_of([&] {
                  CHECK(!OK(atoll::transaction::try_recover_for(20ms, bank.other)));
              }) >= 20ms);
        const auto later = std::chrono::system_clock::now() + 20ms;
        CHECK(!OK(atoll::transaction::try_recover_until(later, bank.other)));
        CHECK(std::chrono::system_clock::now() >= later && is_free(bank.mutex));
    }).join();
    bank.other.unlock();
    const auto soon = std::chrono::steady_clock::now() + 1h;
    auto open = OK(atoll::transaction::try_until(soon, bank.mutex));
    OK(open->store(bank.large, {'b'}));
    std::thread([&] {
        const auto refused = [](auto wait) { return time_of([&] { CHECK(!OK(wait())); }); };
        const auto deadline = [] { return std::chrono::steady_clock::now() + 20ms; };
        auto& large = bank.large;
        CHECK(refused([&] { return large.try_store_for({'c'}, 20ms); }) >= 20ms);
        CHECK(refused([&] { return large.try_store_until({'c'}, deadline()); }) >= 20ms);
        auto other = OK(atoll::transaction::try_recover_for(1h, bank.other));
        CHECK(refused([&] { return other->try_store_for(large, {'c'}, 20ms); }) >= 20ms);
        CHECK(refused([&] { return other->try_store_until(large, {'c'}, deadline()); }) >= 20ms);
        CHECK(OK(other->try_store_for(bank.left, 11, 0s)) == true);
        OK(other->commit());
    }).join();
    OK(open->abort());
    CHECK(OK(bank.large.try_store_for({'b'}, 0s)) == true && bank.left.load() == 11);
}

static void misuse_is_noticed() {
    bank bank, elsewhere;
    const auto twice = atoll::status::invalid_argument;
    FAILS(twice, "twice", begin(bank.mutex, bank.mutex));
    FAILS(atoll::status::wrong_segment, "one segment",
           begin(bank.mutex, elsewhere.mutex));
    {
        std::lock_guard hold(bank.mutex);
        FAILS(atoll::status::deadlock, "holds", begin(bank.mutex));
    }
    auto transaction = OK(begin(bank.mutex));
    FAILS(atoll::status::wrong_segment, "one segment",
           transaction.store(elsewhere.left, 1));
    FAILS(atoll::status::wrong_segment, "one segment",
           transaction.modify(elsewhere.accounts, 1));
    std::thread([&] {
        FAILS(atoll::status::invalid_argument, "another thread",
               transaction.store(bank.left, 1));
    }).join();
    bank.change(transaction);
    OK(transaction.commit());  // none of that has hurt it
    CHECK(bank.is_as_after() && elsewhere.is_as_before());
}

static void a_killed_process_leaves_nothing_half_done() {
    bank bank;
    const pid_t victim = start_victim(
        [](void* given) {
            auto& bank = *static_cast<struct bank*>(given);
            static std::optional<atoll::transaction> open;
            open = OK(begin(bank.mutex, bank.other));
            bank.change(*open);
            CHECK(bank.is_as_after());
        },
        &bank);
    kill_victim(victim);
    {
        auto next = OK(begin(bank.other));  // which undoes all of it, and is no news
        CHECK(bank.is_as_before());
    }
    CHECK(OK(bank.mutex.lock_recover()));
    bank.mutex.unlock();
    CHECK(bank.is_as_before());
}

static void an_owner_that_died_outside_is_told() {
    bank bank;
    const pid_t victim = start_victim(
        [](void* mutex) { static_cast<atoll::mutex*>(mutex)->lock(); }, &bank.mutex);
    kill_victim(victim);
    const auto died = atoll::status::owner_died;
    const std::string pid = std::to_string(victim);
    FAILS(died, pid.c_str(), begin(bank.mutex));
    FAILS(died, "recover", begin(bank.other, bank.mutex));
    FAILS(died, "recover", atoll::transaction::try_for(1s, bank.mutex));
    CHECK(is_free(bank.other));  // each gave it back
    CHECK(OK(atoll::transaction::try_recover_for(1s, bank.mutex))->owner_died());
    const auto soon = std::chrono::steady_clock::now() + 1h;
    CHECK(OK(atoll::transaction::try_recover_until(soon, bank.mutex))->owner_died());
    {
        auto repair = OK(atoll::transaction::recover(bank.other, bank.mutex));
        CHECK(repair.owner_died() && OK(bank.mutex.dead_owner()));
        CHECK(!OK(bank.other.dead_owner()));
        OK(bank.mutex.mark_consistent());
    }  // undone, and the mark with it
    auto repair = OK(atoll::transaction::recover(bank.mutex, bank.other));
    CHECK(repair.owner_died());
    bank.change(repair);
    OK(bank.mutex.mark_consistent());
    OK(repair.commit());
    CHECK(bank.is_as_after() && is_free(bank.mutex));
    CHECK(!OK(atoll::transaction::recover(bank.mutex)).owner_died());
}

static void a_forked_child_does_not_have_it() {
    static bank* shared;
    bank bank;
    shared = &bank;
    auto transaction = OK(begin(bank.mutex));
    bank.change(transaction);
    in_child(
        [](void* given) {
            auto& parents = *static_cast<atoll::transaction*>(given);
            const auto not_owner = atoll::status::not_owner;
            FAILS(not_owner, "parent", parents.store(shared->left, 1));
            FAILS(not_owner, "parent", parents.commit());
            auto ours = OK(begin(shared->other));
            OK(ours.store(shared->left, 12));
        },
        &transaction);
    CHECK(bank.left.load() == 11);
    OK(transaction.abort());
    CHECK(bank.is_as_before());
}

int main() {
    RUN(a_commit_makes_everything_so);
    RUN(without_one_everything_is_undone);
    RUN(it_can_be_moved_and_keeps_going);
    RUN(what_is_lent_is_like_a_span);
    RUN(a_mutex_that_is_taken_is_waited_for);
    RUN(it_begins_without_exceptions);
    RUN(waits_have_an_end);
    RUN(misuse_is_noticed);
    RUN(a_killed_process_leaves_nothing_half_done);
    RUN(an_owner_that_died_outside_is_told);
    RUN(a_forked_child_does_not_have_it);
    return any_failed;
}
