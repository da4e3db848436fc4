# tocsin_room(NAME SOURCES a.c b.c USES tocsin_x ...): a static library of one folder.
# tocsin_test(PATH USES tocsin_x ...): tests/PATH_test.c as a cmocka program and a ctest.
# tocsin_program(NAME SOURCES main.c USES ...): an installed program.

function(tocsin_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(tocsin_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(tocsin_${name} PUBLIC tocsin_flags ${ROOM_USES})
endfunction()

function(tocsin_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE tocsin_flags ${PROGRAM_USES})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

function(tocsin_test path)
  if(NOT TOCSIN_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "" "USES" ${ARGN})
  string(REPLACE "/" "_" target ${path})
  add_executable(${target}_test ${PROJECT_SOURCE_DIR}/tests/${path}_test.c)
  target_link_libraries(${target}_test PRIVATE tocsin_flags ${TEST_USES} PkgConfig::CMOCKA
    tocsin_test_flags)
  target_compile_definitions(${target}_test PRIVATE
    TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" TEST_SHARED="${PROJECT_SOURCE_DIR}/../shared")
  add_test(NAME ${path} COMMAND ${target}_test)
  set_tests_properties(${path} PROPERTIES TIMEOUT 120)
endfunction()

# tocsin_script_test(NAME script args...): a shell or Python program as a ctest. It finds the built
# programs in $TOCSIN_BIN, the checkout in $TOCSIN_SOURCE; exit status 77 means skipped.
function(tocsin_script_test name)
  if(NOT TOCSIN_TESTS)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "TOCSIN_BIN=${CMAKE_BINARY_DIR}/bin;TOCSIN_SOURCE=${PROJECT_SOURCE_DIR};TOCSIN_BUILD=${CMAKE_BINARY_DIR}")
endfunction()

# tocsin_fuzz(NAME USES ...): tests/fuzz/NAME_fuzz.c with libFuzzer, in the fuzz preset only.
function(tocsin_fuzz name)
  if(NOT TOCSIN_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "USES" ${ARGN})
  add_executable(${name}_fuzz ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.c)
  target_link_libraries(${name}_fuzz PRIVATE tocsin_flags ${FUZZ_USES} tocsin_test_flags)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
endfunction()
