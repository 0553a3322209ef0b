# Everything a build may choose. CMakePresets.json names the four combinations that the project uses.
option(MILLRACE_WERROR "A warning ends the build; packagers with another compiler turn it off" ${PROJECT_IS_TOP_LEVEL})
option(MILLRACE_TESTS "Build the unit tests and the simulator, when GoogleTest is installed" ON)
option(MILLRACE_FUZZ "Build the libFuzzer targets; needs clang" OFF)
set(MILLRACE_SANITIZE "" CACHE STRING "Sanitizers of every target, such as address,undefined or thread")
# The thread sanitizer looks at rings, workers and the simulator; front ends are one thread and slow to compile.
set(MILLRACE_PARTS "all" CACHE STRING "all, or core: only what lies below the front ends")
set_property(CACHE MILLRACE_PARTS PROPERTY STRINGS all core)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
