/* See mixed.cpp. */
#define RIALTO_NO_EXCEPTIONS
#include "mixed.cpp"
