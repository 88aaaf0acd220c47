# Drives cargo: the target atoll_cargo builds libatoll.so and libatoll.a.
#
# Sets ATOLL_CARGO_OUTPUT, the folder that gets them, and ATOLL_NATIVE_LIBRARIES, what a program
# needs besides libatoll.a.

find_program(ATOLL_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
    DOC "The cargo that builds atoll")
find_program(ATOLL_RUSTC rustc HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
    DOC "The rustc that tells what libatoll.a needs")
if(NOT ATOLL_CARGO OR NOT ATOLL_RUSTC)
    message(FATAL_ERROR "atoll is built with Rust, but cargo or rustc was not found. "
        "Install Rust, or set ATOLL_CARGO and ATOLL_RUSTC to their paths.")
endif()

# Never the source tree: one checkout may serve many builds, and may be read-only.
if(DEFINED ENV{CARGO_TARGET_DIR})
    set(target_folder "$ENV{CARGO_TARGET_DIR}")
else()
    set(target_folder "${PROJECT_BINARY_DIR}/cargo")
endif()
set(ATOLL_CARGO_TARGET_DIR "${target_folder}" CACHE PATH "Where cargo builds atoll")
set(ATOLL_CARGO_OUTPUT "${ATOLL_CARGO_TARGET_DIR}/release")

# A library of nothing needs just what Rust's standard library needs, and atoll adds nothing.
# gcc_s and c are left out: the compiler adds them itself, and gcc_s has no static form.
execute_process(
    COMMAND "${ATOLL_RUSTC}" --crate-name nothing --crate-type staticlib
        --print native-static-libs -o "${PROJECT_BINARY_DIR}/nothing.a" -
    INPUT_FILE /dev/null
    ERROR_VARIABLE rustc_says
    RESULT_VARIABLE rustc_failed)
if(rustc_failed OR NOT rustc_says MATCHES "native-static-libs: ([^\n]*)")
    message(FATAL_ERROR "rustc did not tell what a static library needs:\n${rustc_says}")
endif()
separate_arguments(ATOLL_NATIVE_LIBRARIES UNIX_COMMAND "${CMAKE_MATCH_1}")
list(REMOVE_ITEM ATOLL_NATIVE_LIBRARIES -lgcc_s -lc)

if(ATOLL_INSTALL)
    set(build_always ALL)  # installing needs the libraries even if no target links them
else()
    set(build_always "")
endif()

# Cargo knows best what is out of date, so it is asked each time. The link is the soname's: cargo
# makes none, and programs in the build tree look for it.
add_custom_target(atoll_cargo ${build_always}
    COMMAND "${CMAKE_COMMAND}" -E env --unset=CARGO_BUILD_TARGET
        "${ATOLL_CARGO}" build --release --lib --locked --target-dir "${ATOLL_CARGO_TARGET_DIR}"
    COMMAND "${CMAKE_COMMAND}" -E create_symlink
        libatoll.so "${ATOLL_CARGO_OUTPUT}/${ATOLL_SONAME}"
    BYPRODUCTS "${ATOLL_CARGO_OUTPUT}/libatoll.so" "${ATOLL_CARGO_OUTPUT}/libatoll.a"
        "${ATOLL_CARGO_OUTPUT}/${ATOLL_SONAME}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    COMMENT "Building atoll with cargo"
    VERBATIM)
