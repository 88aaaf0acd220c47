// Transactions: what RAII, exceptions and types add to those of C.

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>
#include <type_traits>
#include <utility>

#include "check.hpp"

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
    atoll::mutex mutex = atoll::mutex::create(test.segment, "m");
    atoll::recursive_mutex other = atoll::recursive_mutex::create(test.segment, "r");
    atoll::value<std::int64_t> left = atoll::value<std::int64_t>::create(test.segment, "left", 10);
    atoll::value<block> large = atoll::value<block>::create(test.segment, "large", {'a'});
    atoll::array<int> accounts = atoll::array<int>::create(test.segment, "accounts", {10, 10});

    bank() { std::iota(accounts.begin(), accounts.end(), 0); }

    void change(atoll::transaction& transaction) {
        transaction.store(left, 11);
        transaction.store(large, {'b'});
        transaction.modify(accounts, 7) = -7;
        for (int& account : transaction.modify(accounts, 20, 80)) account = -1;
    }

    bool is_as_before() const {
        int sum = 0;
        for (int i = 0; i < 100; i++) sum += accounts[i] == i;
        return left.load() == 10 && large.load()[0] == 'a' && sum == 100;
    }

    bool is_as_after() const {
        return left.load() == 11 && large.load()[0] == 'b' && accounts[7] == -7 &&
               accounts[8] == 8 && std::count(accounts.begin(), accounts.end(), -1) == 80;
    }
};

template <class Mutex>
static bool is_free(Mutex& mutex) {
    const bool got = mutex.try_lock();
    if (got) mutex.unlock();
    return got;
}

static void a_commit_makes_everything_so() {
    bank bank;
    {
        atoll::transaction transaction(bank.mutex, bank.other);
        THROWS(atoll::error, atoll::status::deadlock, "transaction", bank.mutex.unlock());
        THROWS(atoll::error, atoll::status::deadlock, "transaction", bank.other.lock());
        bank.change(transaction);
        CHECK(!transaction.owner_died());
        transaction.commit();
        CHECK(is_free(bank.mutex) && is_free(bank.other));
        THROWS(atoll::error, atoll::status::invalid_argument, "NULL", transaction.commit());
        THROWS(atoll::error, atoll::status::invalid_argument, "NULL", bank.change(transaction));
    }
    CHECK(bank.is_as_after());
}

static void without_one_everything_is_undone() {
    bank bank;
    {
        atoll::transaction transaction(bank.mutex);
        bank.change(transaction);
    }
    CHECK(bank.is_as_before() && is_free(bank.mutex));
    atoll::transaction transaction(bank.mutex);
    bank.change(transaction);
    CHECK(bank.is_as_after());
    transaction.abort();
    CHECK(bank.is_as_before() && is_free(bank.mutex));
    try {
        atoll::transaction unlucky(bank.mutex);
        bank.change(unlucky);
        throw 7;
    } catch (int) {
        CHECK(bank.is_as_before() && is_free(bank.mutex));
    }
}

static void it_can_be_moved_and_keeps_going() {
    bank bank;
    atoll::transaction first(bank.mutex);
    THROWS(atoll::error, atoll::status::invalid_argument, "nest", atoll::transaction(bank.other));
    atoll::transaction second = std::move(first);
    CHECK(first.native_handle() == nullptr && second.native_handle() != nullptr);
    bank.change(second);
    second.commit();
    CHECK(bank.is_as_after());
    second = atoll::transaction(bank.other);
    second.store(bank.left, 12);
    second.abort();
    CHECK(bank.is_as_after());
}

static void what_is_lent_is_like_a_span() {
    bank bank;
    atoll::transaction transaction(bank.mutex);
    const auto row = transaction.modify(bank.accounts, 30, 10);
    CHECK(row.size() == 10 && !row.empty() && row.data() == &bank.accounts(3, 0));
    CHECK(row.end() - row.begin() == 10 && row[9] == 39);
    CHECK(&transaction.modify(bank.accounts, 99) == &bank.accounts(9, 9));
#if __cplusplus >= 202002L
    const std::span<int> span = row;
    CHECK(span.size() == 10 && span.front() == 30);
#endif
    const auto wrong = atoll::status::invalid_argument;
    THROWS(atoll::error, wrong, "100", transaction.modify(bank.accounts, 100));
    THROWS(atoll::error, wrong, "100", transaction.modify(bank.accounts, 95, 6));
}

static void a_mutex_that_is_taken_is_waited_for() {
    bank bank;
    const auto refused = [&](auto timeout) {
        return !atoll::transaction::try_for(timeout, bank.mutex, bank.other);
    };
    bank.other.lock();
    std::thread([&] {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(refused(0s) && refused(-1h) && refused(20ms) && is_free(bank.mutex));
        CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
    }).join();
    std::thread waiter([&] {
        auto begun = atoll::transaction::try_for(std::chrono::hours::max(), bank.other, bank.mutex);
        CHECK(begun.has_value());
        begun->store(bank.left, 11);
        begun->commit();
    });
    std::this_thread::sleep_for(10ms);
    bank.other.unlock();
    waiter.join();
    CHECK(bank.left.load() == 11);
}

