# Debian's libraries under the short names that millrace_library(... PACKAGES ...) takes.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(absl REQUIRED)
find_package(Boost 1.81 REQUIRED)            # headers: Asio, and Boost.JSON through <boost/json/src.hpp>
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

set(MILLRACE_PACKAGE_threads Threads::Threads)
set(MILLRACE_PACKAGE_fmt fmt::fmt)
set(MILLRACE_PACKAGE_spdlog spdlog::spdlog)  # the compiled library, with the external fmt
set(MILLRACE_PACKAGE_absl absl::flat_hash_map)
set(MILLRACE_PACKAGE_boost Boost::headers Threads::Threads)
set(MILLRACE_PACKAGE_toml tomlplusplus::tomlplusplus)
set(MILLRACE_PACKAGE_cli CLI11::CLI11)
set(MILLRACE_PACKAGE_systemd PkgConfig::systemd)

# `./mr build` works without what only tests and benchmarks need.
if(MILLRACE_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    message(STATUS "GoogleTest is not installed: no tests in this build")
    set(MILLRACE_TESTS OFF)
  endif()
endif()
find_package(benchmark QUIET)
