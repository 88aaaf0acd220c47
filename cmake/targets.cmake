# The two targets, the same in the build tree and in the installed package.
#
# A process should hold one copy of the library. Two copies do not see each other: each keeps its
# own handles and its own notion of who holds what, so a lock taken through one is foreign to the
# other. Hence:
#
# - atoll::static is for a program that loads nothing else which uses atoll: no plugin, no Python.
#   In a shared library, use atoll::atoll.
# - linking both into one target, directly or through other libraries, stops CMake with an error
#   about ATOLL_LINKAGE.

# What programs ask the loader for; build.rs gives the library this name.
set(ATOLL_SONAME libatoll.so.0)

# Scope is GLOBAL or empty; the folders are absolute.
function(atoll_add_targets scope library_folder include_folder native_libraries)
    if(TARGET atoll::atoll)
        return()
    endif()

    add_library(atoll::atoll SHARED IMPORTED ${scope})
    set_target_properties(atoll::atoll PROPERTIES
        IMPORTED_LOCATION "${library_folder}/libatoll.so"
        IMPORTED_SONAME "${ATOLL_SONAME}"
        INTERFACE_ATOLL_LINKAGE shared)

    add_library(atoll::static STATIC IMPORTED ${scope})
    set_target_properties(atoll::static PROPERTIES
        IMPORTED_LOCATION "${library_folder}/libatoll.a"
        INTERFACE_LINK_LIBRARIES "${native_libraries}"
        INTERFACE_ATOLL_LINKAGE static)

    foreach(target atoll::atoll atoll::static)
        set_target_properties(${target} PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${include_folder}"
            COMPATIBLE_INTERFACE_STRING ATOLL_LINKAGE)
    endforeach()
endfunction()
