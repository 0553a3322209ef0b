# One line per folder makes its library and its tests. A folder that does not exist (yet) is skipped, so that a list
# may name it first.
#
#   millrace_library(control/transport DEPENDS session PACKAGES boost)
#     src/control/transport/*.cpp       -> millrace_control_transport   (an interface when only headers are there)
#     src/control/transport/*_test.cpp  -> control_transport_test       (one ctest entry)

add_custom_target(programs)     # millrace, rtpproxy and the tools
add_custom_target(unit_tests)   # every *_test, the simulator too
add_custom_target(fuzzers)
add_custom_target(benchmarks)

# Our own libraries by folder name, as far as they exist, then packages by short name.
function(millrace_resolve out)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;PACKAGES")
  set(libraries millrace_flags)
  foreach(folder IN LISTS arg_DEPENDS)
    string(REPLACE "/" "_" target millrace_${folder})
    if(TARGET ${target})
      list(APPEND libraries ${target})
    endif()
  endforeach()
  foreach(package IN LISTS arg_PACKAGES)
    if(NOT DEFINED MILLRACE_PACKAGE_${package})
      message(FATAL_ERROR "unknown package '${package}': cmake/packages.cmake lists them")
    endif()
    list(APPEND libraries ${MILLRACE_PACKAGE_${package}})
  endforeach()
  set(${out} ${libraries} PARENT_SCOPE)
endfunction()

# The sources right in `folder`, tests and programs' mains left out.
function(millrace_glob folder out_sources out_tests)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${folder}/*_test.cpp)
  file(GLOB mains CONFIGURE_DEPENDS ${folder}/main.cpp ${folder}/main_*.cpp)
  if(tests OR mains)
    list(REMOVE_ITEM sources ${tests} ${mains})
  endif()
  set(${out_sources} ${sources} PARENT_SCOPE)
  set(${out_tests} ${tests} PARENT_SCOPE)
endfunction()

# One GoogleTest binary, one ctest entry; its case-by-case result lands in test-results/, where `./mr test` counts.
function(millrace_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  if(NOT MILLRACE_TESTS OR NOT arg_SOURCES)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(unit_tests ${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "GTEST_OUTPUT=xml:${CMAKE_BINARY_DIR}/test-results/${name}.xml")
endfunction()

# A static library, or an interface when there are only headers; whoever links it gets `LIBRARIES` and `INCLUDE` too.
function(millrace_archive target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "INCLUDE" "SOURCES;LIBRARIES")
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    set(reach PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(reach INTERFACE)
  endif()
  target_link_libraries(${target} ${reach} ${arg_LIBRARIES})
  target_include_directories(${target} ${reach} ${arg_INCLUDE})   # tools: mrload/pacer.hpp, like src/'s rtp/header.hpp
endfunction()

function(millrace_library folder)
  set(path ${CMAKE_SOURCE_DIR}/src/${folder})
  if(NOT IS_DIRECTORY ${path})
    return()
  endif()
  millrace_resolve(libraries ${ARGN})
  millrace_glob(${path} sources tests)
  string(REPLACE "/" "_" name ${folder})
  millrace_archive(millrace_${name} SOURCES ${sources} LIBRARIES ${libraries})
  millrace_test(${name}_test SOURCES ${tests} LIBRARIES millrace_${name})
endfunction()

# src/FOLDER/*.proto -> millrace_FOLDER_protos: messages and services as C++, included as "control/grpc/NAME.pb.h".
# Generated code is compiled without the warnings of our own.
function(millrace_protos folder)
  file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.proto)
  set(out ${CMAKE_BINARY_DIR}/protos)
  file(MAKE_DIRECTORY ${out}/${folder})
  set(sources)
  foreach(proto IN LISTS protos)
    cmake_path(GET proto STEM name)
    set(base ${out}/${folder}/${name})
    add_custom_command(
      OUTPUT ${base}.pb.cc ${base}.pb.h ${base}.grpc.pb.cc ${base}.grpc.pb.h
      COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/src/${folder} --cpp_out=${out}/${folder}
              --grpc_out=${out}/${folder} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto}
      DEPENDS ${proto} VERBATIM)
    list(APPEND sources ${base}.pb.cc ${base}.grpc.pb.cc)
  endforeach()
  string(REPLACE "/" "_" name ${folder})
  add_library(millrace_${name}_protos STATIC ${sources})
  target_include_directories(millrace_${name}_protos SYSTEM PUBLIC ${out} PRIVATE ${out}/${folder})
  target_link_libraries(millrace_${name}_protos PUBLIC ${MILLRACE_PACKAGE_grpc})
endfunction()

# A pluggable folder: a library like any other, which app/node.cpp joins to the rest.
function(millrace_frontend name)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/src/control/${name})
    millrace_library(control/${name} ${ARGN})
  endif()
endfunction()

function(millrace_engine name)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/src/dataplane/${name})
    millrace_library(dataplane/${name} ${ARGN})
  endif()
endfunction()

# millrace_program(millrace SOURCE src/app/main_millrace.cpp DEPENDS app) -> bin/millrace
function(millrace_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE" "DEPENDS;PACKAGES")
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${arg_SOURCE})
    return()
  endif()
  millrace_resolve(libraries DEPENDS ${arg_DEPENDS} PACKAGES ${arg_PACKAGES})
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${arg_SOURCE})
  target_link_libraries(${name} PRIVATE ${libraries})
  add_dependencies(programs ${name})
endfunction()

# tools/NAME/*.cpp -> bin/NAME; its tests, when it has any, link everything of it but main.cpp.
function(millrace_tool name)
  set(path ${CMAKE_SOURCE_DIR}/tools/${name})
  if(NOT EXISTS ${path}/main.cpp)
    return()
  endif()
  millrace_resolve(libraries ${ARGN})
  millrace_glob(${path} sources tests)
  millrace_archive(tool_${name} SOURCES ${sources} LIBRARIES ${libraries} INCLUDE ${CMAKE_SOURCE_DIR}/tools)
  add_executable(${name} ${path}/main.cpp)
  target_link_libraries(${name} PRIVATE tool_${name})
  add_dependencies(programs ${name})
  millrace_test(tool_${name}_test SOURCES ${tests} LIBRARIES tool_${name})
endfunction()

# tests/sim/*.cpp -> sim_test
function(millrace_simulation)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.cpp)
  millrace_resolve(libraries ${ARGN})
  millrace_test(sim_test SOURCES ${sources} LIBRARIES ${libraries})
  if(TARGET sim_test)
    target_include_directories(sim_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  endif()
endfunction()

# fuzz/NAME_fuzz.cpp -> fuzz/NAME_fuzz; each links every library there is, because a decoder may sit in any folder.
function(millrace_fuzzers)
  if(NOT MILLRACE_FUZZ)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.cpp)
  millrace_resolve(libraries DEPENDS base rtp net session control_rtpproxy control_admin PACKAGES fmt)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${libraries})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzzers ${name})
  endforeach()
endfunction()

# bench/NAME_bench.cpp -> bench/NAME_bench, built on demand only: `./mr bench NAME`.
function(millrace_benchmarks)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*_bench.cpp)
  if(NOT benchmark_FOUND)
    return()
  endif()
  millrace_resolve(libraries DEPENDS base rtp net session dataplane_socket control_rtpproxy PACKAGES fmt)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${name} PRIVATE ${libraries} benchmark::benchmark)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    add_dependencies(benchmarks ${name})
  endforeach()
endfunction()
