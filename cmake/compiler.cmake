# How everything is compiled.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)   # clang-tidy reads it
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Line tables stay in the release build: a stack trace of an incident must name lines. Asserts are MR_CHECK and
# always on, so NDEBUG would change nothing of ours.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

find_program(MILLRACE_CCACHE ccache)
if(MILLRACE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MILLRACE_CCACHE})
endif()

# A target that carries the flags of our own code; system headers never see them.
add_library(millrace_flags INTERFACE)
target_include_directories(millrace_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(millrace_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${MILLRACE_WERROR}>:-Werror>
  # Both compilers see the same rules: g++ tells sign-conversion apart from conversion and lets a designated initializer
  # leave members to their defaults; and what clang finds deprecated is inside libstdc++ 12 (stable_sort).
  "$<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion;-Wno-missing-designated-field-initializers;-Wno-deprecated-declarations>"
  # No path of the building machine in binaries or messages; the longer prefix comes last, because the last match wins.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
  -ffile-prefix-map=${CMAKE_BINARY_DIR}=.)

if(MILLRACE_SANITIZE)
  add_compile_options(-fsanitize=${MILLRACE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MILLRACE_SANITIZE})
endif()
if(MILLRACE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)   # coverage for the libraries that the fuzzers link
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  find_program(MILLRACE_LLD NAMES ld.lld-19 ld.lld)
  if(MILLRACE_LLD)
    add_link_options(-fuse-ld=${MILLRACE_LLD})
  endif()
endif()
