# What version is installed: as the header says. Compatible is what the shared library's name says: before 1.0 the same
# minor version, then the same major one; and not older than what is asked for.
foreach(_rialto_part MAJOR MINOR PATCH)
    file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../../../include/rialto.h" _rialto_line
        REGEX "^#define RIALTO_VERSION_${_rialto_part} [0-9]+$")
    string(REGEX REPLACE "[^0-9]" "" _rialto_${_rialto_part} "${_rialto_line}")
endforeach()
set(PACKAGE_VERSION ${_rialto_MAJOR}.${_rialto_MINOR}.${_rialto_PATCH})

if(NOT PACKAGE_FIND_VERSION_MAJOR EQUAL _rialto_MAJOR OR PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
elseif(_rialto_MAJOR EQUAL 0 AND PACKAGE_FIND_VERSION_COUNT GREATER 1
        AND NOT PACKAGE_FIND_VERSION_MINOR EQUAL _rialto_MINOR)
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
endif()
