/// How C++ types are described in shared memory, so that every language can check them.

#ifndef ATOLL_TYPE_HPP
#define ATOLL_TYPE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "result.hpp"

namespace libatoll {

/// The fields of a struct as a PEP 3118 string, for readers in other languages. Without one only
/// size and alignment are compared. Specialise it beside the struct:
///
///     template <> inline constexpr const char* libatoll::format<point> = "T{<d:x:<d:y:}";
template <class T>
inline constexpr const char* format = "";

inline namespace ATOLL_VARIANT {
namespace detail {

template <class T>
struct is_bytes : std::false_type {};
template <std::size_t N>
struct is_bytes<std::array<char, N>> : std::true_type {};

constexpr std::uint32_t integer_code(std::size_t size, bool is_signed) {
    switch (size) {
        case 1: return is_signed ? ATOLL_I8 : ATOLL_U8;
        case 2: return is_signed ? ATOLL_I16 : ATOLL_U16;
        case 4: return is_signed ? ATOLL_I32 : ATOLL_U32;
        case 8: return is_signed ? ATOLL_I64 : ATOLL_U64;
        default: return ATOLL_STRUCT;
    }
}

/// Scalars have codes of their own, enums that of their integer, std::array<char, N> is N bytes of
/// text; anything else is a struct.
template <class T>
constexpr std::uint32_t code_of() {
    if constexpr (std::is_same_v<T, bool>) return ATOLL_BOOL;
    else if constexpr (std::is_integral_v<T>) return integer_code(sizeof(T), std::is_signed_v<T>);
    else if constexpr (std::is_enum_v<T>) return code_of<std::underlying_type_t<T>>();
    else if constexpr (std::is_same_v<T, float>) return ATOLL_F32;
    else if constexpr (std::is_same_v<T, double>) return ATOLL_F64;
    else if constexpr (is_bytes<T>::value) return ATOLL_BYTES;
    else return ATOLL_STRUCT;
}

/// Says what is wrong with a type whose bytes are all that other processes would see.
template <class T>
constexpr bool can_be_shared() {
    static_assert(!std::is_reference_v<T>,
                  "a reference cannot be shared: what it refers to is in one process only");
    static_assert(!std::is_pointer_v<T> && !std::is_null_pointer_v<T>,
                  "a pointer cannot be shared: it leads elsewhere in each process; use an index");
    static_assert(!std::is_member_pointer_v<T>,
                  "a pointer to a member cannot be shared: each program has its own; use an index");
    static_assert(!std::is_array_v<T>,
                  "a C array cannot be shared as it is: use atoll::array, or std::array for a few");
    static_assert(!std::is_const_v<T> && !std::is_volatile_v<T>,
                  "shared objects are not const or volatile; open the segment read-only, or take "
                  "an atoll::array<const T>");
    static_assert(std::is_trivially_copyable_v<T>,
                  "shared objects must be trivially copyable: nobody would run their constructors "
                  "and destructors");
    static_assert(std::is_default_constructible_v<T>,
                  "shared objects must be default constructible: there has to be a T to load into");
    static_assert(alignof(T) <= 64,
                  "shared objects are aligned to 64 bytes at most, for they begin on a cache line");
    return true;
}

template <class T>
atoll_type type_of() noexcept {
    static_assert(sizeof(float) == 4 && sizeof(double) == 8);
    atoll_type type{};
    static_assert(std::char_traits<char>::length(format<T>) < sizeof type.format,
                  "a libatoll::format has 63 bytes at most");
    type.struct_size = sizeof type;
    type.code = code_of<T>();
    type.size = sizeof(T);
    type.align = alignof(T);
    std::strcpy(type.format, format<T>);
    return type;
}

/// Refuses what is no T, as opening by name does. A format counts where both sides have one.
template <class T>
result<void> check_type(const atoll_type& found) {
    const atoll_type wanted = type_of<T>();
    const bool formats_agree = wanted.format[0] == 0 || found.format[0] == 0 ||
                               std::strcmp(wanted.format, found.format) == 0;
    if (found.code != wanted.code || found.size != wanted.size ||
        (wanted.code == ATOLL_STRUCT && (found.align != wanted.align || !formats_agree))) {
        return failure(status::wrong_kind, "what the ticket is for holds another type than T");
    }
    return {};
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