static void misuse_is_noticed() {
    bank bank, elsewhere;
    const auto twice = atoll::status::invalid_argument;
    THROWS(atoll::error, twice, "twice", atoll::transaction(bank.mutex, bank.mutex));
    THROWS(atoll::error, atoll::status::wrong_segment, "one segment",
           atoll::transaction(bank.mutex, elsewhere.mutex));
    {
        std::lock_guard hold(bank.mutex);
        THROWS(atoll::error, atoll::status::deadlock, "holds", atoll::transaction(bank.mutex));
    }
    atoll::transaction transaction(bank.mutex);
    THROWS(atoll::error, atoll::status::wrong_segment, "one segment",
           transaction.store(elsewhere.left, 1));
    THROWS(atoll::error, atoll::status::wrong_segment, "one segment",
           transaction.modify(elsewhere.accounts, 1));
    std::thread([&] {
        THROWS(atoll::error, atoll::status::invalid_argument, "another thread",
               transaction.store(bank.left, 1));
    }).join();
    bank.change(transaction);
    transaction.commit();  // none of that has hurt it
    CHECK(bank.is_as_after() && elsewhere.is_as_before());
}

static void a_killed_process_leaves_nothing_half_done() {
    bank bank;
    const pid_t victim = start_victim(
        [](void* given) {
            auto& bank = *static_cast<struct bank*>(given);
            static std::optional<atoll::transaction> open;
            open.emplace(bank.mutex, bank.other);
            bank.change(*open);
            CHECK(bank.is_as_after());
        },
        &bank);
    kill_victim(victim);
    {
        atoll::transaction next(bank.other);  // which undoes all of it, and is no news
        CHECK(bank.is_as_before());
    }
    THROWS(atoll::owner_died, atoll::status::owner_died, "lock_recover", bank.mutex.lock());
    CHECK(bank.is_as_before());
}

static void an_owner_that_died_outside_is_told() {
    bank bank;
    const pid_t victim = start_victim(
        [](void* mutex) { static_cast<atoll::mutex*>(mutex)->lock(); }, &bank.mutex);
    kill_victim(victim);
    const auto died = atoll::status::owner_died;
    const std::string pid = std::to_string(victim);
    THROWS(atoll::owner_died, died, pid.c_str(), atoll::transaction(bank.mutex));
    THROWS(atoll::owner_died, died, "recover", atoll::transaction(bank.other, bank.mutex));
    THROWS(atoll::owner_died, died, "recover", atoll::transaction::try_for(1s, bank.mutex));
    CHECK(is_free(bank.other));  // each gave it back
    {
        auto repair = atoll::transaction::recover(bank.other, bank.mutex);
        CHECK(repair.owner_died() && bank.mutex.dead_owner() && !bank.other.dead_owner());
        bank.mutex.mark_consistent();
    }  // undone, and the mark with it
    auto repair = atoll::transaction::recover(bank.mutex, bank.other);
    CHECK(repair.owner_died());
    bank.change(repair);
    bank.mutex.mark_consistent();
    repair.commit();
    CHECK(bank.is_as_after() && is_free(bank.mutex));
    CHECK(!atoll::transaction::recover(bank.mutex).owner_died());
}

static void a_forked_child_does_not_have_it() {
    static bank* shared;
    bank bank;
    shared = &bank;
    atoll::transaction transaction(bank.mutex);
    bank.change(transaction);
    in_child(
        [](void* given) {
            auto& parents = *static_cast<atoll::transaction*>(given);
            const auto not_owner = atoll::status::not_owner;
            THROWS(atoll::error, not_owner, "parent", parents.store(shared->left, 1));
            THROWS(atoll::error, not_owner, "parent", parents.commit());
            atoll::transaction ours(shared->other);
            ours.store(shared->left, 12);
        },
        &transaction);
    CHECK(bank.left.load() == 11);
    transaction.abort();
    CHECK(bank.is_as_before());
}

int main() {
    RUN(a_commit_makes_everything_so);
    RUN(without_one_everything_is_undone);
    RUN(it_can_be_moved_and_keeps_going);
    RUN(what_is_lent_is_like_a_span);
    RUN(a_mutex_that_is_taken_is_waited_for);
    RUN(misuse_is_noticed);
    RUN(a_killed_process_leaves_nothing_half_done);
    RUN(an_owner_that_died_outside_is_told);
    RUN(a_forked_child_does_not_have_it);
    return any_failed;
}
