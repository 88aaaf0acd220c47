# What `cmake --install` puts where. Nothing that is installed knows an absolute path, so the whole
# prefix may be moved.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

# libatoll.so -> libatoll.so.0 -> libatoll.so.0.1.0, and libatoll.a.
set(real_name "libatoll.so.${PROJECT_VERSION}")
set(links "${PROJECT_BINARY_DIR}/links")
file(MAKE_DIRECTORY "${links}")
file(CREATE_LINK "${real_name}" "${links}/${ATOLL_SONAME}" SYMBOLIC)
file(CREATE_LINK "${ATOLL_SONAME}" "${links}/libatoll.so" SYMBOLIC)
install(PROGRAMS "${ATOLL_CARGO_OUTPUT}/libatoll.so" RENAME "${real_name}"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${links}/${ATOLL_SONAME}" "${links}/libatoll.so" "${ATOLL_CARGO_OUTPUT}/libatoll.a"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/atoll")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/atollConfig.cmake.in" atollConfig.cmake
    INSTALL_DESTINATION "${package_folder}"
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR
    NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(atollConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/atollConfig.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/atollConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/targets.cmake"
    DESTINATION "${package_folder}")

# The way from the folder of atoll.pc back to the prefix.
file(RELATIVE_PATH up_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" up_to_prefix "${up_to_prefix}")
string(REPLACE ";" " " native_libraries "${ATOLL_NATIVE_LIBRARIES}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/atoll.pc.in" atoll.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/atoll.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
