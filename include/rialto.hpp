#include "rialto/queue.hpp"
#include "rialto/sync.hpp"
