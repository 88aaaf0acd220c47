/// What an operation gives, or why it could not.
///
///     atoll::result<atoll::transaction> begun = atoll::transaction::begin(mutex);
///     if (!begun) return begun.error().status();
///     begun->store(total, 5);

#ifndef ATOLL_RESULT_HPP
#define ATOLL_RESULT_HPP

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

#include "variant.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// A success, kept as a Stored, or a failure.
template <class Stored>
class fallible {
public:
    bool has_value() const noexcept { return state_.index() == 0; }

    explicit operator bool() const noexcept {
        static_assert(!std::is_same_v<Stored, bool>,
                      "a result of bool as a condition could mean two things: ask has_value(), or "
                      "for the bool, value()");
        return has_value();
    }

    /// What went wrong. Something must have.
    const failure& error() const noexcept {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }

protected:
    explicit fallible(Stored&& success) : state_(std::in_place_index<0>, std::move(success)) {}
    fallible(const failure& what) : state_(std::in_place_index<1>, what) {}

    Stored& stored() noexcept {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }
    const Stored& stored() const noexcept {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }

    void expect_value() const {
        if (!has_value()) raise(error());
    }

private:
    std::variant<Stored, failure> state_;
};

}  // namespace detail

/// A T or a failure, in the shape of std::expected. value() throws the failure, or ends the program
/// where nothing may be thrown; operator* and operator-> must not be used on one.
template <class T>
class [[nodiscard]] result : public detail::fallible<T> {
public:
    using value_type = T;
    using error_type = failure;

    result(T success) : detail::fallible<T>(std::move(success)) {}
    result(const failure& what) : detail::fallible<T>(what) {}

    T& operator*() & noexcept { return this->stored(); }
    const T& operator*() const& noexcept { return this->stored(); }
    T&& operator*() && noexcept { return std::move(this->stored()); }
    T* operator->() noexcept { return &this->stored(); }
    const T* operator->() const noexcept { return &this->stored(); }

    T& value() & { return this->expect_value(), **this; }
    const T& value() const& { return this->expect_value(), **this; }
    T&& value() && { return this->expect_value(), *std::move(*this); }

    template <class Other>
    T value_or(Other&& other) const& {
        return this->has_value() ? **this : static_cast<T>(std::forward<Other>(other));
    }
    template <class Other>
    T value_or(Other&& other) && {
        return this->has_value() ? *std::move(*this) : static_cast<T>(std::forward<Other>(other));
    }

    /// A failure is equal to nothing.
    friend bool operator==(const result& left, const T& right) {
        return left.has_value() && *left == right;
    }
    friend bool operator!=(const result& left, const T& right) { return !(left == right); }
};

/// A reference or a failure.
template <class T>
class [[nodiscard]] result<T&> : public detail::fallible<T*> {
public:
    using value_type = T&;
    using error_type = failure;

    result(T& success) : detail::fallible<T*>(&success) {}
    result(const failure& what) : detail::fallible<T*>(what) {}

    T& operator*() const noexcept { return *this->stored(); }
    T* operator->() const noexcept { return this->stored(); }
    T& value() const { return this->expect_value(), **this; }
};

/// Success or a failure.
template <>
class [[nodiscard]] result<void> : public detail::fallible<std::monostate> {
public:
    using value_type = void;
    using error_type = failure;

    result() : fallible(std::monostate{}) {}
    result(const failure& what) : fallible(what) {}

    void operator*() const noexcept {}
    void value() const { expect_value(); }
};

/// What an operation that gives a T returns: the T, or in the variant without exceptions a result.
template <class T>
using outcome = std::conditional_t<detail::throws, T, result<T>>;

namespace detail {

/// The latest failure of a call in this thread.
inline failure last_failure() noexcept {
    atoll_error last;
    atoll_last_error(&last);
    return {static_cast<status>(last.status), last.text, last.os_errno};
}

inline result<void> check(atoll_status code) {
    if (code != ATOLL_OK) return last_failure();
    return {};
}

/// Every operation is written once, and gives a result. This makes of it what callers get.
struct settled {
    template <class T>
    using type = outcome<T>;

    template <class T>
    static outcome<T> from(result<T>&& given) {
        if constexpr (throws) return std::move(given).value();
        else return std::move(given);
    }
};

/// The same for operations that have no room for a failure.
struct certain {
    template <class T>
    using type = T;

    template <class T>
    static T from(result<T>&& given) {
        return std::move(given).value();
    }
};

template <class T>
outcome<T> settle(result<T>&& given) {
    return settled::from(std::move(given));
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
