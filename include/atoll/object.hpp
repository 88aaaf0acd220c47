/// What every object in a segment has, whatever it is for: a name that can be removed, tickets, a C
/// handle. Nothing else here is meant for users.

#ifndef ATOLL_OBJECT_HPP
#define ATOLL_OBJECT_HPP

#include <cstdint>
#include <type_traits>
#include <utility>

#include "segment.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

template <class T>
T* what_closes(atoll_status (*)(T*));

/// The base of an object: Self is its class, the others are the C functions of its noun.
template <class Self, auto Close, auto Remove, auto Export, auto Import>
class object {
    using c_object = std::remove_pointer_t<decltype(what_closes(Close))>;

public:
    /// Removes the name. Whoever has it open goes on using it.
    static outcome<void> remove(const segment& in, c_name name) {
        return settle(call(Remove, in.native_handle(), name));
    }

    /// A ticket for this object, for another process to import.
    outcome<ticket> export_ticket() const { return settle(ask<ticket>(Export, native_handle())); }

    /// Opens what a ticket is for. Throws status::not_found if that is gone, or status::wrong_kind
    /// if it is something else.
    static outcome<Self> import_ticket(const ticket& from) {
        return settle(imported(from));
    }

    /// The C handle, still owned by this object; NULL after a move.
    c_object* native_handle() const noexcept { return handle_.get(); }

protected:
    using handle = detail::handle<c_object, Close>;

    explicit object(handle opened) noexcept : handle_(std::move(opened)) {}

    /// One of the functions that make or open it.
    template <class Call, class... Inputs>
    static result<Self> obtained(Call function, const segment& in, c_name name,
                                 const Inputs&... inputs) {
        return Self::opened(obtain<handle>(function, in.native_handle(), name, inputs...));
    }

    template <class Call, class... Inputs>
    static outcome<Self> made(Call function, const segment& in, c_name name,
                              const Inputs&... inputs) {
        return settle(obtained(function, in, name, inputs...));
    }

    static result<Self> imported(const ticket& from) {
        if (const char* const against = Self::objection_to(from.words[0])) {
            return failure(status::wrong_kind, against);
        }
        return Self::opened(obtain<handle>(Import, &from));
    }

    /// What becomes of a handle. An object that keeps more than that has a function of its own.
    static result<Self> opened(result<handle> got) {
        if (!got) return got.error();
        return Self(*std::move(got));
    }

    /// What speaks against an object of that kind, or nullptr. C knows one noun from another; where
    /// a noun has two kinds, and each of them a class, the class has a function of its own.
    static const char* objection_to(std::uint64_t) noexcept { return nullptr; }

private:
    handle handle_;
};

/// The base of an object that has short ways: it finds out where it lies, once and for all.
template <class Self, auto Place, auto Close, auto Remove, auto Export, auto Import>
class placed_object : public object<Self, Close, Remove, Export, Import> {
    using base = object<Self, Close, Remove, Export, Import>;
    friend base;

protected:
    using handle = typename base::handle;

    placed_object(handle opened, const atoll_place& place) noexcept
        : base(std::move(opened)), place_(place) {}

    static result<Self> opened(result<handle> got) {
        if (!got) return got.error();
        const auto place = place_of(Place, got->get());
        if (!place) return place.error();
        return Self(*std::move(got), *place);
    }

    /// In the words of inline.h; without a word after a move.
    const atoll_place* place() const noexcept { return &*place_; }

private:
    companion<atoll_place> place_;
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
